import { type Clock, pause } from './clock.ts'
import type { EventFilter, EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { subscribeToLog } from './log-subscription.ts'

/** A stretch of the log for one of its followers. */
export interface Stretch {
  readonly events: readonly Recorded[]
  /** Everything up to here is in it, or in those before it. */
  readonly position: number
  readonly eventId: string
  readonly caughtUp: boolean
}

/** The end of the log, read and parsed once for all who follow it. */
export interface Feed {
  /**
   * All that comes after a place, from memory as soon as the follower is near enough to the end. Each stretch has all that there
   * is by then, up to a bound, so that who is slow takes more at once. It has all that the feed's filter lets through.
   * @throws NewerVersionError for an event that this version does not know
   */
  follow(after: number, signal: AbortSignal): AsyncIterable<Stretch>
  /** Place of the newest event that was seen. */
  position(): number
  /** Why nothing comes now. */
  failure(): string | undefined
  stop(): Promise<void>
}

export interface FeedOptions {
  readonly store: EventStore
  readonly registry: EventRegistry
  readonly clock: Clock
  /** What need not be sent: what is of no interest here and well known. */
  readonly filter: EventFilter
  readonly onFailure: (error: unknown) => void
}

/** Events kept for followers that are a little behind; who is further back reads the store. */
const keptEvents = 4_000
const stretchEvents = 1_000

/** Follows the log from its present head on. */
export async function openFeed(options: FeedOptions): Promise<Feed> {
  const { store, registry, clock, filter, onFailure } = options
  const stopping = new AbortController()
  /** In order and without a gap; what they have together is bounded. */
  const kept: Stretch[] = []
  let keptCount = 0
  let { position } = await store.head()
  /** Everything after this place is kept. */
  let keptAfter = position
  let wakers: (() => void)[] = []

  function wakeAll(): void {
    const all = wakers
    wakers = []
    for (const wake of all) wake()
  }

  function keep(stretch: Stretch): void {
    const last = kept.at(-1)
    // What has nothing of interest takes no place of its own, or such could pile up.
    if (last && stretch.events.length === 0) kept[kept.length - 1] = { ...stretch, events: last.events }
    else kept.push(stretch)
    keptCount += stretch.events.length
    position = stretch.position
    while (keptCount > keptEvents && kept.length > 1) {
      const oldest = kept.shift()
      keptCount -= oldest?.events.length ?? 0
      keptAfter = oldest?.position ?? keptAfter
    }
    wakeAll()
  }

  const subscription = subscribeToLog({
    store,
    clock,
    batchSize: 500,
    filter,
    signal: stopping.signal,
    position: () => position,
    take: (batch) => keep({ ...batch, events: batch.events.map(registry.upcast) }),
    onFailure,
  })

  /** What is kept after a place, merged; undefined if there is nothing new. */
  function newest(after: number): Stretch | undefined {
    const newer = kept.filter((stretch) => stretch.position > after)
    let events: readonly Recorded[] = []
    let last: Stretch | undefined
    for (const stretch of newer) {
      if (events.length >= stretchEvents) break
      events = [...events, ...stretch.events.filter((event) => event.position > after)]
      last = stretch
    }
    return last && { ...last, events, caughtUp: last === kept.at(-1) && last.caughtUp }
  }

  return {
    async *follow(after, signal) {
      let place = after
      while (!signal.aborted && !stopping.signal.aborted) {
        if (place < keptAfter) {
          for await (const batch of store.readAll({ after: place, filter, batchSize: stretchEvents, signal })) {
            if (signal.aborted) return
            yield { ...batch, events: batch.events.map(registry.upcast), caughtUp: false }
            place = batch.position
            if (place >= keptAfter) break
          }
          // Nothing of interest may lie between here and what is kept.
          if (place < keptAfter) await pause(clock, 50, signal)
          continue
        }
        const stretch = newest(place)
        if (stretch) {
          yield stretch
          place = stretch.position
          continue
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            signal.removeEventListener('abort', wake)
            resolve()
          }
          wakers.push(wake)
          signal.addEventListener('abort', wake)
        })
      }
    },
    position: () => position,
    failure: subscription.failure,
    async stop() {
      stopping.abort()
      wakeAll()
      await subscription.ended
    },
  }
}
