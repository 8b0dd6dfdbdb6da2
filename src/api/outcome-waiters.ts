import type { Outcome } from '../engine/command-definition.ts'
import type { Watch } from '../engine/watch.ts'

/** Requests that wait for the outcome of the process that they started. */
export interface OutcomeWaiters {
  /**
   * Waits until a process has come to its outcome.
   * @param id of the aggregate whose command started it
   * @returns the position then; undefined when the time ran out, too many wait already, or the server stops
   */
  until(outcome: Outcome, id: string, seconds: number): Promise<number | undefined>
  /** Lets all go on at once. */
  stop(): void
}

/** @param maxWaiting most that wait at a time; more are not made to wait */
export function outcomeWaiters(watch: Watch, maxWaiting: number): OutcomeWaiters {
  const stopped = Promise.withResolvers<undefined>()
  let waiting = 0
  return {
    async until(outcome, id, seconds) {
      if (waiting >= maxWaiting) return undefined
      waiting++
      try {
        const reached = watch.until(outcome.decider, outcome.idOf(id), outcome.isReached, seconds * 1_000)
        return (await Promise.race([reached, stopped.promise]))?.position
      } finally {
        waiting--
      }
    },
    stop: () => stopped.resolve(undefined),
  }
}
