import pRetry from 'p-retry'
import type { Clock } from '../../engine/clock.ts'
import type { GatewayNotice } from '../../workers/payment-gateway.ts'
import { signatureHeaders } from '../standard-webhooks/signature.ts'

export interface CallbackOptions {
  /** Where callbacks go, asked at each try; undefined as long as nobody has said. */
  readonly url: () => string | undefined
  readonly key: Buffer
  readonly clock: Clock
  /** Tries after the first, each after twice the time of the one before, up to a minute. */
  readonly retries: number
  readonly retryDelayMs: number
  readonly timeoutMs: number
  /** Told of each notice that could not be delivered. */
  readonly onError: (error: Error) => void
}

export interface Callbacks {
  /** Delivers a notice, trying again while it is not taken. @returns whether it was taken; never throws */
  deliver(notice: GatewayNotice): Promise<boolean>
  /** Delivers a notice with a single try. @returns whether it was taken; never throws */
  tryOnce(notice: GatewayNotice): Promise<boolean>
  /** Gives up what is under way. */
  close(): void
}

const longestRetryDelayMs = 60_000
const mostAtOnce = 50

/** Makes what sends callbacks. No more than 50 are under way at once; how many wait is up to the caller. */
export function callbackSender(options: CallbackOptions): Callbacks {
  const { key, clock, retries, retryDelayMs, timeoutMs, onError } = options
  const closing = new AbortController()
  const turn = turns(mostAtOnce)

  async function post(notice: GatewayNotice): Promise<void> {
    const url = options.url()
    if (url === undefined) throw new Error('Nobody has said where callbacks go')
    const body = Buffer.from(JSON.stringify(callbackBody(notice)))
    const response = await fetch(url, {
      method: 'POST',
      // Each try is signed anew, or a late one would be refused for its age.
      headers: { 'content-type': 'application/json', ...signatureHeaders([key], notice.noticeId, body, clock.now()) },
      body,
      redirect: 'error',
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`The callback was answered ${response.status}`)
  }

  async function send(notice: GatewayNotice, tries: number): Promise<boolean> {
    try {
      await pRetry(() => turn(() => post(notice)), {
        retries: tries,
        minTimeout: retryDelayMs,
        maxTimeout: Math.max(retryDelayMs, longestRetryDelayMs),
        unref: true,
        signal: closing.signal,
      })
      return true
    } catch (cause) {
      if (!closing.signal.aborted) onError(new Error(`The notice ${notice.noticeId} was not delivered`, { cause }))
      return false
    }
  }

  return {
    deliver: (notice) => send(notice, retries),
    tryOnce: (notice) => send(notice, 0),
    close: () => closing.abort(),
  }
}

function callbackBody({ noticeId, kind, occurredAt, ...data }: GatewayNotice): object {
  return { type: kind, timestamp: occurredAt, data }
}

/** Lets so many run at once, the others after them in the order they came. */
function turns(count: number): (run: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = []
  let free = count
  return async (run) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      await run()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
