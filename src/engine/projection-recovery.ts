import type { Clock } from './clock.ts'
import { PreconditionError, UnavailableError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import { type Follower, passOver } from './follower.ts'
import type { Joining } from './joining.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import type { Running } from './projection-status.ts'
import { PoisonEventError } from './projector.ts'
import type { Rebuilds } from './rebuilds.ts'

/** What becomes of a read model that could not go on. */
export interface ProjectionRecovery {
  /**
   * Takes a read model out of those that follow the log. One that an event has stopped waits for an operator, one that is damaged
   * is built anew, any other tries again by itself.
   */
  stop(running: Running, error: unknown): void
  /** Lets one go on from where it was, apart from the others until it is where they are. */
  catchUp(running: Running, live: Follower): void
  /**
   * Lets one go on behind the event that has stopped it.
   * @throws PreconditionError when none has
   */
  skipPoison(running: Running): Promise<void>
  /** Does something with the generation that was live before, if there is one. What goes wrong with it is no trouble of the live one. */
  withRetired(running: Running, run: (retired: Follower) => Promise<void>): Promise<void>
}

export interface ProjectionRecoveryOptions extends Joining, Pick<Rebuilds, 'drop' | 'buildMissing'> {
  readonly logId: EventStore['logId']
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Runs while nothing is folded. */
  readonly exclusive: OneAtATime['run']
  readonly onFailure: (error: unknown, projection: string) => void
}

const shortestRestMs = 500
const longestRestMs = 30_000

/** Whether a generation can't be read any more, and counts as not there. */
export function isDamaged(error: unknown): boolean {
  return error instanceof UnavailableError && error.code === 'generation-corrupt'
}

export function projectionRecovery(options: ProjectionRecoveryOptions): ProjectionRecovery {
  const { logId, clock, signal, exclusive, join, reach, drop, buildMissing, onFailure } = options

  function dropRetired(running: Running): void {
    const { retired } = running
    delete running.retired
    if (retired) drop(retired).catch((error: unknown) => onFailure(error, running.definition.name))
  }

  /** @param failures tries before this one that have failed */
  function catchUp(running: Running, live: Follower, failures: number): void {
    running.isBehind = true
    const isReplaced = () => running.live !== live || signal.aborted
    join(running, live, () => {
      if (isReplaced()) return
      delete running.isBehind
      delete running.failure
      running.waiters.reached(live.position)
    }).catch((error: unknown) => {
      if (!isReplaced()) stop(running, error, failures + 1)
    })
  }

  /** Lets a projection that could not write try again. */
  function recoverLater(running: Running, failures: number): void {
    clock.after(Math.min(longestRestMs, shortestRestMs * 2 ** failures), () => {
      if (running.live && !signal.aborted) catchUp(running, running.live, failures)
    })
  }

  /** Builds a read model that was lost, unless a rebuild that is under way brings another. */
  async function buildAfter(running: Running): Promise<void> {
    await running.rebuilding?.catch(() => {})
    if (!running.live && !signal.aborted) buildMissing([running.definition.name], new Map())
  }

  /** @param failures tries to recover that have failed; undefined where this was none */
  function stop(running: Running, error: unknown, failures?: number): void {
    const { live } = running
    const { name } = running.definition
    const isRecovering = running.failure !== undefined || running.isBehind === true
    running.waiters.reached(live?.position ?? 0)
    // Only the live generation catches up again.
    dropRetired(running)
    if (error instanceof PoisonEventError) {
      running.stoppedBy = error
      delete running.failure
      delete running.isBehind
    } else if (live && isDamaged(error)) {
      delete running.live
      delete running.failure
      delete running.isBehind
      drop(live).catch((failure: unknown) => onFailure(failure, name))
      void buildAfter(running)
    } else {
      running.failure = error instanceof Error ? error.message : String(error)
      if (failures !== undefined || !isRecovering) recoverLater(running, failures ?? 0)
    }
    onFailure(error, name)
  }

  return {
    stop: (running, error) => stop(running, error),

    catchUp: (running, live) => catchUp(running, live, 0),

    async skipPoison(running) {
      const { stoppedBy, live } = running
      if (!stoppedBy || !live)
        throw new PreconditionError(
          'not-stopped',
          `The projection ${running.definition.name} is not stopped by an event.`,
        )
      await exclusive(async () => {
        if (running.stoppedBy !== stoppedBy) return
        await reach(running, live, stoppedBy.event)
        await passOver(logId, live, stoppedBy.event)
      })
      await join(running, live, () => {
        delete running.stoppedBy
        running.waiters.reached(live.position)
      }).catch((error: unknown) => stop(running, error))
    },

    async withRetired(running, run) {
      const { retired } = running
      if (!retired) return
      try {
        await run(retired)
      } catch (error) {
        onFailure(error, running.definition.name)
        dropRetired(running)
      }
    },
  }
}
