import { randomBytes } from 'node:crypto'
import type { KeyVault } from '../../engine/key-vault.ts'

const keyBytes = 32

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
      keys.get(person)?.fill(0)
      keys.delete(person)
      forgotten.add(person)
    },

    async secret(name) {
      return made(secrets, name)
    },

    async close() {},
  }
}
