import { createHash } from 'node:crypto'
import type { FastifyRateLimitStore } from '@fastify/rate-limit'
import { connectFast, type RedisServer } from './connection.ts'

/** What makes a counter of the requests of each caller; `child` makes one for a route. */
export interface WindowsClass {
  new (): FastifyRateLimitStore
}

export interface RedisRateLimits {
  /** To be given to the rate limiter. */
  readonly store: WindowsClass
  close(): Promise<void>
}

export interface RedisRateLimitOptions extends RedisServer {
  /** What counts in this process while Redis is away. */
  readonly local: WindowsClass
  /** How long a request waits for Redis, in milliseconds. */
  readonly timeoutMs?: number
}

const shortTimeoutMs = 50
/** After Redis was too slow, only one request asks it in each such time, and no other waits. */
const pauseMs = 1_000

// By Redis' own time, so that all processes have one. A window has an end, whatever happened to the command that began it.
const countScript = `
local current = redis.call('INCR', KEYS[1])
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
  ttl = tonumber(ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return {current, ttl}`

/** Who calls, unreadable: it may be an address. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22)
}

/** The limiter says more of a route than its types know. */
function routeOf(options: object): string {
  if (!('routeInfo' in options) || typeof options.routeInfo !== 'object' || options.routeInfo === null) return 'other'
  const { url, method } = { url: '', method: '', ...options.routeInfo }
  return `${String(method)} ${url}`
}

/**
 * Counts the requests of each caller for all processes together. While Redis is away or slow each process counts for
 * itself, so that nobody is refused, or waits, for its sake.
 */
export function openRedisRateLimits(options: RedisRateLimitOptions): RedisRateLimits {
  const { prefix, local: Local, timeoutMs = shortTimeoutMs } = options
  const redis = connectFast(options, { timeoutMs })
  let askAgainAt = 0

  async function count(key: string, windowMs: number): Promise<{ current: number; ttl: number } | undefined> {
    const now = performance.now()
    if (now < askAgainAt || !redis.isReady()) return undefined
    if (askAgainAt > 0) askAgainAt = now + pauseMs
    try {
      const found = await redis.run((client) => client.eval(countScript, 1, key, windowMs))
      askAgainAt = 0
      return Array.isArray(found) ? { current: Number(found[0]), ttl: Number(found[1]) } : undefined
    } catch {
      askAgainAt = performance.now() + pauseMs
      return undefined
    }
  }

  /** A class, since the library makes it. */
  class SharedWindows implements FastifyRateLimitStore {
    readonly #local = new Local()
    readonly #route: string

    constructor(_options?: unknown, route = 'all') {
      this.#route = route
    }

    incr(key: string, callback: Parameters<FastifyRateLimitStore['incr']>[1], timeWindow: number, max: number): void {
      const shared = count(`${prefix}:rate:${nameOf(`${this.#route} ${key}`)}`, timeWindow)
      void shared.then((found) => {
        if (found) callback(null, found)
        else this.#local.incr(key, callback, timeWindow, max)
      })
    }

    /** A route with a limit of its own counts for itself. */
    child(options: object): FastifyRateLimitStore {
      return new SharedWindows(undefined, routeOf(options))
    }
  }

  return {
    store: SharedWindows,
    async close() {
      redis.close()
    },
  }
}
