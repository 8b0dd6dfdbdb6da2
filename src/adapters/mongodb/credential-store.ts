import type { Filter } from 'mongodb'
import type { Credential, CredentialStore } from '../../engine/credential-store.ts'
import { guarded, type MongoConnection } from './connection.ts'
import { orDuplicate } from './upsert.ts'

interface CredentialDocument extends Credential {
  /** Kind and id. */
  readonly _id: string
}

const entriesOfBatch = 500
const restoreTries = 3

/**
 * The credentials in the database of the keys, `<database>_keys`, so that both are backed up together. MongoDB does not
 * overwrite what is deleted: it is gone from the collection at once, but from the oplog, the journal and freed pages only as
 * these are used again, and from backups as they expire.
 * @param connection closed by who opened it
 */
export function mongoCredentialStore({
  database,
  databaseNamed,
}: Pick<MongoConnection, 'database' | 'databaseNamed'>): CredentialStore {
  const credentials = databaseNamed(`${database.databaseName}_keys`).collection<CredentialDocument>('credentials')
  let indexed: Promise<void> | undefined

  /** Before anything is written for the first time: a database that is only looked at stays as it is. */
  async function createIndexes(): Promise<void> {
    await credentials.createIndex({ owner: 1, kind: 1, id: 1 })
    await credentials.createIndex({ expiresAt: 1 })
  }

  /** Runs what writes. */
  function writing<Result>(run: () => Promise<Result>): Promise<Result> {
    return guarded(async () => {
      indexed ??= createIndexes()
      await indexed.catch((error: unknown) => {
        indexed = undefined
        throw error
      })
      return await run()
    })
  }

  async function write(credential: Credential): Promise<boolean> {
    const _id = idOf(credential)
    if (credential.version === 1) {
      return (await orDuplicate(credentials.insertOne({ _id, ...credential }))) !== undefined
    }
    const { matchedCount } = await credentials.replaceOne({ _id, version: credential.version - 1 }, credential)
    return matchedCount === 1
  }

  async function present(entries: readonly Credential[]): Promise<ReadonlyMap<string, number>> {
    const found = await credentials.find({ _id: { $in: entries.map(idOf) } }).toArray()
    return new Map(found.map(({ _id, version }) => [_id, version]))
  }

  /** Puts an entry in the place of what is there. @returns false when that has changed meanwhile */
  async function replace(entry: Credential, version: number | undefined): Promise<boolean> {
    const _id = idOf(entry)
    if (version === undefined) return (await orDuplicate(credentials.insertOne({ _id, ...entry }))) !== undefined
    return (await credentials.replaceOne({ _id, version }, entry)).matchedCount === 1
  }

  return {
    find: (kind, id) =>
      guarded(async () => {
        const found = await credentials.findOne({ _id: idOf({ kind, id }) })
        return found === null ? undefined : credentialOf(found)
      }),

    write: (credential) => writing(() => write(credential)),

    remove: (kind, id) =>
      guarded(async () => {
        await credentials.deleteOne({ _id: idOf({ kind, id }) })
      }),

    ofOwner: (kind, owner, limit) =>
      guarded(async () =>
        (await credentials.find({ owner, kind }, { sort: { id: 1 }, limit }).toArray()).map(credentialOf),
      ),

    forget: (owner) =>
      guarded(async () => {
        await credentials.deleteMany({ owner })
      }),

    sweep: (nowMs, limit) =>
      guarded(async () => {
        const expired: Filter<CredentialDocument> = { expiresAt: { $ne: null, $lte: nowMs } }
        const found = await credentials.find(expired, { sort: { expiresAt: 1 }, limit }).toArray()
        if (found.length === 0) return 0
        // What was written anew meanwhile stays.
        const { deletedCount } = await credentials.deleteMany({ ...expired, _id: { $in: found.map(({ _id }) => _id) } })
        return deletedCount
      }),

    async *entries() {
      for (let last: string | undefined; ; ) {
        const further: Filter<CredentialDocument> = last === undefined ? {} : { _id: { $gt: last } }
        const found = await guarded(() =>
          credentials.find(further, { sort: { _id: 1 }, limit: entriesOfBatch }).toArray(),
        )
        last = found.at(-1)?._id
        if (last === undefined) return
        yield found.map(credentialOf)
      }
    },

    restore: (entries) =>
      writing(async () => {
        let left = entries
        for (let tries = 0; tries < restoreTries; tries++) {
          const versions = await present(left)
          const older = left.filter((entry) => (versions.get(idOf(entry)) ?? 0) < entry.version)
          const replaced = await Promise.all(older.map((entry) => replace(entry, versions.get(idOf(entry)))))
          left = older.filter((_, index) => replaced[index] === false)
          if (left.length === 0) return
        }
        throw new Error('Others change the credentials that are restored: stop what uses them, and restore again')
      }),

    async close() {},
  }
}

function idOf({ kind, id }: Pick<Credential, 'kind' | 'id'>): string {
  return `${kind} ${id}`
}

function credentialOf({ kind, id, owner, expiresAt, version, data }: CredentialDocument): Credential {
  return { kind, id, owner, expiresAt, version, data }
}
