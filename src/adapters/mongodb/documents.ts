import { type Collection, type Db, MongoBulkWriteError } from 'mongodb'
import { UnavailableError } from '../../engine/errors.ts'
import { indexKey } from '../../engine/index-range.ts'
import type {
  CollectionSpec,
  Document,
  DocumentWrite,
  Find,
  FoundDocument,
  SortKey,
  StoredDocument,
} from '../../engine/read-store.ts'
import { isDuplicateKey } from './connection.ts'
import { keyRange, keyText, keyValues } from './index-key.ts'
import type { QueryReads } from './query-reads.ts'

/**
 * How documents are kept in one collection of MongoDB. The body is JSON: it may have any names, and nobody searches in it.
 * Beside it is a key for each index. A tombstone has neither, but says where it was made.
 */
interface Stored {
  readonly _id: string
  readonly position: number
  /** Token of the lease that it was written under, 0 without one. */
  readonly fence: number
  /** Of whom it was written together with: tells a writer which of its writes were done. */
  readonly batch: number
  readonly body?: string
  readonly deletedAt?: number
  readonly shard?: number
  readonly [key: `key${number}`]: string
}

/** A write as it is to be stored. */
export interface Entry {
  readonly expectedPosition: number | undefined
  readonly stored: Stored
  readonly bytes: number
}

interface Change extends Entry {
  readonly expectedPosition: number
}

function isChange(entry: Entry): entry is Change {
  return entry.expectedPosition !== undefined
}

/** Documents and bytes of one command: longer ones keep the server's other clients waiting. */
const maxCommandDocuments = 1_000
const maxCommandBytes = 4_000_000
/** MongoDB takes 16 MiB, with all around it. */
const maxDocumentBytes = 15_000_000
const idsOfOneRead = 5_000

export interface Documents {
  /** The ones of these ids that there are, tombstones included. */
  read(ids: readonly string[], isForWriting: boolean): Promise<ReadonlyMap<string, StoredDocument>>
  find(find: Find): Promise<readonly FoundDocument[]>
  keys(find: Find): Promise<readonly SortKey[]>
  /**
   * Makes ready what is to be written.
   * @param fence token of the document's shard, undefined without leases
   * @throws TypeError for what an index can't hold, and for documents that are too large
   */
  entry(write: DocumentWrite, fence: number | undefined, batch: number): Entry
  /**
   * Writes them, each if the stored document is at its expected position and was not written under a higher token.
   * @returns ids of those that were not written
   */
  write(entries: readonly Entry[], isFenced: boolean): Promise<ReadonlySet<string>>
  /** Removes tombstones below a position. @param shards only of these; of all, if absent */
  sweep(belowPosition: number, shards: readonly number[] | undefined): Promise<number>
  count(): Promise<number>
  makeIndexes(): Promise<void>
}

/**
 * The documents of a collection.
 * @param name of the collection in the database
 */
export function documentsIn(database: Db, name: string, spec: CollectionSpec, queries: QueryReads): Documents {
  const collection = database.collection<Stored>(name)
  const queried = database.collection<Stored>(name, queries.options)
  // Sorted, for the same indexes may be declared in another order later.
  const indexes = Object.entries(spec.indexes)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([index, fields], place) => ({ index, field: `key${place}` as const, fields }))
  const [first] = indexes

  /** What a find asks for, in the order of its index; undefined if that can't be anything. */
  function rangeOf(find: Find) {
    const index = indexes.find((each) => each.index === find.index)
    if (index === undefined) throw new RangeError(`Collection ${spec.name} has no index ${find.index}`)
    const range = keyRange(index.fields, find)
    if (range === undefined || find.limit === 0) return undefined
    const { field } = index
    const sort = { [field]: find.direction === 'descending' ? -1 : 1 } as const
    const paging = { sort, limit: find.limit, batchSize: find.limit }
    return { field, filter: { [field]: { $gte: range.from, $lt: range.before } }, paging }
  }

  return {
    async read(ids, isForWriting) {
      const found = new Map<string, StoredDocument>()
      const from = async (some: readonly string[]) => {
        const filter = { _id: { $in: some } }
        const options = { projection: { position: 1, body: 1 }, batchSize: some.length + 1 }
        if (isForWriting) return collection.find(filter, options).toArray()
        return queries.read((session) => queried.find(filter, { ...options, ...session }).toArray())
      }
      for (let start = 0; start < ids.length; start += idsOfOneRead) {
        const some = ids.slice(start, start + idsOfOneRead)
        for (const { _id: id, position, body } of await from(some))
          found.set(id, { id, position, body: body === undefined ? undefined : parsed(body) })
      }
      return found
    },

    async find(find) {
      const range = rangeOf(find)
      if (range === undefined) return []
      const { field, filter, paging } = range
      const options = { projection: { position: 1, body: 1, [field]: 1 }, ...paging }
      const found = await queries.read((session) => queried.find(filter, { ...options, ...session }).toArray())
      return found.map(({ _id: id, position, body, [field]: key }) => {
        return { id, position, body: parsed(body ?? ''), key: keyValues(key ?? '') }
      })
    },

    async keys(find) {
      const range = rangeOf(find)
      if (range === undefined) return []
      const { field, filter, paging } = range
      const options = { projection: { _id: 0, [field]: 1 }, ...paging }
      const found = await queries.read((session) => queried.find(filter, { ...options, ...session }).toArray())
      return found.map(({ [field]: key }) => keyValues(key ?? ''))
    },

    entry({ id, position, expectedPosition, body, shard = 0 }, fence = 0, batch) {
      const head = { _id: id, position, fence, batch }
      if (body === undefined) return { expectedPosition, stored: { ...head, deletedAt: position, shard }, bytes: 0 }
      const json = JSON.stringify(body)
      const stored: Record<`key${number}`, string> & Stored = { ...head, body: json }
      let bytes = Buffer.byteLength(json)
      for (const { field, fields } of indexes) {
        const key = keyText(indexKey(body, fields, id))
        stored[field] = key
        bytes += key.length * 3
      }
      if (bytes > maxDocumentBytes)
        throw new TypeError(`Document ${id} of ${spec.name} is too large to be stored: it has ${bytes} bytes`)
      return { expectedPosition, stored, bytes }
    },

    async write(entries, isFenced) {
      const missed = new Set<string>()
      for (const command of commandsOf(entries)) {
        const changed = command.filter(isChange)
        const added = command.filter(({ expectedPosition }) => expectedPosition === undefined)
        const both = await Promise.all([insert(collection, added), replace(collection, changed, isFenced)])
        for (const id of both.flat()) missed.add(id)
      }
      return missed
    },

    async sweep(belowPosition, shards) {
      const ofShards = shards && { shard: { $in: [...shards] } }
      const { deletedCount } = await collection.deleteMany({ deletedAt: { $lt: belowPosition }, ...ofShards })
      return deletedCount
    },

    // Every string is above the empty one, and tombstones have none.
    count: () =>
      queries.read((session) => queried.countDocuments({ [first?.field ?? 'body']: { $gte: '' } }, { ...session })),

    async makeIndexes() {
      const declared = indexes.map(({ index, field }) => ({ key: { [field]: 1 }, name: `by ${index}` }) as const)
      await collection.createIndexes([...declared, { key: { deletedAt: 1 }, name: 'tombstones', sparse: true }])
    },
  }
}

function* commandsOf(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let command: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    if (command.length === maxCommandDocuments || (command.length > 0 && bytes + entry.bytes > maxCommandBytes)) {
      yield command
      command = []
      bytes = 0
    }
    command.push(entry)
    bytes += entry.bytes
  }
  if (command.length > 0) yield command
}

/** Writes documents that are expected not to be there. @returns ids of those that are */
async function insert(collection: Collection<Stored>, entries: readonly Entry[]): Promise<readonly string[]> {
  if (entries.length === 0) return []
  try {
    await collection.bulkWrite(
      entries.map(({ stored }) => ({ insertOne: { document: stored } })),
      { ordered: false },
    )
    return []
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failed = [error.writeErrors].flat()
    if (error.result.getWriteConcernError() || failed.length === 0 || !failed.every(isDuplicateKey)) throw error
    return failed.flatMap(({ index }) => entries[index]?.stored._id ?? [])
  }
}

/** Replaces documents. @returns ids of those that are no longer at the expected position, or belong to another by now */
async function replace(
  collection: Collection<Stored>,
  entries: readonly Change[],
  isFenced: boolean,
): Promise<readonly string[]> {
  const [first] = entries
  if (first === undefined) return []
  const { matchedCount } = await collection.bulkWrite(
    entries.map(({ expectedPosition, stored: { _id, ...replacement } }) => {
      const fence = isFenced && { fence: { $lte: replacement.fence } }
      return { replaceOne: { filter: { _id, position: expectedPosition, ...fence }, replacement } }
    }),
    { ordered: false },
  )
  if (matchedCount === entries.length) return []
  const ids = entries.map(({ stored }) => stored._id)
  const { batch } = first.stored
  const written = await collection.find({ _id: { $in: ids }, batch }, { projection: { _id: 1 } }).toArray()
  const done = new Set(written.map(({ _id }) => _id))
  return ids.filter((id) => !done.has(id))
}

function parsed(json: string): Document {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new UnavailableError('generation-corrupt', 'A document in MongoDB is no JSON', 1, { cause: error })
  }
}
