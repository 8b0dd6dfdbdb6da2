import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { localAdminId } from './authentication.ts'
import { networkAddressOf } from './network-address.ts'
import { problem } from './problems.ts'
import { RateLimitWindows } from './rate-limit-windows.ts'

export interface RateLimits {
  /** Of one caller: an API key, a customer, or an address for all guests and those without a token there. */
  readonly requestsPerMinute: number
  /** What counts them, made once for all routes together, with a child for each route that has a limit of its own; by default, this process. */
  readonly rateLimitStore?: new () => FastifyRateLimitStore
}

function addressOf(request: FastifyRequest): string {
  return `address ${networkAddressOf(request)}`
}

function callerOf(request: FastifyRequest): string {
  const { kind, id } = request.principal
  // Anybody gets tokens of guests, so that each of them can't have a limit of its own.
  return kind === 'anonymous' || kind === 'guest' ? addressOf(request) : `${kind} ${id}`
}

/**
 * Bounds the requests of each caller. It comes after authentication; the command line on this
 * machine has no limit.
 */
export async function rateLimits(app: FastifyInstance, options: RateLimits): Promise<void> {
  const { requestsPerMinute, rateLimitStore = RateLimitWindows } = options
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    store: rateLimitStore,
    keyGenerator: callerOf,
    allowList: ({ principal }) => principal.kind === 'staff' && principal.id === localAdminId,
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    errorResponseBuilder: (_request, { ttl }) =>
      problem(429, 'too-many-requests', 'Too many requests. Wait as long as Retry-After says.', {
        headers: { 'retry-after': String(Math.ceil(ttl / 1_000)) },
      }),
  })
}

/** The limit of a route that is bounded more tightly than others, by address. */
export function routeLimit(requestsPerMinute: number) {
  return { max: requestsPerMinute, timeWindow: 60_000, keyGenerator: addressOf }
}
