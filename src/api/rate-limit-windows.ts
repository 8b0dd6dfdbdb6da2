import type { FastifyRateLimitStore } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'

interface Window {
  current: number
}

const maxKeys = 20_000

/**
 * Counts the requests of each caller in windows that end by a clock which nobody sets: by the library's own, a machine's
 * clock that is put back an hour makes a limit by the minute last an hour. A class, since the library makes it.
 */
export class RateLimitWindows implements FastifyRateLimitStore {
  // An LRU cache reckons by the time since the process began.
  readonly #windows = new LRUCache<string, Window>({ max: maxKeys, ttl: 1, ttlResolution: 0, noUpdateTTL: true })

  /** @param timeWindow in milliseconds */
  incr(
    key: string,
    callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
    timeWindow: number,
  ): void {
    const window = this.#windows.get(key) ?? { current: 0 }
    if (window.current === 0) this.#windows.set(key, window, { ttl: timeWindow })
    window.current++
    callback(null, { current: window.current, ttl: this.#windows.getRemainingTTL(key) })
  }

  /** A route with a limit of its own counts for itself. */
  child(): FastifyRateLimitStore {
    return new RateLimitWindows()
  }
}
