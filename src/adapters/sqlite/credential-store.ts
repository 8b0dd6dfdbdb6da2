import { chmodSync, existsSync } from 'node:fs'
import type { SQLOutputValue } from 'node:sqlite'
import type { Credential, CredentialStore, Durability } from '../../engine/credential-store.ts'
import { UnavailableError } from '../../engine/errors.ts'
import { inTransaction, isCorrupt, isSqliteError, number, openDatabase, preparedStatements, text } from './database.ts'

export interface SqliteCredentialStoreOptions {
  readonly file: string
  /** How long it waits for another connection. */
  readonly busyTimeoutMs?: number
}

const layouts: readonly string[] = [
  `
  CREATE TABLE credential (kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT, expires_at INTEGER,
    version INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
  CREATE INDEX credential_by_owner ON credential (owner, kind, id) WHERE owner IS NOT NULL;
  CREATE INDEX credential_by_expiry ON credential (expires_at) WHERE expires_at IS NOT NULL`,
]

/** The newest layout of credentials that this version knows. */
export const credentialLayout = layouts.length

const columns = 'kind, id, owner, expires_at, version, data'
const statements = {
  find: `SELECT ${columns} FROM credential WHERE kind = ? AND id = ?`,
  write: `INSERT INTO credential (${columns}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at, version = excluded.version, data = excluded.data`,
  remove: 'DELETE FROM credential WHERE kind = ? AND id = ?',
  ofOwner: `SELECT ${columns} FROM credential WHERE owner = ? AND kind = ? ORDER BY id LIMIT ?`,
  forget: 'DELETE FROM credential WHERE owner = ?',
  sweep: `DELETE FROM credential WHERE (kind, id) IN
    (SELECT kind, id FROM credential WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  entries: `SELECT ${columns} FROM credential WHERE (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?`,
  checkpoint: 'PRAGMA wal_checkpoint(TRUNCATE)',
}

const entriesOfBatch = 500

/** A change that waits for the next commit. */
interface Asked {
  readonly change: () => boolean
  readonly durability: Durability
  readonly resolve: (isChanged: boolean) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens the credentials in a file, and makes it if there is none. Only its owner can read it. A damaged one is an error: nothing
 * can replace it. What it can't read or write now is an UnavailableError.
 * @throws NewerVersionError for a file of a newer version
 */
export function openSqliteCredentialStore(options: SqliteCredentialStoreOptions): CredentialStore {
  const { file } = options
  if (existsSync(file)) chmodSync(file, 0o600) // whatever it was copied with
  const database = openDatabase({ ...options, layouts, synchronous: 'full', secureDelete: true })
  const prepared = preparedStatements(database)
  let asked: Asked[] = []
  let present: Durability = 'full'

  function find(kind: string, id: string): Credential | undefined {
    const row = prepared(statements.find).get(kind, id)
    return row && credentialOf(row)
  }

  function put({ kind, id, owner, expiresAt, version, data }: Credential): void {
    prepared(statements.write).run(kind, id, owner, expiresAt, version, data)
  }

  function writeIfNext(credential: Credential): boolean {
    const version = find(credential.kind, credential.id)?.version ?? 0
    if (version !== credential.version - 1) return false
    put(credential)
    return true
  }

  /** In a write-ahead log only full commits wait for the disk; they bring all commits before them along. */
  function keepWith(durability: Durability): void {
    if (durability === present) return
    database.exec(`PRAGMA synchronous = ${durability}`)
    present = durability
  }

  /** Makes the changes that came together in one commit. */
  function changeAll(): void {
    const all = asked
    asked = []
    if (all.length === 0) return
    try {
      const changed = guarded(() => {
        keepWith(all.some(({ durability }) => durability === 'full') ? 'full' : 'normal')
        return inTransaction(database, () => all.map(({ change }) => change()))
      })
      for (const [index, { resolve }] of all.entries()) resolve(changed[index] ?? false)
    } catch (error) {
      for (const { reject } of all) reject(error)
    }
  }

  function soon(durability: Durability, change: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      asked.push({ change, durability, resolve, reject })
      if (asked.length === 1) setImmediate(changeAll)
    })
  }

  /** Empties the write-ahead log, which holds pages as they were; a reader in another thread can keep it from that. */
  function emptyLog(): void {
    if (guarded(() => prepared(statements.checkpoint).get()?.busy) === 0) return
    throw new UnavailableError('credentials-busy', 'They are deleted, but a copy is left for now; try again')
  }

  return {
    async find(kind, id) {
      return guarded(() => find(kind, id))
    },

    write: (credential, durability = 'full') => soon(durability, () => writeIfNext(credential)),

    async remove(kind, id, durability = 'full') {
      await soon(durability, () => prepared(statements.remove).run(kind, id).changes > 0)
    },

    async ofOwner(kind, owner, limit) {
      return guarded(() => prepared(statements.ofOwner).all(owner, kind, limit)).map(credentialOf)
    },

    async forget(owner) {
      guarded(() => {
        keepWith('full')
        prepared(statements.forget).run(owner)
      })
      emptyLog()
    },

    async sweep(nowMs, limit) {
      const swept = guarded(() => {
        keepWith('normal') // what comes back is swept again
        return prepared(statements.sweep).run(nowMs, limit)
      })
      return Number(swept.changes)
    },

    async *entries() {
      for (let [kind, id] = ['', '']; ; ) {
        const [after, afterId] = [kind, id]
        const found = guarded(() => prepared(statements.entries).all(after, afterId, entriesOfBatch)).map(credentialOf)
        const last = found.at(-1)
        if (last === undefined) return
        yield found
        kind = last.kind
        id = last.id
      }
    },

    async restore(entries) {
      guarded(() => {
        keepWith('full')
        inTransaction(database, () => {
          for (const entry of entries) if ((find(entry.kind, entry.id)?.version ?? 0) < entry.version) put(entry)
        })
      })
    },

    async close() {
      if (!database.isOpen) return
      changeAll()
      database.close()
    },
  }
}

/** Runs one of the port's functions, and says in the port's words what went wrong. */
function guarded<Result>(run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!isSqliteError(error) || isCorrupt(error)) throw error
    const message = 'The credentials do not answer now. Try again.'
    throw new UnavailableError('credentials-unavailable', message, 1, { cause: error })
  }
}

function credentialOf(row: Record<string, SQLOutputValue>): Credential {
  return {
    kind: text(row.kind),
    id: text(row.id),
    owner: row.owner === null ? null : text(row.owner),
    expiresAt: row.expires_at === null ? null : number(row.expires_at),
    version: number(row.version),
    data: text(row.data),
  }
}
