import type { EventStore, RecordedEvent } from './event-store.ts'
import { checkpointName } from './process-runner.ts'

/** The checkpoints of process managers in another log, where the same events have other positions. */

/** A log, and among how many hash shards each of its process managers can be divided there. */
export interface ShardedLog {
  readonly store: EventStore
  /** 1 where one process alone runs all of them. */
  readonly shards: number
  /** Takes the lease on a shard of a manager, so that what is saved under its token counts; absent where there are no leases. */
  readonly takeLease?: (manager: string, shard: number) => Promise<number>
}

/** Where a place of a manager is kept: of all of it if there is no shard. */
interface Kept {
  readonly name: string
  readonly shard?: number
}

/** The names under which a manager's place may be kept: in one piece, or together in shards. */
function waysToKeep(manager: string, shards: number): readonly (readonly Kept[])[] {
  const whole = [{ name: checkpointName(manager) }]
  if (shards === 1) return [whole]
  return [whole, Array.from({ length: shards }, (_, shard) => ({ name: checkpointName(manager, shard), shard }))]
}

async function reached({ logId, loadCheckpoint }: EventStore, name: string): Promise<number> {
  const checkpoint = await loadCheckpoint(name)
  return checkpoint?.logId === logId ? checkpoint.position : 0
}

export interface MovedCheckpoint {
  readonly manager: string
  /** In the source: everything up to here has been reacted to, by all of the manager's shards. */
  readonly from: number
  /** The place in the target that means the same. */
  readonly position: number
  readonly eventId: string
}

export interface CheckpointMove {
  /** Takes note of where an event is in both logs; to be told of all events in order. */
  note(source: RecordedEvent, target: RecordedEvent): void
  /** The checkpoints' places in the target, after everything was noted. */
  moved(): readonly MovedCheckpoint[]
}

/** Reads how far the process managers of a log are. One that has no checkpoint begins at the start, and so it will elsewhere. */
export async function checkpointMove(
  { store, shards }: ShardedLog,
  managers: readonly string[],
): Promise<CheckpointMove> {
  const moved: MovedCheckpoint[] = []
  /** In order of their positions; the first ones are behind the last event that was noted. */
  const ahead: MovedCheckpoint[] = []
  for (const manager of managers) {
    // Of shards the last one counts. Of the ways to keep it the furthest: each says that everything before it is done.
    const places = waysToKeep(manager, shards).map(async (way) =>
      Math.min(...(await Promise.all(way.map(({ name }) => reached(store, name))))),
    )
    ahead.push({ manager, from: Math.max(...(await Promise.all(places))), position: 0, eventId: '' })
  }
  ahead.sort((one, other) => one.from - other.from)
  let last = { position: 0, eventId: '' }

  return {
    note(source, target) {
      for (let next = ahead[0]; next !== undefined && next.from < source.position; next = ahead[0]) {
        moved.push({ ...next, ...last })
        ahead.shift()
      }
      last = { position: target.position, eventId: target.id }
    },
    moved: () => [...moved, ...ahead.map((checkpoint) => ({ ...checkpoint, ...last }))],
  }
}

/**
 * Saves checkpoints that have been moved, in every way that they may be kept. One that is further on stays as it is: what was
 * reacted to is in both logs.
 * @throws Error when the log does not keep one
 */
export async function saveMoved(
  { store, shards, takeLease }: ShardedLog,
  checkpoints: readonly MovedCheckpoint[],
): Promise<void> {
  for (const { manager, position, eventId } of checkpoints) {
    for (const { name, shard } of waysToKeep(manager, shards).flat()) {
      if ((await reached(store, name)) >= position) continue
      const fence = shard === undefined ? 0 : ((await takeLease?.(manager, shard)) ?? 0)
      await store.saveCheckpoint(name, { logId: store.logId, position, eventId }, fence)
      if ((await reached(store, name)) < position) {
        throw new Error(
          `The target does not keep the checkpoint of ${name}. Stop all Daybook processes that use it, and run the same command again.`,
        )
      }
    }
  }
}
