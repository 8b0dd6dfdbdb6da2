import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../engine/clock.ts'
import { type Credential, type CredentialStore, sessionKind } from '../engine/credential-store.ts'
import { UnavailableError } from '../engine/errors.ts'
import type { EndedSessions } from './ended-sessions.ts'
import { hashOf, type RefreshToken, type RefreshTokens } from './refresh-token.ts'

/** Who has logged in where. A session is the family of refresh tokens that follow from one log-in (RFC 9700, section 4.14). */

export interface Session {
  readonly id: string
  readonly customerId: string
  /** Milliseconds since the epoch, as all times here. */
  readonly beganAt: number
  readonly usedAt: number
  /** When it ends, if nobody uses it before. */
  readonly expiresAt: number
}

export interface Refreshed {
  readonly session: Session
  readonly refreshToken: string
}

export interface Sessions {
  /** Begins a session; of too many of one customer, the one that was used longest ago ends. */
  begin(customerId: string): Promise<Refreshed>
  /**
   * Gives the next token for one that is good. A token that was replaced is good once more for a moment, while nobody has used its
   * successor, and then has the same successor; later it ends its session, for one of two who have it must have stolen it.
   * @returns undefined for one that is not good
   */
  refresh(token: string): Promise<Refreshed | undefined>
  /** The session of a token that was given out here, whether or not it is still good. */
  sessionIdOf(token: string): string | undefined
  list(customerId: string): Promise<readonly Session[]>
  /** Ends a session. @returns false where the customer has no such one */
  end(customerId: string, sessionId: string): Promise<boolean>
  /** Ends all of a customer's sessions, but for one. */
  endAll(customerId: string, except?: string): Promise<void>
}

export interface SessionOptions {
  readonly store: Pick<CredentialStore, 'find' | 'write' | 'remove' | 'ofOwner'>
  readonly tokens: RefreshTokens
  readonly ended: Pick<EndedSessions, 'note' | 'takeBack' | 'tell'>
  readonly clock: Pick<Clock, 'now'>
  /** From the log-in on, whatever is done. */
  readonly lifetimeMs: number
  /** Without being used. */
  readonly idleMs: number
}

const kind = sessionKind
const mostSessions = 50
/** How long a retry may come after what it repeats. */
const graceMs = 30_000
const tries = 5

const Kept = z.object({
  beganAt: z.number(),
  usedAt: z.number(),
  /** Hash of the token that is good now. */
  present: z.string(),
  /** Of the one before it. */
  previous: z.string().nullable(),
})
type Kept = z.output<typeof Kept>

export function sessions({ store, tokens, ended, clock, lifetimeMs, idleMs }: SessionOptions): Sessions {
  function expiryOf({ beganAt, usedAt }: Kept): number {
    return Math.min(beganAt + lifetimeMs, usedAt + idleMs)
  }

  function sessionOf({ id, owner, data }: Credential): Session {
    const kept = Kept.parse(JSON.parse(data))
    return { id, customerId: owner ?? '', beganAt: kept.beganAt, usedAt: kept.usedAt, expiresAt: expiryOf(kept) }
  }

  function credentialOf(id: string, owner: string | null, kept: Kept, version: number): Credential {
    return { kind, id, owner, expiresAt: expiryOf(kept), version, data: JSON.stringify(kept) }
  }

  async function endOne(sessionId: string): Promise<void> {
    ended.note(sessionId)
    try {
      await store.remove(kind, sessionId)
    } catch (error) {
      ended.takeBack(sessionId)
      throw error
    } finally {
      ended.tell(sessionId) // also when nobody knows whether it was removed
    }
  }

  async function list(customerId: string): Promise<readonly Session[]> {
    const found = (await store.ofOwner(kind, customerId, 2 * mostSessions)).map(sessionOf)
    return found
      .filter(({ expiresAt }) => expiresAt > clock.now())
      .sort((one, other) => other.usedAt - one.usedAt || (one.id < other.id ? -1 : 1))
  }

  /** One try of a refresh; `again` when another was quicker. */
  async function refreshOnce(token: RefreshToken): Promise<Refreshed | 'again' | undefined> {
    const found = await store.find(kind, token.sessionId)
    if (found === undefined) return undefined
    const kept = Kept.parse(JSON.parse(found.data))
    const now = clock.now()
    if (expiryOf(kept) <= now) return undefined
    const sent = hashOf(token)
    const next = tokens.next(token)
    if (sent === kept.present) {
      const refreshed = { ...kept, usedAt: now, present: hashOf(next), previous: sent }
      const credential = credentialOf(found.id, found.owner, refreshed, found.version + 1)
      if (!(await store.write(credential))) return 'again'
      return { session: sessionOf(credential), refreshToken: next.text }
    }
    if (sent === kept.previous && now - kept.usedAt <= graceMs) {
      return { session: sessionOf(found), refreshToken: next.text }
    }
    await endOne(found.id)
    return undefined
  }

  return {
    async begin(customerId) {
      const now = clock.now()
      const id = randomUUID()
      const first = tokens.first(id)
      const kept = { beganAt: now, usedAt: now, present: hashOf(first), previous: null }
      const credential = credentialOf(id, customerId, kept, 1)
      for (const { id: oldest } of (await list(customerId)).slice(mostSessions - 1)) await endOne(oldest)
      await store.write(credential)
      return { session: sessionOf(credential), refreshToken: first.text }
    },

    async refresh(text) {
      const token = tokens.read(text)
      if (token === undefined) return undefined
      for (let round = 0; round < tries; round++) {
        const refreshed = await refreshOnce(token)
        if (refreshed !== 'again') return refreshed
      }
      throw new UnavailableError('busy', 'Too many requests want the same session. Try again.')
    },

    sessionIdOf: (text) => tokens.read(text)?.sessionId,

    list,

    async end(customerId, sessionId) {
      if ((await store.find(kind, sessionId))?.owner !== customerId) return false
      await endOne(sessionId)
      return true
    },

    async endAll(customerId, except) {
      // One that begins meanwhile is found by the next round; how many there can be is bounded.
      for (let round = 0; round < tries; round++) {
        const found = (await store.ofOwner(kind, customerId, 2 * mostSessions)).filter(({ id }) => id !== except)
        if (found.length === 0) return
        await Promise.all(found.map(({ id }) => endOne(id)))
      }
    },
  }
}
