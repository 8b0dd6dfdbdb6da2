import type { FastifyInstance } from 'fastify'
import { problem } from './problems.ts'

/** Refuses at once what the server can't take, before anything of it is read, so that the rest is answered in time. */

export interface AdmissionLimits {
  /** Requests under way at a time, those not counted whose body is on its way or that only wait for others. */
  readonly maxRequests: number
  /** How long a request may wait for its turn of the event loop before fewer are let in. */
  readonly maxTurnMs: number
}

/** What a request takes up among those under way. */
interface Place {
  take(): void
  leave(): void
  /** Leaves it for good. */
  end(): void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined for one that is always let in. */
    place: Place | undefined
  }
}

/** However late the event loop is, so many are let in: other work than requests may be the cause. */
const fewestRequests = 100

const overloaded = problem(
  503,
  'overloaded',
  'There is more to do than this server can. Send the request again when Retry-After is over.',
  { headers: { 'retry-after': '1' } },
)

/**
 * Bounds the requests under way. Those that arrive in a turn of the event loop are counted first and begun in the next
 * one, so that the count knows of all that wait. While turns take too long the bound sinks, and else it rises again.
 * @param now milliseconds of a clock that never jumps
 */
export function boundRequests(
  app: FastifyInstance,
  { maxRequests, maxTurnMs }: AdmissionLimits,
  now = () => performance.now(),
): void {
  let limit = maxRequests
  let underWay = 0
  let arrived: (() => void)[] = []

  function newPlace(): Place {
    let state: 'taken' | 'left' | 'ended' = 'left'
    function leaveFor(next: 'left' | 'ended'): void {
      if (state === 'taken') underWay--
      if (state !== 'ended') state = next
    }
    return {
      take() {
        if (state !== 'left') return
        state = 'taken'
        underWay++
      },
      leave: () => leaveFor('left'),
      end: () => leaveFor('ended'),
    }
  }

  function beginAfterTurn(): void {
    const arrivedAt = now()
    setImmediate(() => {
      const all = arrived
      arrived = []
      for (const begin of all) begin()
      setImmediate(() => adjust(now() - arrivedAt))
    })
  }

  function adjust(turnMs: number): void {
    limit = turnMs > maxTurnMs ? Math.max(Math.min(fewestRequests, maxRequests), limit * 0.9) : limit + 1
    limit = Math.min(maxRequests, limit)
  }

  app.decorateRequest('place')
  app.addHook('onRequest', (request, reply, done) => {
    // Who watches over the server must not take it for dead while it is only busy.
    if (request.url.startsWith('/health/')) return done()
    if (underWay >= limit) return done(overloaded)
    const place = newPlace()
    request.place = place
    place.take()
    reply.raw.once('close', place.end)
    arrived.push(done)
    if (arrived.length === 1) beginAfterTurn()
  })
  // A body may take as long to arrive as its sender likes.
  app.addHook('preParsing', (request, _reply, _body, done) => {
    request.place?.leave()
    done()
  })
  app.addHook('preValidation', (request, _reply, done) => {
    request.place?.take()
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    request.place?.end()
    done()
  })
}

/** Waits for what others bring about, and takes no place among the requests under way meanwhile. */
export async function standBy<T>(place: Place | undefined, wait: () => Promise<T>): Promise<T> {
  place?.leave()
  try {
    return await wait()
  } finally {
    place?.take()
  }
}
