import type { Checkpoint, EventBatch, EventStore } from './event-store.ts'
import type { Recorded } from './events.ts'
import { type Projection, specOf } from './projection.ts'
import { project } from './projector.ts'
import type { Generation, ReadStore } from './read-store.ts'

/** A generation that follows the log. */
export interface Follower {
  readonly generation: Generation
  /** Everything up to here is in it. */
  position: number
  /** The checkpoint that is written, which lags behind while no event concerns the projection. */
  savedPosition: number
  /** The checkpoint that was there at the last flush: further back nothing can fall. */
  flushedPosition: number
  /** Where the tombstones were last swept. */
  sweptPosition: number
  /** Something was written that is not flushed yet. */
  unflushed: boolean
}

const checkpointEvery = 1_000
/** Often, so that each sweep has little to do. */
const sweepEvery = 1_000
/** No writer is ever so far behind the stored checkpoint that it would need a tombstone from before. */
const tombstonesKept = 10_000

/** Follows the log with a generation from a place on. */
export function followerAt(generation: Generation, position: number): Follower {
  return {
    generation,
    position,
    savedPosition: position,
    flushedPosition: position,
    sweptPosition: position,
    unflushed: false,
  }
}

async function isOfThisLog(store: EventStore, checkpoint: Checkpoint): Promise<boolean> {
  if (checkpoint.logId !== store.logId) return false
  return checkpoint.position === 0 || (await store.eventAt(checkpoint.position))?.id === checkpoint.eventId
}

/** Opens a generation where it left off; undefined if it can't be opened or was made from another log. */
export async function openFollower(
  store: EventStore,
  readStore: ReadStore,
  id: string,
  definition: Projection,
): Promise<Follower | undefined> {
  const generation = await readStore.openGeneration(id, specOf(definition))
  if (!generation) return undefined
  const checkpoint = await generation.checkpoint()
  if (checkpoint && !(await isOfThisLog(store, checkpoint))) {
    await generation.close()
    return undefined
  }
  return followerAt(generation, checkpoint?.position ?? 0)
}

/**
 * Folds a batch into a follower; what it has already seen is skipped.
 * @param to the batch that the events are of, whose end becomes the follower's place
 * @throws PoisonEventError as `project`
 */
export async function advance(
  logId: string,
  definition: Projection,
  follower: Follower,
  events: readonly Recorded[],
  to: EventBatch,
): Promise<void> {
  if (to.position <= follower.position) return
  const matching = events.filter((event) => event.position > follower.position && definition.types.has(event.type))
  if (matching.length > 0 || to.position - follower.savedPosition >= checkpointEvery) {
    const { position, eventId } = to
    follower.unflushed = true
    try {
      await project(definition, follower.generation, matching, { logId, position, eventId })
      follower.savedPosition = position
      if (position - follower.sweptPosition >= sweepEvery) {
        await follower.generation.sweep(position - tombstonesKept)
        follower.sweptPosition = position
      }
    } catch (error) {
      await goBack(follower)
      throw error
    }
  }
  follower.position = to.position
}

/** Keeps what a follower has written, should the process die. Throws as the generation's `flush`; the follower is then where its checkpoint is. */
export async function flush(follower: Follower): Promise<void> {
  if (!follower.unflushed) return
  follower.unflushed = false
  const { savedPosition } = follower
  try {
    await follower.generation.flush()
    follower.flushedPosition = savedPosition
  } catch (error) {
    await goBack(follower)
    throw error
  }
}

/** A write that failed may have taken those before it along, or have been done in part: what is there says how far it has come. */
async function goBack(follower: Follower): Promise<void> {
  const checkpoint = await follower.generation.checkpoint().catch(() => undefined)
  follower.position = checkpoint?.position ?? follower.flushedPosition
  follower.savedPosition = follower.position
  follower.sweptPosition = Math.min(follower.sweptPosition, follower.position)
}

/** Stores the follower's place and lets go of its generation. */
export async function closeFollower(
  store: EventStore,
  { generation, position, savedPosition }: Follower,
): Promise<void> {
  if (position > savedPosition) {
    const event = await store.eventAt(position)
    if (event) await generation.write([], { logId: store.logId, position, eventId: event.id })
  }
  await generation.close()
}

/**
 * Passes over an event that a projection fails on. What is before it has to be in the follower.
 * @throws as the generation's `write`
 */
export async function passOver(logId: string, follower: Follower, { position, id }: Recorded): Promise<void> {
  await follower.generation.write([], { logId, position, eventId: id })
  follower.position = position
  follower.savedPosition = position
  follower.unflushed = true
}
