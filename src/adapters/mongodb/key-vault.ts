import { LRUCache } from 'lru-cache'
import { UnavailableError } from '../../engine/errors.ts'
import { checkRestored, type KeyVault, type VaultEntry } from '../../engine/key-vault.ts'
import { guarded, type MongoConnection } from './connection.ts'
import { type Kept, namesOfBatch, type VaultCollection, vaultCollection } from './vault-collection.ts'

interface MongoKeyVaultOptions {
  /** Most keys that are kept in memory, for opening. */
  readonly cachedKeys?: number
  /** For how long after a person was forgotten by another process this one may still open what was sealed. */
  readonly cachedForMs?: number
  /** Milliseconds since some moment in the past, which nobody sets. */
  readonly monotonic?: () => number
}

interface Asking {
  readonly person: string
  readonly resolve: (key: Kept) => void
  readonly reject: (error: unknown) => void
}

const defaultCachedKeys = 10_000
const defaultCachedForMs = 5_000
const restoreTries = 3

/**
 * The keys in a database of their own, `<database>_keys`, so that read models can be backed up, and thrown away, without them.
 * Sealing always asks the database, so that nobody seals with a key that was not kept or is forgotten; opening goes by what
 * was asked at most `cachedForMs` ago. MongoDB does not overwrite what is deleted: a forgotten key is gone from the collection
 * at once, but from the oplog, the journal and freed pages only as these are used again, and from backups as they expire.
 * @param connection closed by who opened it
 */
export function mongoKeyVault(
  { database, databaseNamed }: Pick<MongoConnection, 'database' | 'databaseNamed'>,
  options: MongoKeyVaultOptions = {},
): KeyVault {
  const { cachedKeys = defaultCachedKeys, cachedForMs = defaultCachedForMs } = options
  const { monotonic = () => performance.now() } = options
  const vault = databaseNamed(`${database.databaseName}_keys`)
  const persons = vaultCollection(vault.collection('persons'))
  const secrets = vaultCollection(vault.collection('secrets'))
  const perf = { now: monotonic }
  const cache = new LRUCache<string, Uint8Array>({ max: cachedKeys, ttl: cachedForMs, ttlResolution: 0, perf })
  /** Rises before and after somebody is forgotten here: what was asked meanwhile is not cached. */
  let forgettings = 0
  let asking: Asking[] = []

  async function answer(group: readonly Asking[]): Promise<void> {
    try {
      const persistent = await guarded(() => persons.made(Array.from(new Set(group.map(({ person }) => person)))))
      for (const { person, resolve } of group) resolve(present(persistent, person))
    } catch (error) {
      for (const { reject } of group) reject(error) // those that were answered stay so
    }
  }

  /** Asks for all who came together, in few questions. */
  function answerAll(): void {
    const all = asking
    asking = []
    for (let start = 0; start < all.length; start += namesOfBatch) void answer(all.slice(start, start + namesOfBatch))
  }

  /** Forgets people here, around the write that forgets them for all. */
  async function forgetting(people: readonly string[], write: () => Promise<void>): Promise<void> {
    forgettings++
    try {
      await guarded(write)
    } finally {
      forgettings++
      for (const person of people) cache.delete(person)
    }
  }

  return {
    async keyFor(person) {
      const key = await new Promise<Kept>((resolve, reject) => {
        asking.push({ person, resolve, reject })
        if (asking.length === 1) setImmediate(answerAll)
      })
      return key === 'forgotten' ? undefined : Uint8Array.from(key) // others may have asked for the same one
    },

    async keys(people) {
      const found = new Map<string, Uint8Array>()
      const others = new Set<string>()
      for (const person of people) {
        const key = cache.get(person)
        if (key === undefined) others.add(person)
        else found.set(person, Uint8Array.from(key))
      }
      const [start, forgettingsBefore] = [monotonic(), forgettings]
      for (const [person, key] of await guarded(() => persons.kept([...others]))) {
        if (key === 'forgotten') continue
        found.set(person, key)
        if (forgettings === forgettingsBefore) cache.set(person, Uint8Array.from(key), { start })
      }
      return found
    },

    forget: (person) => forgetting([person], () => persons.forget(person)),

    async secret(name) {
      const bytes = present(await guarded(() => secrets.made([name])), name)
      if (bytes === 'forgotten')
        throw new Error(`The secret ${name} of the key vault is damaged: restore it from a backup`)
      return bytes
    },

    async *entries() {
      for (const [kind, collection] of [
        ['secret', secrets],
        ['key', persons],
      ] as const) {
        const batches = collection.all()[Symbol.asyncIterator]()
        for (;;) {
          const { value, done } = await guarded(() => batches.next())
          if (done === true) break
          yield Array.from(value, ([name, bytes]) => entryOf(kind, name, bytes))
        }
      }
    },

    async restore(entries) {
      const gone = new Set(entries.flatMap(({ kind, name }) => (kind === 'forgotten' ? name : [])))
      const ofPersons = entries.filter(({ kind, name }) => kind === 'forgotten' || (kind === 'key' && !gone.has(name)))
      const ofEngine = entries.filter(({ kind }) => kind === 'secret')
      await forgetting([...gone], async () => {
        // Compared before anything is written, and again until nothing is left to write, for others may write, too.
        for (let tries = 0; tries < restoreTries; tries++) {
          const missing = [await missingIn(persons, ofPersons), await missingIn(secrets, ofEngine)] as const
          if (missing.every((some) => some.length === 0)) return
          await persons.add(missing[0])
          await secrets.add(missing[1])
        }
        throw unavailable()
      })
    },

    async close() {},
  }
}

function unavailable(): UnavailableError {
  return new UnavailableError('key-vault-unavailable', 'The key vault does not answer now. Try again.')
}

/** @throws UnavailableError for what was made and is not there: its primary was lost, or a majority does not have it yet */
function present(kept: ReadonlyMap<string, Kept>, name: string): Kept {
  const found = kept.get(name)
  if (found === undefined) throw unavailable()
  return found
}

function entryOf(kind: 'key' | 'secret', name: string, kept: Kept): VaultEntry {
  return kept === 'forgotten' ? { kind: 'forgotten', name } : { kind, name, bytes: kept }
}

/** Those of the entries that are still to be written. @throws Error when one is there with other bytes */
async function missingIn(collection: VaultCollection, entries: readonly VaultEntry[]): Promise<readonly VaultEntry[]> {
  const kept = await collection.kept(entries.map(({ name }) => name))
  return entries.filter((entry) => {
    const found = kept.get(entry.name)
    if (entry.kind === 'forgotten') return found !== 'forgotten'
    if (found === 'forgotten') return false
    checkRestored(entry, found)
    return found === undefined
  })
}
