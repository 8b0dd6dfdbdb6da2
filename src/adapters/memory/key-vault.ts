import { randomBytes } from 'node:crypto'
import { checkRestored, type KeyVault, keyBytes, type VaultEntry } from '../../engine/key-vault.ts'

const entriesOfBatch = 500

/**
 * A key vault that lives as long as the process, for tests and simulations.
 * @param options `random` makes that many bytes; a simulation passes one with a seed
 */
export function memoryKeyVault(options: { readonly random?: (bytes: number) => Uint8Array } = {}): KeyVault {
  const random = options.random ?? randomBytes
  const keys = new Map<string, Uint8Array>()
  const forgotten = new Set<string>()
  const secrets = new Map<string, Uint8Array>()

  function made(map: Map<string, Uint8Array>, name: string): Uint8Array {
    const key = map.get(name) ?? Uint8Array.from(random(keyBytes))
    map.set(name, key)
    return Uint8Array.from(key)
  }

  const mapOf = (kind: 'key' | 'secret') => (kind === 'key' ? keys : secrets)

  function forget(person: string): void {
    keys.get(person)?.fill(0)
    keys.delete(person)
    forgotten.add(person)
  }

  function all(): VaultEntry[] {
    const copies = (kind: 'key' | 'secret') =>
      Array.from(mapOf(kind), ([name, key]) => ({ kind, name, bytes: Uint8Array.from(key) }))
    const names = Array.from(forgotten, (name) => ({ kind: 'forgotten' as const, name }))
    return [...copies('secret'), ...copies('key'), ...names]
  }

  return {
    async keyFor(person) {
      return forgotten.has(person) ? undefined : made(keys, person)
    },

    async keys(persons) {
      const found = new Map<string, Uint8Array>()
      for (const person of persons) {
        const key = keys.get(person)
        if (key !== undefined) found.set(person, Uint8Array.from(key))
      }
      return found
    },

    async forget(person) {
      forget(person)
    },

    async secret(name) {
      return made(secrets, name)
    },

    async *entries() {
      const entries = all()
      for (let start = 0; start < entries.length; start += entriesOfBatch) {
        yield entries.slice(start, start + entriesOfBatch)
      }
    },

    async restore(entries) {
      const gone = new Set(entries.flatMap(({ kind, name }) => (kind === 'forgotten' ? name : [])))
      const taken = entries.filter((entry) => entry.kind !== 'forgotten')
      const kept = taken.filter(({ kind, name }) => kind === 'secret' || !(gone.has(name) || forgotten.has(name)))
      for (const entry of kept) checkRestored(entry, mapOf(entry.kind).get(entry.name))
      for (const person of gone) forget(person)
      for (const { kind, name, bytes } of kept) mapOf(kind).set(name, Uint8Array.from(bytes))
    },

    async close() {},
  }
}
