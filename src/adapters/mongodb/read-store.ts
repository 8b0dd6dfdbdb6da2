import { UnavailableError } from '../../engine/errors.ts'
import { generationFingerprint } from '../../engine/generation-fingerprint.ts'
import type { Generation, ProjectionSpec, ReadStore } from '../../engine/read-store.ts'
import { guarded, type MongoConnection } from './connection.ts'
import { collectionNames, type GenerationOptions, generationIn, generationLayout } from './generation.ts'
import { generationOfCollection, pointerCollection, pointersIn } from './pointers.ts'
import { type QuerySettings, queryReads } from './query-reads.ts'
import { snapshotCollection, snapshotsIn } from './snapshots.ts'

export interface MongoReadStoreOptions {
  readonly connection: MongoConnection
  /** By default as the projector: from the primary, what survives the loss of one. */
  readonly queries?: QuerySettings
  /** Told of what could not be tidied up, sharded or kept, and is not needed. */
  readonly onError?: (error: unknown) => void
}

/** Whoever makes a generation is done by then, or is no more. */
const longestMakingMs = 3_600_000

/**
 * Opens the read models in a database of MongoDB, which others may use as well: a collection for each one of each generation,
 * one that says which they are, and one of snapshots. Closing it leaves the connection open.
 */
export async function openMongoReadStore(options: MongoReadStoreOptions): Promise<ReadStore> {
  const { connection, queries: settings = {}, onError = () => {} } = options
  const { database } = connection
  const pointers = pointersIn(database)
  const snapshots = snapshotsIn(database, onError)

  /** Divides collections by their ids, where the deployment is sharded. It also works, if worse, where that is refused. */
  async function shardCollections(names: readonly string[]): Promise<void> {
    if (!connection.isSharded()) return
    const admin = connection.databaseNamed('admin')
    for (const name of names) {
      const command = { shardCollection: `${database.databaseName}.${name}`, key: { _id: 'hashed' } }
      await admin.command(command).catch(onError)
    }
  }

  async function collections(): Promise<readonly string[]> {
    const found = await database.listCollections({}, { nameOnly: true }).toArray()
    return found.map(({ name }) => name)
  }

  /** Drops what a generation is made of; its shards first, by which readers notice it. */
  async function dropCollections(names: readonly string[]): Promise<void> {
    const isOfShards = (name: string) => name.endsWith('.shards') && !name.includes('.documents.')
    for (const name of names.filter(isOfShards)) await database.dropCollection(name)
    for (const name of names.filter((each) => !isOfShards(each))) await database.dropCollection(name)
  }

  /** Drops what a crash has left: collections without a pointer, and generations that were not made to the end. */
  async function dropOrphans(): Promise<void> {
    // A pointer is there before its collections are: what has none after those were listed will have none.
    const found = await collections()
    const known = new Set<string>()
    for (const { id, isReady, madeAt } of await pointers.all()) {
      if (isReady || Date.now() - madeAt < longestMakingMs) known.add(id)
      else await pointers.remove(id)
    }
    await dropCollections(
      found.filter((name) => {
        const id = generationOfCollection(name)
        return id !== undefined && !known.has(id)
      }),
    )
  }

  function open(opened: Pick<GenerationOptions, 'id' | 'spec' | 'shards' | 'fences' | 'isWriter'>) {
    return generationIn({ database, queries: queryReads(database, settings, connection.isReplicated), ...opened })
  }

  async function createGeneration(spec: ProjectionSpec, shards = 1): Promise<Generation> {
    if (!Number.isSafeInteger(shards) || shards < 1) throw new RangeError('A generation has one shard or more')
    const id = await pointers.add(spec, shards, generationFingerprint(spec, generationLayout))
    await shardCollections(collectionNames(id, spec))
    const generation = open({ id, spec, shards, fences: undefined, isWriter: true })
    await generation.make()
    if (!(await pointers.setReady(id)))
      throw new UnavailableError('generation-dropped', `Generation ${id} was dropped while it was made`)
    return generation
  }

  try {
    await dropOrphans()
    if (connection.isSharded()) {
      const admin = connection.databaseNamed('admin')
      await admin.command({ enableSharding: database.databaseName }).catch(onError)
    }
    await shardCollections([pointerCollection, snapshotCollection])
  } catch (error) {
    onError(error) // the next start tidies up
  }

  return {
    generations: () =>
      guarded(async () =>
        (await pointers.all())
          .filter(({ isReady }) => isReady)
          .map(({ id, projection, version, state, shards }) => ({ id, projection, version, state, shards })),
      ),

    createGeneration: (spec, shards) => guarded(() => createGeneration(spec, shards)),

    // Indexes are made with it all the same: on documents that are there already they take long.
    createGenerationToFill: (spec, shards) => guarded(() => createGeneration(spec, shards)),

    openGeneration: (id, spec, fences) =>
      guarded(async () => {
        const pointer = await pointers.get(id)
        if (!pointer?.isReady || pointer.fingerprint !== generationFingerprint(spec, generationLayout)) return undefined
        const generation = open({
          id,
          spec,
          shards: pointer.shards,
          fences,
          isWriter: fences !== undefined || pointer.state === 'building',
        })
        await generation.raise()
        return generation
      }),

    makeLive: (id) =>
      guarded(async () => {
        if (!(await pointers.makeLive(id))) throw new RangeError(`There is no generation ${id}`)
      }),

    dropGeneration: (id) =>
      guarded(async () => {
        if (!(await pointers.remove(id))) throw new RangeError(`Generation ${id} is live`)
        await dropCollections((await collections()).filter((name) => generationOfCollection(name) === id))
      }),

    loadSnapshot: (stream) => snapshots.load(stream),
    saveSnapshot: (snapshot) => snapshots.save(snapshot),
    async close() {},
  }
}
