import { type Clock, inTime, pause } from './clock.ts'
import { FencedError, NewerVersionError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import type { Feed, Stretch } from './feed.ts'
import { advance, type Follower, openFollower, savePlace } from './follower.ts'
import type { Projection } from './projection.ts'
import { PoisonEventError } from './projector.ts'
import { rate } from './rate.ts'
import type { ReadStore } from './read-store.ts'
import type { Part } from './shards.ts'

/** The hash shards of one generation that this process folds. */
export interface ShardRun {
  readonly part: Part
  /** Everything up to here is in them. */
  position(): number
  /** For how long they have been behind the log. */
  lagMs(): number
  /** Events that were folded in a second, over the last half minute. */
  eventsPerSecond(): number
  /** Why it does not get on now. */
  failure(): string | undefined
  /** Stops, after what is under way. */
  stop(): Promise<void>
}

export interface ShardRunOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly feed: Feed
  readonly clock: Clock
  readonly definition: Projection
  readonly generationId: string
  readonly part: Part
  /** Ids of events that operators have let it pass over. */
  readonly skipped: ReadonlySet<string>
  /** Told after each place that was written. */
  readonly onSaved: () => void
  /** Told of an error that it goes on from, or of a poison event or a fence, which it stops at. */
  readonly onFailure: (error: unknown) => void
  /** Told when the generation turns out not to be one of this log, or of this definition. */
  readonly onUnusable: () => void
}

/** How late a place is written that no document was written with. */
const savePlaceAfterMs = 20
const longestPauseMs = 5_000

/** What no further try helps against: an event, another process, or a version of Daybook that is needed. */
function isFinal(error: unknown): boolean {
  return error instanceof FencedError || error instanceof PoisonEventError || error instanceof NewerVersionError
}

/** Folds hash shards of a generation from where they are, until it is stopped. */
export function runShards(options: ShardRunOptions): ShardRun {
  const { store, readStore, feed, clock, definition, generationId, part, skipped } = options
  const { onSaved, onFailure, onUnusable } = options
  const stopping = new AbortController()
  const folded = rate(clock)
  let position = 0
  let levelAtMs = clock.monotonic()
  let failure: string | undefined

  /** Takes in stretches of the log, and writes its place within a moment, for readers elsewhere wait for it. */
  async function fold(follower: Follower, ending: AbortSignal): Promise<void> {
    const stretches = feed.follow(follower.position, ending)[Symbol.asyncIterator]()
    function take() {
      const taken = stretches.next()
      // Whoever fails on the stretch before it no longer waits for it.
      taken.catch(() => {})
      return taken
    }
    let next = take()
    let saveAtMs: number | undefined
    let last: Stretch | undefined
    try {
      while (!stopping.signal.aborted) {
        const result = await (saveAtMs === undefined ? next : inTime(clock, saveAtMs - clock.monotonic(), next))
        if (result?.done) return
        if (result === undefined) {
          if (last) await savePlace(store.logId, follower, last.eventId)
        } else {
          last = result.value
          const events = skipped.size > 0 ? last.events.filter(({ id }) => !skipped.has(id)) : last.events
          const foldedBefore = follower.folded
          await advance(store.logId, definition, follower, events, last)
          folded.add(follower.folded - foldedBefore)
          next = take()
        }
        position = follower.position
        if (position >= feed.position()) levelAtMs = clock.monotonic()
        failure = undefined
        if (follower.savedPosition >= position) {
          saveAtMs = undefined
          onSaved()
        } else saveAtMs ??= clock.monotonic() + savePlaceAfterMs
      }
    } finally {
      // Between two stretches it hears no signal, and would keep its read of the log open.
      stretches.return?.().catch(() => {})
    }
  }

  /** @returns false when it can't go on */
  async function openAndFold(): Promise<boolean> {
    let follower: Follower | undefined
    const over = new AbortController()
    try {
      follower = await openFollower(store, readStore, generationId, definition, part)
      if (!follower) {
        failure = `The documents of ${definition.name} were made from another log. They are built anew.`
        onUnusable()
        return false
      }
      position = follower.position
      await fold(follower, AbortSignal.any([stopping.signal, over.signal]))
      return true
    } catch (error) {
      if (stopping.signal.aborted) return false
      onFailure(error)
      failure = error instanceof Error ? error.message : String(error)
      return !isFinal(error)
    } finally {
      over.abort()
      await follower?.generation.close().catch(onFailure)
    }
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const reached = position
      if (!(await openAndFold())) return
      if (position > reached) failures = 0
      await pause(clock, Math.min(longestPauseMs, 100 * 2 ** failures), stopping.signal)
    }
  }
  const running = run()

  return {
    part,
    position: () => position,
    lagMs: () => (position < feed.position() ? Math.round(clock.monotonic() - levelAtMs) : 0),
    eventsPerSecond: folded.perSecond,
    failure: () => failure,
    async stop() {
      stopping.abort()
      await running
    },
  }
}
