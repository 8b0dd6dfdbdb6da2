import { type Clock, pause } from './clock.ts'
import type { CommandHandler } from './command-handler.ts'
import type { Decider } from './decider.ts'
import type { EventStore } from './event-store.ts'
import type { Fold } from './folds.ts'
import { streamName } from './streams.ts'

export interface Watch {
  /**
   * Waits until an aggregate has come to something.
   * @returns its fold then; undefined when the time ran out before
   */
  until<State>(
    decider: Decider<State>,
    id: string,
    isReached: (state: State) => boolean,
    timeoutMs: number,
  ): Promise<Fold<State> | undefined>
  /** How many wait. */
  waiting(): number
  stop(): Promise<void>
}

/**
 * Wakes those who wait for the outcome of a process, as its events are appended.
 * @param categories of the aggregates that can be waited for; all if absent
 */
export async function watchLog(
  store: EventStore,
  handler: CommandHandler,
  clock: Clock,
  onFailure: (error: unknown) => void,
  categories?: ReadonlySet<string>,
): Promise<Watch> {
  const filter = categories && { filter: { categories } }
  const stopping = new AbortController()
  const watched = new Map<string, Set<() => void>>()
  let position = (await store.head()).position

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const batch of store.subscribe({ after: position, ...filter, signal: stopping.signal })) {
          if (watched.size > 0)
            for (const { stream } of batch.events) for (const wake of watched.get(stream) ?? []) wake()
          position = batch.position
        }
      } catch (error) {
        onFailure(error)
        await pause(clock, 1_000, stopping.signal)
      }
    }
  }
  const following = follow()

  return {
    async until(decider, id, isReached, timeoutMs) {
      const stream = streamName(decider.category, id)
      let wake = () => {}
      let timedOut = false
      const cancelTimeout = clock.after(timeoutMs, () => {
        timedOut = true
        wake()
      })
      const woken = () => wake()
      const wakers = watched.get(stream) ?? new Set()
      watched.set(stream, wakers.add(woken))
      try {
        for (;;) {
          const next = new Promise<void>((resolve) => {
            wake = resolve
          })
          const fold = await handler.fold(decider, id)
          if (isReached(fold.state)) return fold
          if (timedOut) return undefined
          await next
        }
      } finally {
        cancelTimeout()
        wakers.delete(woken)
        if (wakers.size === 0) watched.delete(stream)
      }
    },
    waiting: () => watched.values().reduce((sum, wakers) => sum + wakers.size, 0),
    async stop() {
      stopping.abort()
      await following
    },
  }
}
