import { randomInt } from 'node:crypto'
import type { Db } from 'mongodb'
import type { DocumentKey, Fences, Generation, ProjectionSpec, StoredDocument } from '../../engine/read-store.ts'
import { guarded } from './connection.ts'
import { type Documents, documentsIn, type Entry } from './documents.ts'
import type { QueryReads } from './query-reads.ts'
import { shardsOf } from './shards.ts'

/** One generation: a collection of MongoDB for each of its collections, and one of its shards. All their names begin with its id. */

/** Older generations are not upgraded, but built anew. */
export const generationLayout = 1

export interface GenerationOptions {
  readonly database: Db
  readonly id: string
  readonly spec: ProjectionSpec
  /** Hash shards that it is divided into. */
  readonly shards: number
  /** The ones that are written, with their tokens; undefined without leases. */
  readonly fences: Fences | undefined
  /** How queries read; what was seen of another generation does not count for this one. */
  readonly queries: QueryReads
  /** Whether what is read from now on is for writing, which otherwise shows by the first write. */
  readonly isWriter: boolean
}

/** Names of the collections that a generation is made of, in the order in which they are dropped. */
export function collectionNames(id: string, spec: ProjectionSpec): readonly string[] {
  return [`${id}.shards`, ...spec.collections.map(({ name }) => documentsName(id, name))]
}

function documentsName(id: string, collection: string): string {
  return `${id}.documents.${collection}`
}

/**
 * Opens a generation that is there. What is read for writing comes from the primary, as it survives the loss of one, and
 * what is written is there for good when it resolves. Documents are written first, then the checkpoint, without transactions:
 * each write's filter says what it expects.
 */
export function generationIn(
  options: GenerationOptions,
): Generation & { make(): Promise<void>; raise(): Promise<void> } {
  const { database, id, spec, fences, queries } = options
  const shards = shardsOf(database, id, options.shards, fences, queries)
  const collections = new Map(
    spec.collections.map((each) => [each.name, documentsIn(database, documentsName(id, each.name), each, queries)]),
  )
  let isWriter = options.isWriter

  function documentsOf(collection: string): Documents {
    const documents = collections.get(collection)
    if (documents === undefined) throw new RangeError(`Projection ${spec.name} has no collection ${collection}`)
    return documents
  }

  /** What is in no collection may be in one that was dropped meanwhile: then that nothing was found means nothing. */
  async function unlessDropped<Found extends { readonly length: number }>(found: Found): Promise<Found> {
    if (found.length === 0) await shards.ensureThere()
    return found
  }

  async function makeIndexes(): Promise<void> {
    for (const documents of collections.values()) await documents.makeIndexes()
  }

  return {
    id,
    spec,

    make: () =>
      guarded(async () => {
        await shards.make()
        await makeIndexes()
      }),

    raise: () => guarded(shards.raise),

    read: (keys) =>
      guarded(async () => {
        const groups = [...Map.groupBy(keys, ({ collection }) => documentsOf(collection))]
        const read = await Promise.all(
          groups.map(async ([documents, group]) => {
            const ids = new Set(group.map((key) => key.id))
            return [documents, await documents.read([...ids], isWriter)] as const
          }),
        )
        const found = new Map<Documents, ReadonlyMap<string, StoredDocument>>(read)
        if (keys.length > 0) await unlessDropped(read.flatMap(([, documents]) => [...documents.keys()]))
        return keys.map((key) => found.get(documentsOf(key.collection))?.get(key.id))
      }),

    find: (find) => guarded(async () => unlessDropped(await documentsOf(find.collection).find(find))),

    keys: (find) => guarded(async () => unlessDropped(await documentsOf(find.collection).keys(find))),

    write: (writes, checkpoint) =>
      guarded(async () => {
        isWriter = true
        const batch = randomInt(2 ** 48 - 1)
        const entries = new Map<Documents, Entry[]>()
        // All are made before the first is written, so that one that can't be leaves everything as it was.
        for (const write of writes) {
          const documents = documentsOf(write.collection)
          const fence = fences && tokenOf(fences, write.shard ?? 0)
          const made = documents.entry(write, fence, batch)
          const known = entries.get(documents)
          if (known) known.push(made)
          else entries.set(documents, [made])
        }
        if (fences) await shards.ensureHeld()
        const missed = new Map<Documents, ReadonlySet<string>>(
          await Promise.all(
            Array.from(entries, async ([documents, made]) => {
              return [documents, await documents.write(made, fences !== undefined)] as const
            }),
          ),
        )
        const keys: DocumentKey[] = writes
          .filter(({ collection, id: document }) => missed.get(documentsOf(collection))?.has(document))
          .map(({ collection, id: document }) => ({ collection, id: document }))
        if (keys.length === 0) await shards.save(checkpoint)
        return keys
      }),

    checkpoint: () => guarded(() => shards.load(isWriter)),

    checkpoints: () => guarded(shards.loadAll),

    // What was written is kept already.
    async flush() {},

    makeIndexes: () => guarded(makeIndexes),

    sweep: (belowPosition) =>
      guarded(async () => {
        const held = fences && [...fences.keys()]
        const swept = await Promise.all(
          Array.from(collections.values(), (documents) => documents.sweep(belowPosition, held)),
        )
        return swept.reduce((sum, each) => sum + each, 0)
      }),

    count: (collection) =>
      guarded(async () => {
        const count = await documentsOf(collection).count()
        if (count === 0) await shards.ensureThere()
        return count
      }),

    async close() {},
  }
}

/** @throws RangeError for a shard that is not held: nothing would keep its new holder's documents from being overwritten */
function tokenOf(fences: Fences, shard: number): number {
  const token = fences.get(shard)
  if (token === undefined) throw new RangeError(`Shard ${shard} is written, but not held`)
  return token
}
