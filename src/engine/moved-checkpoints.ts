import type { EventStore, RecordedEvent } from './event-store.ts'

/** The checkpoints of process managers in another log, where the same events have other positions. */

/** A log, and among how many hash shards each of its process managers is divided. */
export interface ShardedLog {
  readonly store: EventStore
  readonly shards: number
}

/** Names of a process manager's checkpoints: its own where it is in one piece, else one for each shard. */
export function checkpointNames(manager: string, shards: number): readonly string[] {
  return shards === 1 ? [manager] : Array.from({ length: shards }, (_, shard) => `${manager}/${shard}`)
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
    const positions = await Promise.all(
      checkpointNames(manager, shards).map(async (name) => {
        const checkpoint = await store.loadCheckpoint(name)
        return checkpoint?.logId === store.logId ? checkpoint.position : 0
      }),
    )
    ahead.push({ manager, from: Math.min(...positions), position: 0, eventId: '' })
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
 * Saves checkpoints that have been moved, for each shard. One that is further on stays as it is: what was reacted to is in both logs.
 * @throws Error when the log does not keep one
 */
export async function saveMoved({ store, shards }: ShardedLog, checkpoints: readonly MovedCheckpoint[]): Promise<void> {
  const { logId } = store
  const reached = async (name: string) => {
    const present = await store.loadCheckpoint(name)
    return present?.logId === logId ? present.position : 0
  }
  for (const { manager, position, eventId } of checkpoints) {
    for (const name of checkpointNames(manager, shards)) {
      if ((await reached(name)) >= position) continue
      await store.saveCheckpoint(name, { logId, position, eventId })
      if ((await reached(name)) < position) {
        throw new Error(
          `The target does not keep the checkpoint of ${name}. Stop all Daybook processes that use it, and run the same command again.`,
        )
      }
    }
  }
}
