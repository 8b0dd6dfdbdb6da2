import { type Clock, pause } from './clock.ts'
import { NewerVersionError } from './errors.ts'
import type { EventBatch, EventFilter, EventStore } from './event-store.ts'

/** The end of the log, followed for good. */
export interface LogSubscription {
  /** Why nothing comes now. */
  failure(): string | undefined
  /** Resolves once nothing comes any more. */
  readonly ended: Promise<void>
}

export interface LogSubscriptionOptions {
  readonly store: Pick<EventStore, 'subscribe'>
  readonly clock: Clock
  readonly batchSize: number
  /** What need not be sent; absent for all events. */
  readonly filter?: EventFilter
  readonly signal: AbortSignal
  /** Place up to which everything has been taken. */
  readonly position: () => number
  readonly take: (batch: EventBatch) => Promise<void> | void
  /** Looks before each try whether there is more to take: where there is not, what went wrong before is over. */
  readonly isLevel?: () => Promise<boolean>
  readonly onFailure: (error: unknown) => void
}

const shortestPauseMs = 100
const longestPauseMs = 5_000

/** Takes what comes in the log, and after a failure what comes behind the last that was taken. It gives up at an event of a newer version alone. */
export function subscribeToLog(options: LogSubscriptionOptions): LogSubscription {
  const { store, clock, batchSize, filter, signal, position, take, isLevel, onFailure } = options
  let failure: string | undefined

  async function follow(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (await isLevel?.()) failure = undefined
        for await (const batch of store.subscribe({
          after: position(),
          batchSize,
          signal,
          ...(filter && { filter }),
        })) {
          await take(batch)
          failures = 0
          failure = undefined
        }
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error)
        onFailure(error)
        // A newer event is no fault that time mends: another version of Daybook has to go on.
        if (error instanceof NewerVersionError) return
        await pause(clock, Math.min(longestPauseMs, shortestPauseMs * 2 ** failures++), signal)
      }
    }
  }

  return { failure: () => failure, ended: follow() }
}
