import type { EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { advance, type Follower } from './follower.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import type { Running } from './projection-status.ts'

/** How a generation comes to where those are that follow the log, from a place of its own. */
export interface Joining {
  /**
   * Brings a follower up to where the others are, in slices between which the others go on, and then lets it go with them.
   * @param attach done once it is there, while nothing is folded
   * @throws as the follower's `advance`
   */
  join(running: Running, follower: Follower, attach: () => Promise<void> | void): Promise<void>
  /** Brings a follower up to an event that is to be passed over: a flush that failed may have put it further back. Throws as `join`. */
  reach(running: Running, follower: Follower, event: Recorded): Promise<void>
}

export interface JoiningOptions {
  readonly store: EventStore
  readonly registry: EventRegistry
  readonly signal: AbortSignal
  /** Runs while nothing is folded. */
  readonly exclusive: OneAtATime['run']
  /** Up to where the log was read for those that follow it. */
  readonly position: () => number
  /** Keeps before long what was folded. */
  readonly flushLater: () => void
}

const batchSize = 500

export function joining({ store, registry, signal, exclusive, position, flushLater }: JoiningOptions): Joining {
  return {
    async join(running, follower, attach) {
      const joined = () =>
        exclusive(async () => {
          if (follower.position < Math.max(position(), running.live?.position ?? 0)) return false
          await attach()
          return true
        })
      while (!signal.aborted && !(await joined())) {
        let place = follower.position
        for await (const batch of store.readAll({ after: place, batchSize })) {
          const isInPlace = await exclusive(async () => {
            // A flush that failed has put it back: to go on from here would leave a gap.
            if (follower.position !== place || signal.aborted) return false
            await advance(store.logId, running.definition, follower, batch.events.map(registry.upcast), batch)
            place = follower.position
            return true
          })
          if (!isInPlace || place >= position()) break
        }
        flushLater()
      }
    },

    async reach(running, follower, { position: end }) {
      for await (const batch of store.readAll({ after: follower.position, batchSize })) {
        const events = batch.events.map(registry.upcast).filter((event) => event.position < end)
        const last = events.at(-1)
        if (last) {
          const to = { ...batch, position: last.position, eventId: last.id }
          await advance(store.logId, running.definition, follower, events, to)
        }
        if (batch.position >= end) return
      }
    },
  }
}
