import type { Db } from 'mongodb'
import { FencedError, UnavailableError } from '../../engine/errors.ts'
import type { Checkpoint } from '../../engine/event-store.ts'
import type { Fences } from '../../engine/read-store.ts'
import type { QueryReads } from './query-reads.ts'

/** Of one hash shard of a generation. */
interface StoredShard {
  readonly _id: number
  /** The highest token that it was opened with. */
  readonly fence: number
  /** Below 0 as long as there is no checkpoint. */
  readonly position: number
  readonly logId: string
  readonly eventId: string
}

export interface Shards {
  /** Makes them, for a generation that is made. */
  make(): Promise<void>
  /**
   * Refuses from now on whoever has lower tokens.
   * @throws FencedError when another has a higher one
   */
  raise(): Promise<void>
  /**
   * Looks whether all shards are still held and there.
   * @throws FencedError when another holds one of them
   * @throws UnavailableError when the generation was dropped
   */
  ensureHeld(): Promise<void>
  /** Looks only whether they are there, for readers. @throws UnavailableError when the generation was dropped */
  ensureThere(): Promise<void>
  /** Moves the checkpoint of the shards that are held, never back. Throws as `ensureHeld`. */
  save(checkpoint: Checkpoint): Promise<void>
  /** The one that is the furthest back. Throws UnavailableError when the generation was dropped. */
  load(isForWriting: boolean): Promise<Checkpoint | undefined>
  /** Those of all shards, from the primary. */
  loadAll(): Promise<readonly (Checkpoint | undefined)[]>
}

/**
 * The checkpoints and fences of a generation: a document for each shard, in a collection that is the first to go when the
 * generation is dropped.
 * @param count of all shards
 * @param fences the shards that are held; undefined for all, without leases
 */
export function shardsOf(
  database: Db,
  id: string,
  count: number,
  fences: Fences | undefined,
  queries: QueryReads,
): Shards {
  const collection = database.collection<StoredShard>(`${id}.shards`)
  const queried = database.collection<StoredShard>(`${id}.shards`, queries.options)
  const held = fences ? [...fences.keys()] : Array.from({ length: count }, (_, shard) => shard)
  const isHeld = { _id: { $in: held } }
  for (const shard of held) {
    if (!Number.isInteger(shard) || shard < 0 || shard >= count)
      throw new RangeError(`Generation ${id} has no shard ${shard}`)
  }

  function ensureFound(shards: number, of: number): void {
    if (shards < of) throw new UnavailableError('generation-dropped', `Generation ${id} was dropped`)
  }

  async function ensureHeld(): Promise<void> {
    const shards = await collection.find(isHeld).toArray()
    ensureFound(shards.length, held.length)
    const lost = shards.find(({ _id, fence }) => fence > (fences?.get(_id) ?? Number.POSITIVE_INFINITY))
    if (lost) throw new FencedError(`Shard ${lost._id} of generation ${id} is held by another`)
  }

  /** Changes each shard that is held and that the filter lets through; if not all are, somebody may be ahead. */
  async function update(filter: object, change: (shard: number) => object): Promise<void> {
    const { matchedCount } = await collection.bulkWrite(
      held.map((shard) => {
        const token = fences?.get(shard)
        const fenced = token !== undefined && { fence: { $lte: token } }
        return { updateOne: { filter: { _id: shard, ...fenced, ...filter }, update: { $set: change(shard) } } }
      }),
      { ordered: false },
    )
    if (matchedCount < held.length) await ensureHeld()
  }

  return {
    async make() {
      await collection.insertMany(held.map((shard) => ({ _id: shard, fence: 0, position: -1, logId: '', eventId: '' })))
    },

    async raise() {
      if (fences === undefined) return
      await ensureHeld()
      await update({}, (shard) => ({ fence: fences.get(shard) }))
    },

    ensureHeld,

    async ensureThere() {
      const shard = await collection.findOne({}, { readPreference: 'primaryPreferred' })
      ensureFound(shard === null ? 0 : 1, 1)
    },

    async save({ position, logId, eventId }) {
      await update({ position: { $lte: position } }, () => ({ position, logId, eventId }))
    },

    async load(isForWriting) {
      const shards = await (isForWriting
        ? collection.find(isHeld).toArray()
        : queries.look((session) => queried.find(isHeld, { ...session }).toArray()))
      ensureFound(shards.length, held.length)
      return checkpointOf(shards.reduce((one, other) => (one.position <= other.position ? one : other)))
    },

    async loadAll() {
      const shards = await collection.find().toArray()
      ensureFound(shards.length, count)
      return shards.map(checkpointOf)
    },
  }
}

function checkpointOf({ position, logId, eventId }: StoredShard): Checkpoint | undefined {
  return position < 0 ? undefined : { position, logId, eventId }
}
