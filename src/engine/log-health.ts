import { type Clock, systemClock } from './clock.ts'
import { CorruptLogError, InDoubtError, UnavailableError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import { type Rate, rate } from './rate.ts'

/** An event store whose writes are watched. */
export interface WatchedLog {
  readonly store: EventStore
  /** Why the latest append failed; undefined while the log takes them. */
  failure(): string | undefined
  /** Events that this process has appended. */
  readonly appended: Pick<Rate, 'total' | 'perSecond'>
}

/** Whether an append failed by the log's fault, not by its own, nor because there were too many. */
function isOfTheLog(error: unknown): error is Error {
  if (error instanceof UnavailableError) return error.code === 'log-unavailable'
  return error instanceof InDoubtError || error instanceof CorruptLogError
}

/**
 * Watches whether a log takes appends: callers are told of their own, an operator wants to know of the log.
 * @param onFailure told of the first of several failures, since each caller is told of its own
 */
export function watchLogHealth(
  store: EventStore,
  onFailure: (error: unknown) => void,
  clock: Pick<Clock, 'monotonic'> = systemClock,
): WatchedLog {
  const appended = rate(clock)
  let failure: string | undefined

  function failed(error: unknown): never {
    if (isOfTheLog(error)) {
      if (failure === undefined) onFailure(error)
      failure = error.cause instanceof Error ? error.cause.message : error.message
    }
    throw error
  }

  return {
    store: {
      ...store,
      append: (stream, expectedRevision, events) =>
        store.append(stream, expectedRevision, events).then((result) => {
          failure = undefined
          appended.add(events.length)
          return result
        }, failed),
    },
    failure: () => failure,
    appended,
  }
}
