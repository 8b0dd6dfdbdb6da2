import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync } from 'node:fs'
import type { SQLOutputValue } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import { UnavailableError } from '../../engine/errors.ts'
import { checkRestored, type KeyVault, keyBytes, type VaultEntry } from '../../engine/key-vault.ts'
import { bytes, inTransaction, isCorrupt, isSqliteError, openDatabase, preparedStatements, text } from './database.ts'

export interface SqliteKeyVaultOptions {
  readonly file: string
  /** Most keys that are kept in memory. */
  readonly cachedKeys?: number
  /** How long it waits for another thread. */
  readonly busyTimeoutMs?: number
}

// A key is in a row of its own that never moves and never goes: rows are only added at the end, and a key is deleted by
// writing zeros over it. So no copy of it is left where SQLite moved rows from page to page.
const layouts: readonly string[] = [
  `
  CREATE TABLE key (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL CHECK (length(bytes) = 32)) STRICT;
  CREATE TABLE person (person TEXT PRIMARY KEY NOT NULL, key INTEGER) STRICT, WITHOUT ROWID;
  CREATE TABLE secret (name TEXT PRIMARY KEY NOT NULL, bytes BLOB NOT NULL CHECK (length(bytes) = 32)) STRICT`,
]

/** The newest layout of a vault that this version knows. */
export const vaultLayout = layouts.length

const statements = {
  /** What other connections to the file have written changes this. */
  dataVersion: 'PRAGMA data_version',
  person: 'SELECT person.key, key.bytes FROM person LEFT JOIN key ON key.number = person.key WHERE person.person = ?',
  keys: `SELECT person.person, key.bytes FROM person JOIN key ON key.number = person.key
    WHERE person.person IN (SELECT value FROM json_each(?))`,
  addKey: 'INSERT INTO key (bytes) VALUES (?)',
  addPerson: 'INSERT INTO person (person, key) VALUES (?, ?)',
  overwriteKey: 'UPDATE key SET bytes = zeroblob(32) WHERE number = (SELECT key FROM person WHERE person = ?)',
  forget: 'INSERT INTO person (person, key) VALUES (?, NULL) ON CONFLICT DO UPDATE SET key = NULL',
  addSecret: 'INSERT INTO secret (name, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING',
  secret: 'SELECT bytes FROM secret WHERE name = ?',
  persons: `SELECT person.person, key.bytes FROM person LEFT JOIN key ON key.number = person.key
    WHERE person.person > ? ORDER BY person.person LIMIT ?`,
  secrets: 'SELECT name, bytes FROM secret ORDER BY name',
  checkpoint: 'PRAGMA wal_checkpoint(TRUNCATE)',
}

const defaultCachedKeys = 10_000
const entriesOfBatch = 500

interface NewPerson {
  readonly person: string
  readonly resolve: (key: Uint8Array | 'forgotten' | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens the keys in a file, and makes it if there is none. Only its owner can read it. A damaged one is an error: nothing can replace it.
 * What it can't read or write now is an UnavailableError.
 * @throws NewerVersionError for a file of a newer version
 */
export function openSqliteKeyVault({ cachedKeys = defaultCachedKeys, ...options }: SqliteKeyVaultOptions): KeyVault {
  const { file } = options
  if (existsSync(file)) chmodSync(file, 0o600) // whatever it was copied with
  const database = openDatabase({ ...options, layouts, synchronous: 'full', secureDelete: true })
  const prepared = preparedStatements(database)
  const cache = new LRUCache<string, Uint8Array>({ max: cachedKeys })
  let dataVersion: unknown
  let newPersons: NewPerson[] = []

  /** The cache, emptied when another connection has written: it may have forgotten somebody. */
  function freshCache(): LRUCache<string, Uint8Array> {
    const version = prepared(statements.dataVersion).get()?.data_version
    if (version !== dataVersion) cache.clear()
    dataVersion = version
    return cache
  }

  /** @returns undefined for a person whom the vault does not know, `forgotten` for one who was forgotten */
  function keyOf(person: string): Uint8Array | 'forgotten' | undefined {
    const cached = freshCache().get(person)
    if (cached !== undefined) return Uint8Array.from(cached)
    const row = prepared(statements.person).get(person)
    if (row === undefined) return undefined
    return row.key === null ? 'forgotten' : remember(person, bytes(row.bytes))
  }

  function remember(person: string, key: Uint8Array): Uint8Array {
    cache.set(person, Uint8Array.from(key))
    return key
  }

  function addKey(person: string, key: Uint8Array): Uint8Array {
    prepared(statements.addPerson).run(person, prepared(statements.addKey).run(key).lastInsertRowid)
    return key
  }

  /** Makes the keys of all who came together, in one commit. */
  function addNewPersons(): void {
    const persons = newPersons
    newPersons = []
    if (persons.length === 0) return
    try {
      // One may have come twice, or may have been added by another thread or forgotten meanwhile.
      const keys = guarded(() =>
        inTransaction(database, () => persons.map(({ person }) => keyOf(person) ?? addKey(person, newKey()))),
      )
      for (const [index, { resolve }] of persons.entries()) resolve(keys[index])
    } catch (error) {
      cache.clear() // a key that was not kept must encrypt nothing
      for (const { reject } of persons) reject(error)
    }
  }

  function overwriteKey(person: string): void {
    prepared(statements.overwriteKey).run(person)
    prepared(statements.forget).run(person)
    cache.delete(person)
  }

  /** Empties the write-ahead log, which holds pages as they were; a reader in another thread can keep it from that. */
  function emptyLog(): void {
    if (guarded(() => prepared(statements.checkpoint).get()?.busy) === 0) return
    throw new UnavailableError('key-vault-busy', 'The key is deleted, but a copy of it is left for now; try again')
  }

  function secretOf(name: string): Uint8Array | undefined {
    const row = prepared(statements.secret).get(name)
    return row === undefined ? undefined : bytes(row.bytes)
  }

  function restoreOne(entry: VaultEntry): void {
    if (entry.kind === 'forgotten') {
      overwriteKey(entry.name)
      return
    }
    const present = entry.kind === 'key' ? keyOf(entry.name) : secretOf(entry.name)
    if (present === 'forgotten') return
    checkRestored(entry, present)
    if (present !== undefined) return
    if (entry.kind === 'key') addKey(entry.name, entry.bytes)
    else prepared(statements.addSecret).run(entry.name, entry.bytes)
  }

  /** Runs one of the port's functions, and says in the port's words what went wrong. */
  function guarded<Result>(run: () => Result): Result {
    try {
      return run()
    } catch (error) {
      if (!isSqliteError(error) || isCorrupt(error)) throw error
      const message = 'The key vault does not answer now. Try again.'
      throw new UnavailableError('key-vault-unavailable', message, 1, { cause: error })
    }
  }

  return {
    async keyFor(person) {
      const known = guarded(() => keyOf(person))
      const key =
        known ??
        (await new Promise<Uint8Array | 'forgotten' | undefined>((resolve, reject) => {
          newPersons.push({ person, resolve, reject })
          if (newPersons.length === 1) setImmediate(addNewPersons)
        }))
      return key === 'forgotten' ? undefined : key
    },

    async keys(persons) {
      const cached = guarded(freshCache)
      const found = new Map<string, Uint8Array>()
      const others: string[] = []
      for (const person of persons) {
        const key = cached.get(person)
        if (key === undefined) others.push(person)
        else found.set(person, Uint8Array.from(key))
      }
      if (others.length === 0) return found
      for (const row of guarded(() => prepared(statements.keys).all(JSON.stringify(others)))) {
        const person = text(row.person)
        found.set(person, remember(person, bytes(row.bytes)))
      }
      return found
    },

    async forget(person) {
      guarded(() => inTransaction(database, () => overwriteKey(person)))
      emptyLog()
    },

    async secret(name) {
      return guarded(() => {
        const known = secretOf(name)
        if (known !== undefined) return known
        prepared(statements.addSecret).run(name, newKey())
        return bytes(prepared(statements.secret).get(name)?.bytes)
      })
    },

    async *entries() {
      const secrets = guarded(() => prepared(statements.secrets).all())
      yield secrets.map((row): VaultEntry => ({ kind: 'secret', name: text(row.name), bytes: bytes(row.bytes) }))
      for (let last = ''; ; ) {
        const rows = guarded(() => prepared(statements.persons).all(last, entriesOfBatch))
        if (rows.length === 0) return
        yield rows.map(entryOf)
        last = text(rows.at(-1)?.person)
      }
    },

    async restore(entries) {
      // Whoever is forgotten is so before a key of the same batch is looked at.
      const sorted = entries.toSorted(
        (one, other) => Number(other.kind === 'forgotten') - Number(one.kind === 'forgotten'),
      )
      try {
        guarded(() => inTransaction(database, () => sorted.forEach(restoreOne)))
      } finally {
        cache.clear() // it may know what was rolled back
      }
      if (sorted[0]?.kind === 'forgotten') emptyLog()
    },

    async close() {
      if (!database.isOpen) return
      addNewPersons()
      database.close()
    },
  }
}

function newKey(): Uint8Array {
  return Uint8Array.from(randomBytes(keyBytes)) // not a part of a larger buffer
}

function entryOf(row: Record<string, SQLOutputValue>): VaultEntry {
  const name = text(row.person)
  return row.bytes === null ? { kind: 'forgotten', name } : { kind: 'key', name, bytes: bytes(row.bytes) }
}
