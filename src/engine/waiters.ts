import type { Clock } from './clock.ts'
import { UnavailableError } from './errors.ts'

interface Waiter {
  readonly position: number
  readonly wake: () => void
}

export interface Waiters {
  /** Resolves once the position is reached. @throws UnavailableError when that takes longer than the timeout */
  until(position: number, timeoutMs: number): Promise<void>
  /** Whether somebody waits for this position, or for one before it. */
  areFor(position: number): boolean
  /** How many wait. */
  count(): number
  /** Wakes those who wait for a position up to this one. */
  reached(position: number): void
}

const maxWaiters = 10_000

/**
 * Readers that wait until what they read has come as far as they have written.
 * @param noun names what they wait for in messages
 */
export function waiters(clock: Clock, noun: string): Waiters {
  let now = 0
  const waiting = new Set<Waiter>()
  return {
    until(position, timeoutMs) {
      if (position <= now) return Promise.resolve()
      if (waiting.size >= maxWaiters)
        return Promise.reject(new UnavailableError('busy', 'Too many readers wait. Try again.'))
      return new Promise((resolve, reject) => {
        const cancelTimeout = clock.after(timeoutMs, () => {
          waiting.delete(waiter)
          reject(
            new UnavailableError('not-caught-up', `${noun} has not yet reached the position asked for. Try again.`),
          )
        })
        const waiter: Waiter = {
          position,
          wake() {
            waiting.delete(waiter)
            cancelTimeout()
            resolve()
          },
        }
        waiting.add(waiter)
      })
    },
    areFor(position) {
      for (const waiter of waiting) if (waiter.position <= position) return true
      return false
    },
    count: () => waiting.size,
    reached(position) {
      now = position
      for (const waiter of waiting) if (waiter.position <= position) waiter.wake()
    },
  }
}
