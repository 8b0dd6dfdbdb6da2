import { z } from 'zod'
import type { Clock } from '../engine/clock.ts'
import type { CredentialStore } from '../engine/credential-store.ts'
import { UnavailableError } from '../engine/errors.ts'
import { keyedLock } from '../engine/keyed-lock.ts'

/** How often somebody has tried, for all processes together and across restarts; only what goes with the power may forget the latest tries. */

/** Somebody has tried too often. */
export class TooManyAttemptsError extends Error {
  override readonly name = 'TooManyAttemptsError'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super('Too many tries. Wait as long as Retry-After says, or ask for a new password.')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export interface AttemptPolicy {
  /** Tries in a window before the next one is refused. */
  readonly limit: number
  readonly windowMs: number
}

export interface Attempts {
  /**
   * Counts a try before it is made, so that those that come together count, too.
   * @throws TooManyAttemptsError once there were too many; how long it then takes doubles with each further lock
   */
  take(name: string, policy: AttemptPolicy): Promise<void>
  /** Takes a try back that was a good one. */
  giveBack(name: string): Promise<void>
  /** Forgets all tries. */
  clear(name: string): Promise<void>
}

const Counted = z.object({
  count: z.int(),
  windowEndsAt: z.number(),
  /** How often it was locked lately. */
  locks: z.int(),
  lockedUntil: z.number(),
})
type Counted = z.output<typeof Counted>

const kind = 'attempts'
/** Each try is counted: to wait for the disk would cost more than the latest counts are worth that go with the power. */
const durability = 'normal'
const firstLockMs = 60_000
const longestLockMs = 3_600_000
/** After so long without a try all is forgotten. */
const rememberedMs = 86_400_000
const longestExponent = 10
const tries = 10

export interface AttemptOptions {
  readonly store: Pick<CredentialStore, 'find' | 'write' | 'remove'>
  readonly clock: Pick<Clock, 'now'>
  /** Names what is counted without saying what it is. */
  readonly hash: (name: string) => string
}

interface Step {
  readonly next: Counted
  /** Set when the try is refused. */
  readonly lockedUntil?: number
}

function counted(before: Counted | undefined, now: number, { limit, windowMs }: AttemptPolicy): Step {
  const fresh = { count: 0, windowEndsAt: now + windowMs, locks: before?.locks ?? 0, lockedUntil: 0 }
  const current = before && before.windowEndsAt > now ? before : fresh
  if (current.lockedUntil > now) return { next: current, lockedUntil: current.lockedUntil }
  if (current.count < limit) return { next: { ...current, count: current.count + 1 } }
  const lockedUntil = now + Math.min(longestLockMs, firstLockMs * 2 ** Math.min(current.locks, longestExponent))
  // When the lock has ended there is one try, and then a longer one.
  const next = { count: limit - 1, windowEndsAt: lockedUntil + windowMs, locks: current.locks + 1, lockedUntil }
  return { next, lockedUntil }
}

export function attempts({ store, clock, hash }: AttemptOptions): Attempts {
  const lock = keyedLock()

  /** Changes what is counted, though other processes count, too. @param change gives undefined where nothing is to change */
  async function change<S extends { readonly next: Counted }>(
    id: string,
    make: (before: Counted | undefined) => S | undefined,
  ): Promise<S | undefined> {
    return await lock([id], async () => {
      for (let round = 0; round < tries; round++) {
        const found = await store.find(kind, id)
        const isKnown = found?.expiresAt != null && found.expiresAt > clock.now()
        const before = isKnown ? Counted.parse(JSON.parse(found.data)) : undefined
        const step = make(before)
        if (step === undefined || (before !== undefined && step.next === before)) return step
        const data = JSON.stringify(step.next)
        const expiresAt = Math.max(clock.now(), step.next.windowEndsAt) + rememberedMs
        const version = (found?.version ?? 0) + 1
        if (await store.write({ kind, id, owner: null, expiresAt, version, data }, durability)) return step
      }
      throw new UnavailableError('busy', 'Too many requests want the same account. Try again.')
    })
  }

  return {
    async take(name, policy) {
      const step = await change(hash(name), (before) => counted(before, clock.now(), policy))
      if (step?.lockedUntil === undefined) return
      throw new TooManyAttemptsError(Math.max(1, Math.ceil((step.lockedUntil - clock.now()) / 1_000)))
    },

    async giveBack(name) {
      await change(hash(name), (before) => before && { next: { ...before, count: Math.max(0, before.count - 1) } })
    },

    clear: (name) => store.remove(kind, hash(name), durability),
  }
}
