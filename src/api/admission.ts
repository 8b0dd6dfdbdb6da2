import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { problem, problemJson } from './problems.ts'

/** Refuses at once what the server can't take, before anything of it is read, so that the rest is answered in time. */

export interface AdmissionLimits {
  /** Requests under way at a time, those not counted whose body is on its way or that only wait for others. */
  readonly maxRequests: number
  /** How long the event loop may be busy with requests that it took together before the rest of them are refused, and fewer taken. */
  readonly maxTurnMs: number
}

export interface AdmissionOptions extends AdmissionLimits {
  /** Origins of web pages that are told why they are refused. */
  readonly corsOrigins: readonly string[]
  /** Told of each request that is refused, for those never reach a route. */
  readonly onRefused?: (method: string) => void
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly answer: Answer
}

export interface Admission {
  /** A server that hands on what it takes. */
  server(options: ServerOptions, answer: Answer): Server
  /** A request needs nothing for now: its body is on its way, or it waits for others. */
  leave(request: IncomingMessage): void
  /** It goes on. */
  goOn(request: IncomingMessage): void
}

/** However busy the event loop is, so many are taken: other work than requests may be the cause. */
const fewestRequests = 40
/** Longest that requests wait for others of the same moment; only a storm of new connections takes so long. */
const gatherMs = 200

const { problem: overloaded } = problem(
  503,
  'overloaded',
  'There is more to do than this server can. Send the request again when Retry-After is over.',
)

/**
 * Bounds the requests under way. While turns of the event loop take too long the bound sinks, and else it rises again.
 * What waits in the kernel has to be counted, too: each turn accepts one connection, so that a server that answered at
 * once whatever it finds would never see how many wait. So it looks around before it begins.
 */
export function admission(options: AdmissionOptions): Admission {
  const { maxRequests, maxTurnMs, corsOrigins, onRefused = () => {}, now = () => performance.now() } = options
  let limit = maxRequests
  /** Requests, and whether each takes one of the places. */
  const places = new WeakMap<IncomingMessage, boolean>()
  let underWay = 0
  let arrived: Arrival[] = []
  let isAnyAccepted = false
  let isGathering = false

  function leave(request: IncomingMessage): void {
    if (!places.get(request)) return
    places.set(request, false)
    underWay--
  }

  function goOn(request: IncomingMessage): void {
    if (places.get(request) !== false) return
    places.set(request, true)
    underWay++
  }

  /** Turns of the event loop in which only is taken up what waits, for as long as there are new connections, though not for long. */
  function gather(): void {
    if (isGathering) return
    isGathering = true
    const until = now() + gatherMs
    function lookAround(): void {
      // Of a connection that was accepted now nothing has been read yet.
      const isMoreToRead = isAnyAccepted
      isAnyAccepted = false
      if (isMoreToRead && now() < until) setImmediate(lookAround)
      else {
        isGathering = false
        beginArrived()
      }
    }
    setImmediate(lookAround)
  }

  function beginArrived(): void {
    const all = arrived
    arrived = []
    const begunAt = now()
    // Each as a task of its own, so that what it can do at once is done before the next one is looked at.
    for (const each of all) setImmediate(() => begin(each, begunAt))
    if (all.length > 0) setImmediate(() => setImmediate(() => adjust(now() - begunAt)))
  }

  function begin({ request, response, answer }: Arrival, begunAt: number): void {
    if (underWay <= fewestRequests || now() - begunAt <= maxTurnMs) answer(request, response)
    else {
      leave(request)
      refuse(request, response)
    }
  }

  function adjust(turnMs: number): void {
    limit = turnMs > maxTurnMs ? Math.max(Math.min(fewestRequests, maxRequests), limit * 0.9) : limit + 1
    limit = Math.min(maxRequests, limit)
  }

  function refuse({ headers, method = '' }: IncomingMessage, response: ServerResponse): void {
    const correlationId = randomUUID()
    const body = problemJson(overloaded, correlationId)
    const { origin } = headers
    response.writeHead(503, {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'daybook-correlation-id': correlationId,
      'retry-after': '1',
      ...(origin !== undefined &&
        (corsOrigins.includes(origin) || corsOrigins.includes('*')) && {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'Retry-After',
          vary: 'Origin',
        }),
    })
    response.end(body)
    onRefused(method)
  }

  return {
    server(serverOptions, answer) {
      const server = createServer(serverOptions, (request, response) => {
        // Who watches over the server must not take it for dead while it is only busy.
        if (request.url?.startsWith('/health/')) return answer(request, response)
        if (underWay >= limit) return refuse(request, response)
        places.set(request, true)
        underWay++
        response.once('close', () => {
          leave(request)
          places.delete(request)
        })
        arrived.push({ request, response, answer })
        gather()
      })
      return server.on('connection', () => {
        isAnyAccepted = true
        // Also while all are refused, for who is accepted late is refused late.
        gather()
      })
    },
    leave,
    goOn,
  }
}
