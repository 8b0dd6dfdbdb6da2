import type { Checkpoint, EventBatch, EventStore } from './event-store.ts'
import type { Recorded } from './events.ts'
import { type Projection, specOf } from './projection.ts'
import { project } from './projector.ts'
import type { Generation, ReadStore } from './read-store.ts'
import type { Part } from './shards.ts'
import { apart, traced } from './tracing.ts'

/** A generation that follows the log. */
export interface Follower {
  readonly generation: Generation
  /** The hash shards that it folds; undefined for all. */
  readonly part: Part | undefined
  /** Everything up to here is in it. */
  position: number
  /** Events that were folded into it here. */
  folded: number
  /** The checkpoint that is written, which lags behind while no event concerns the projection. */
  savedPosition: number
  /** The checkpoint that was there at the last flush: further back nothing can fall. */
  flushedPosition: number
  /** Events since then. */
  unsaved: number
  /** Events since the last of the marks. */
  unmarked: number
  /** Places so many events apart, the oldest first: behind the first of them tombstones are swept. */
  readonly marks: number[]
  /** Something was written that is not flushed yet. */
  unflushed: boolean
}

/** Events of no concern after which the place is written all the same. */
const checkpointEvery = 1_000
/** Events after which a sweep comes: often, so that each has little to do. */
const sweepEvery = 1_000
/** No writer is ever so many sweeps behind that it would need a tombstone from before. Where there are others, one may have been paused. */
const sweepsKept = { alone: 10, shared: 100 }

/** Follows the log with a generation from a place on. */
export function followerAt(generation: Generation, position: number, part?: Part): Follower {
  return {
    generation,
    part,
    position,
    folded: 0,
    savedPosition: position,
    flushedPosition: position,
    unsaved: 0,
    unmarked: 0,
    marks: [],
    unflushed: false,
  }
}

async function isOfThisLog(store: EventStore, { logId, position, eventId }: Checkpoint): Promise<boolean> {
  if (logId !== store.logId) return false
  if (position === 0) return true
  // Asked again before all that was built is thrown away.
  return (await store.eventAt(position))?.id === eventId || (await store.eventAt(position))?.id === eventId
}

/** Whether all of a generation was made from this log: a restored one may not hold what only some of its shards have seen. */
async function isAllOfThisLog(store: EventStore, generation: Generation): Promise<boolean> {
  const kept = (await generation.checkpoints()).filter((checkpoint) => checkpoint !== undefined)
  const distinct = new Map(kept.map((checkpoint) => [`${checkpoint.logId} ${checkpoint.position}`, checkpoint]))
  for (const checkpoint of distinct.values()) if (!(await isOfThisLog(store, checkpoint))) return false
  return true
}

/**
 * Opens a generation where it left off; undefined if it can't be opened or was made from another log.
 * @param part the hash shards that are folded; all if absent
 * @throws FencedError when another holds one of the shards by now
 */
export async function openFollower(
  store: EventStore,
  readStore: ReadStore,
  id: string,
  definition: Projection,
  part?: Part,
): Promise<Follower | undefined> {
  const generation = await readStore.openGeneration(id, specOf(definition), part?.fences)
  if (!generation) return undefined
  if (!(await isAllOfThisLog(store, generation))) {
    await generation.close()
    return undefined
  }
  const checkpoint = await generation.checkpoint()
  return followerAt(generation, checkpoint?.position ?? 0, part)
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
  follower.unsaved += events.length
  if (matching.length > 0 || follower.unsaved >= checkpointEvery) {
    const { position, eventId } = to
    follower.unflushed = true
    try {
      const place = { logId, position, eventId }
      await traced(
        `project ${definition.name}`,
        () => ({
          parent: apart,
          attributes: { 'messaging.batch.message_count': matching.length, 'daybook.position': position },
          alsoFor: matching.map(({ metadata }) => metadata.correlationId),
        }),
        () => project(definition, follower.generation, matching, place, follower.part),
      )
      saved(follower, position)
      await sweep(follower, events.length, position)
    } catch (error) {
      await goBack(follower)
      throw error
    }
  }
  follower.position = to.position
  follower.folded += matching.length
}

/** Removes the tombstones that no writer can need any more. */
async function sweep(follower: Follower, events: number, position: number): Promise<void> {
  const { generation, marks, part } = follower
  follower.unmarked += events
  if (follower.unmarked < sweepEvery) return
  follower.unmarked = 0
  marks.push(position)
  if (marks.length <= (part ? sweepsKept.shared : sweepsKept.alone)) return
  const below = marks.shift()
  if (below !== undefined) await generation.sweep(below)
}

/** Writes a follower's place where nothing else has written it, for readers in other processes. Throws as the generation's `write`. */
export async function savePlace(logId: string, follower: Follower, eventId: string): Promise<void> {
  const { generation, position } = follower
  if (position <= follower.savedPosition) return
  await generation.write([], { logId, position, eventId })
  saved(follower, position)
}

function saved(follower: Follower, position: number): void {
  follower.savedPosition = position
  follower.unsaved = 0
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
  follower.marks.length = 0
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
  saved(follower, position)
  follower.unflushed = true
}
