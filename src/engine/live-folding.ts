import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, inTime } from './clock.ts'
import type { EventBatch, EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { advance, type Follower, flush } from './follower.ts'
import { subscribeToLog } from './log-subscription.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import type { Running } from './projection-status.ts'

/** Folds the end of the log into read models as it comes. They take turns, so that none keeps the thread for long. */
export interface LiveFolding {
  /** Follows the log behind a place that the read models which follow have reached, or will by themselves. */
  follow(after: number): void
  /** Up to where the log was read. */
  position(): number
  /** Place of the last event that is known to be there. */
  head(): number
  /** @param position of an event that is there */
  sawHead(position: number): void
  /** Why nothing follows the log now. */
  failure(): string | undefined
  /** Folds what has come into one read model, before its turn. What goes wrong is told to `onStopped`. */
  fold(running: Running): Promise<void>
  /** As `fold`, for a reader who doesn't say what they wait for: waits for it no longer than a moment. */
  freshen(running: Running): Promise<void>
  /** Keeps before long what was folded. */
  flushLater(): void
  /** Resolves when what was begun has ended; the signal is to be aborted before. */
  stop(): Promise<void>
}

export interface LiveFoldingOptions {
  readonly store: EventStore
  readonly registry: EventRegistry
  readonly clock: Clock
  readonly all: ReadonlyMap<string, Running>
  readonly signal: AbortSignal
  /** Runs while nothing else changes a read model. */
  readonly exclusive: OneAtATime['run']
  /** Told when a read model could not go on. */
  readonly onStopped: (running: Running, error: unknown) => void
  /** Does something with the generation that was live before, if there is one; it may fail by itself. */
  readonly withRetired: (running: Running, run: (retired: Follower) => Promise<void>) => Promise<void>
  /** Told when the log can't be followed. */
  readonly onFailure: (error: unknown) => void
}

const batchSize = 200
/**
 * What this much time has brought is folded together, so that a document that many events touch is written once. Whoever
 * waits for an event has it folded at once.
 */
const foldEveryMs = 50
/** How long a reader who says nothing of what they wait for waits for it. */
const longestFreshenMs = 100
/** Most events that wait to be folded. One read model folds them in one turn of the event loop, which requests wait for. */
const maxUnfolded = 1_000
/** What this much time has brought is kept at once. After a crash so much is folded again. */
const flushEveryMs = 250

/** The end of the log, which not all read models have yet. */
interface Unfolded {
  /** All read models that follow have what is up to here. */
  readonly after: number
  readonly events: readonly Recorded[]
  /** The batch that the events end with. */
  readonly tip: EventBatch | undefined
}

/** Whether a read model takes what comes. One that has stopped or is behind is first brought up to the others, so that nothing is left out. */
function isFollowing({ stoppedBy, failure, isBehind }: Running): boolean {
  return !stoppedBy && failure === undefined && !isBehind
}

export function liveFolding(options: LiveFoldingOptions): LiveFolding {
  const { store, registry, clock, all, signal, exclusive, onStopped, withRetired, onFailure } = options
  let position = 0
  let head = 0
  let unfolded: Unfolded = { after: 0, events: [], tip: undefined }
  let following: Promise<void> = Promise.resolve()
  let failure: () => string | undefined = () => undefined
  let folding: Promise<void> = Promise.resolve()
  let cancelFold: (() => void) | undefined
  let cancelFlush: (() => void) | undefined

  async function foldNow(running: Running): Promise<void> {
    const { after, events, tip } = unfolded
    const { definition, live } = running
    if (signal.aborted || tip === undefined || !live || !isFollowing(running)) return
    const foldedBefore = live.folded
    try {
      await advance(store.logId, definition, live, events, tip)
      running.folded.add(live.folded - foldedBefore)
      if (live.position >= head) running.levelAtMs = clock.monotonic()
      running.waiters.reached(live.position)
    } catch (error) {
      onStopped(running, error)
    }
    await withRetired(running, async (retired) => {
      // One that had stopped before it was replaced has gaps to fill, and stays as it was.
      if (retired.position >= after) await advance(store.logId, definition, retired, events, tip)
    })
    flushLater()
  }

  function fold(running: Running): Promise<void> {
    return exclusive(() => foldNow(running))
  }

  async function foldAll(): Promise<void> {
    cancelFold?.()
    cancelFold = undefined
    const { tip } = unfolded
    if (tip === undefined) return
    for (const running of all.values()) {
      await fold(running)
      await nextTurn()
    }
    const events = unfolded.events.filter((event) => event.position > tip.position)
    unfolded = { after: tip.position, events, tip: unfolded.tip === tip ? undefined : unfolded.tip }
  }

  function foldAllInTurn(): Promise<void> {
    folding = folding.then(foldAll)
    return folding
  }

  /** Takes a batch from the log, and has it folded: at once where somebody waits, else with what comes soon. */
  async function take(batch: EventBatch): Promise<void> {
    const events = [...unfolded.events, ...batch.events.map(registry.upcast)]
    unfolded = { after: unfolded.after, events, tip: batch }
    position = batch.position
    sawHead(batch.position)
    for (const running of all.values()) if (running.waiters.areFor(position)) void fold(running)
    if (unfolded.events.length >= maxUnfolded) await foldAllInTurn()
    else cancelFold ??= clock.after(foldEveryMs, () => void foldAllInTurn())
  }

  function sawHead(seen: number): void {
    head = Math.max(head, seen)
  }

  function flushLater(): void {
    if (signal.aborted) return
    cancelFlush ??= clock.after(flushEveryMs, () => {
      cancelFlush = undefined
      for (const running of all.values()) void exclusive(() => flushNow(running))
    })
  }

  async function flushNow(running: Running): Promise<void> {
    try {
      if (running.live) await flush(running.live)
    } catch (error) {
      onStopped(running, error)
    }
    await withRetired(running, flush)
  }

  return {
    follow(after) {
      position = after
      unfolded = { after, events: [], tip: undefined }
      const subscription = subscribeToLog({
        store,
        clock,
        batchSize,
        signal,
        position: () => position,
        take,
        async isLevel() {
          sawHead((await store.head()).position)
          return head <= position
        },
        onFailure,
      })
      following = subscription.ended
      failure = subscription.failure
    },

    position: () => position,
    head: () => head,
    sawHead,
    failure: () => failure(),
    fold,

    async freshen(running) {
      if (!running.live || running.live.position >= position || !isFollowing(running)) return
      running.freshening ??= inTime(clock, longestFreshenMs, fold(running)).finally(() => {
        delete running.freshening
      })
      await running.freshening
    },

    flushLater,

    async stop() {
      cancelFold?.()
      cancelFlush?.()
      await following
      await folding
    },
  }
}
