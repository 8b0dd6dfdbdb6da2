import { UnreachableError } from './problem-error.ts'

/** What sends a request: `fetch`, or something in its place. */
export type Send = (request: Request) => Promise<Response>

export interface RetryOptions {
  /** How often a request is sent at most, the first time included; 5 if absent, 1 for never again. */
  readonly tries?: number
  /** How long all tries and the pauses between them may take together; 60,000 if absent. */
  readonly totalMs?: number
  /** How long one try may take; 35,000 if absent, for a command may be asked to wait for its outcome for 30 seconds. */
  readonly tryMs?: number
  /** The pause before the second try, about; it doubles with each; 200 if absent. */
  readonly pauseMs?: number
  /** The longest pause that is chosen here; 5,000 if absent. What `Retry-After` asks for may be longer. */
  readonly longestPauseMs?: number
}

type Times = Required<RetryOptions>

const defaults: Times = { tries: 5, totalMs: 60_000, tryMs: 35_000, pauseMs: 200, longestPauseMs: 5_000 }

/** Refused before anything was done, whatever was asked for. */
const tooMany = 429
/** Answered by the shop, or by what stands before it, where it may have been done. */
const unavailable = [502, 503, 504]

/**
 * How long a header asks to wait, in milliseconds.
 * @param value of `Retry-After`: seconds or a date (RFC 9110, 10.2.3)
 * @returns undefined for none, and for one that says nothing
 */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/**
 * How long to pause before the next try: doubling, with jitter, so that those who were refused together do not come back
 * together; never less than was asked for.
 * @param tried how often it was tried
 * @param askedMs what `Retry-After` asks for
 * @param random from 0 to 1
 */
export function pauseOf(
  tried: number,
  askedMs: number | undefined,
  random: number,
  options: RetryOptions = {},
): number {
  const { pauseMs, longestPauseMs } = { ...defaults, ...options }
  const chosenMs = Math.min(longestPauseMs, pauseMs * 2 ** (tried - 1)) * (0.5 + random / 2)
  return askedMs === undefined ? chosenMs : askedMs + chosenMs
}

/** Whether a request takes effect once, however often it is sent. */
function isRepeatable({ method, headers }: Request): boolean {
  return method === 'GET' || headers.has('idempotency-key')
}

/** Resolves after a time, or rejects at once when the signal is given. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Sends a request once, and reads the whole answer: a connection may break in the middle of it. */
async function attempt(send: Send, request: Request, signal: AbortSignal): Promise<Response> {
  const response = await send(new Request(request.clone(), { signal }))
  const { status, statusText, headers } = response
  const body = await response.text()
  return new Response(body === '' ? null : body, { status, statusText, headers })
}

/**
 * Sends requests again that were refused for now (429, 503), got lost, or were not answered, where sending them twice takes
 * effect once: queries, and commands with an idempotency key.
 * @returns what sends a request and gives the last answer; it throws UnreachableError where there was none, and the reason
 *   of the request's signal when that is given
 */
export function retrying(send: Send, options: RetryOptions = {}): Send {
  const times = { ...defaults, ...options }
  return async (request) => {
    const startedMs = performance.now()
    const leftMs = () => times.totalMs - (performance.now() - startedMs)
    for (let tried = 1; ; tried++) {
      request.signal.throwIfAborted()
      let answer: Response | undefined
      let failure: unknown
      try {
        const timeout = AbortSignal.timeout(Math.max(1, Math.min(times.tryMs, leftMs())))
        answer = await attempt(send, request, AbortSignal.any([request.signal, timeout]))
        if (answer.status !== tooMany && !(unavailable.includes(answer.status) && isRepeatable(request))) return answer
      } catch (error) {
        request.signal.throwIfAborted()
        failure = error
        if (!isRepeatable(request)) throw new UnreachableError(error)
      }
      const askedMs = answer && retryAfterMs(answer.headers.get('retry-after'), Date.now())
      const pauseMs = pauseOf(tried, askedMs, Math.random(), times)
      if (tried >= times.tries || pauseMs >= leftMs()) {
        if (answer) return answer
        throw new UnreachableError(failure)
      }
      await pause(pauseMs, request.signal)
    }
  }
}
