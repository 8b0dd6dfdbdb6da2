import { LRUCache } from 'lru-cache'
import { type Clock, inTime } from '../engine/clock.ts'
import { type CredentialStore, sessionKind } from '../engine/credential-store.ts'
import type { Signal } from '../engine/signal.ts'

/**
 * Which sessions have ended. The store of credentials decides: it is asked once for each session, and again when another process
 * says that one of the same part of all sessions has ended. So a signal that is lost, comes late or twice ends nobody's session.
 */
export interface EndedSessions {
  /**
   * Whether a session has ended.
   * @returns false, too, where the store can't be asked now, so that its access token is good as if nothing were known
   */
  has(sessionId: string): Promise<boolean>
  /** Notes that this process is about to end a session: it is refused here from now on. */
  note(sessionId: string): void
  /** Takes that back where nobody knows whether the session was ended: the store is asked anew. */
  takeBack(sessionId: string): void
  /** Tells the other processes of a session that the store has no longer. */
  tell(sessionId: string): void
  /** Ends listening. */
  close(): void
}

export interface EndedSessionOptions {
  readonly store: Pick<CredentialStore, 'find'>
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  /** Of all processes that share the store; absent where there is one alone. */
  readonly signal?: Pick<Signal, 'send' | 'listen'> | undefined
  /** Told when the store could not be asked, or did not answer in time. */
  readonly onFailure: (error: unknown) => void
}

interface Known {
  readonly isEnded: boolean
  /** The count of signals before the store was asked. */
  readonly asOf: number
}

/** More than ask within the time that an access token is good; of others the store is asked anew. */
const mostKnown = 20_000
/** How long a request waits for the store, which it could do without. */
const patienceMs = 1_000
/** How long a store that could not be asked is left alone. */
const restMs = 1_000
const part = /^session:[0-9a-f]{2}$/

/** A signal names one of 256 parts of all sessions, so that what waits for the signal is bounded, and few are asked for again. */
function partOf(sessionId: string): string {
  return `session:${sessionId.slice(0, 2).toLowerCase()}`
}

export function endedSessions({ store, clock, signal, onFailure }: EndedSessionOptions): EndedSessions {
  const known = new LRUCache<string, Known>({ max: mostKnown })
  /** Signals so far. */
  let count = 0
  /** When, by this count, a session of a part was ended last. */
  const lastOf = new Map<string, number>()
  /** When signals may have been missed. */
  let lastOfAll = 0
  let restsUntil = Number.NEGATIVE_INFINITY

  const endListening = signal?.listen(
    (names) => {
      for (const name of names) if (part.test(name)) lastOf.set(name, ++count)
    },
    () => {
      lastOfAll = ++count
    },
  )

  async function ask(sessionId: string): Promise<boolean> {
    const asOf = count
    const found = await store.find(sessionKind, sessionId)
    // It may have been ended here while the store was asked.
    const isEnded = found === undefined || known.get(sessionId)?.isEnded === true
    known.set(sessionId, { isEnded, asOf })
    return isEnded
  }

  async function askInTime(sessionId: string): Promise<boolean> {
    const isEnded = await inTime(clock, patienceMs, ask(sessionId))
    if (isEnded === undefined) throw new Error('The store of sessions does not answer in time')
    return isEnded
  }

  return {
    async has(sessionId) {
      const kept = known.get(sessionId)
      if (kept?.isEnded) return true
      if (kept && kept.asOf >= Math.max(lastOfAll, lastOf.get(partOf(sessionId)) ?? 0)) return false
      if (clock.monotonic() < restsUntil) return false
      try {
        return await askInTime(sessionId)
      } catch (error) {
        restsUntil = clock.monotonic() + restMs
        onFailure(error)
        return known.get(sessionId)?.isEnded === true
      }
    },

    note(sessionId) {
      known.set(sessionId, { isEnded: true, asOf: count })
    },

    takeBack(sessionId) {
      known.delete(sessionId)
      lastOf.set(partOf(sessionId), ++count) // nor is an answer believed that is on its way
    },

    tell: (sessionId) => signal?.send([partOf(sessionId)]),

    close: () => endListening?.(),
  }
}
