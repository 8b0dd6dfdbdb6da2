import { lookup as systemLookup } from 'node:dns'
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Clock } from '../../engine/clock.ts'
import type { WebhookAnswer, WebhookCall, WebhookGateway } from '../../workers/webhook-gateway.ts'
import { signatureHeaders } from '../standard-webhooks/signature.ts'
import { isPublicAddress } from './public-address.ts'

export interface WebhookGatewayOptions {
  /** Calls private addresses, too, and in the clear: for tests, a demo, or where all receivers are one's own. */
  readonly allowsPrivate: boolean
  /** How long a call may take in all, the name's look-up and the answer included. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'now'>
  /** Sent as `User-Agent`. */
  readonly userAgent: string
  /** Resolves names; by default as the system does. */
  readonly lookup?: LookupFunction
}

/** Of an answer so much is read, and thrown away, that a receiver can finish it in peace. */
const maxAnswerBytes = 65_536
const longestRetryAfterMs = 86_400_000

/** The name leads to where nobody may be called. */
class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError'
  readonly code = 'address-not-allowed'
}

/**
 * Calls receivers over HTTP, each time with a connection of its own to an address that was just checked: a name that leads elsewhere
 * at the next look-up gains nothing. Redirects are not followed.
 */
export function webhookGateway(options: WebhookGatewayOptions): WebhookGateway {
  const { allowsPrivate, timeoutMs, clock, userAgent, lookup = systemLookup } = options

  const checkedLookup: LookupFunction = (name, lookupOptions, done) => {
    lookup(name, lookupOptions, (error, found, family) => {
      // Where it failed, nothing is found: the system leaves it out.
      if (error || allowsPrivate) return done(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      if (addresses.every(isPublicAddress)) return done(null, found, family)
      done(new PrivateAddressError(`${name} leads to an address that is not public`), found, family)
    })
  }

  /** Names that are addresses are not looked up, and a name of none of these protocols leads nowhere. */
  function obstacle({ protocol, hostname }: URL): string | undefined {
    if (protocol !== 'https:' && (protocol !== 'http:' || !allowsPrivate)) return 'not-https'
    const address = hostname.replace(/^\[|\]$/g, '')
    return isIP(address) === 0 || allowsPrivate || isPublicAddress(address) ? undefined : 'address-not-allowed'
  }

  function open(url: URL, { messageId, keys, body }: WebhookCall, signal: AbortSignal): ClientRequest {
    const bytes = Buffer.from(body)
    const settings: RequestOptions = {
      method: 'POST',
      agent: false,
      lookup: checkedLookup,
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': bytes.length,
        'user-agent': userAgent,
        ...signatureHeaders(keys, messageId, bytes, clock.now()),
      },
    }
    const request = url.protocol === 'https:' ? httpsRequest(url, settings) : httpRequest(url, settings)
    request.end(bytes)
    return request
  }

  /** What the receiver says is of no interest, but it has to be let finish. */
  function drained(response: IncomingMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= maxAnswerBytes) return
        response.destroy()
        resolve()
      })
      response.on('end', resolve)
      response.on('error', reject)
    })
  }

  function retryAfterMs({ headers }: IncomingMessage): number {
    const said = headers['retry-after'] ?? ''
    const waitMs = /^\d{1,9}$/.test(said) ? Number(said) * 1_000 : Date.parse(said) - clock.now()
    return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(0, waitMs), longestRetryAfterMs)
  }

  async function exchange(url: URL, call: WebhookCall, signal: AbortSignal): Promise<WebhookAnswer> {
    const request = open(url, call, signal)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve)
      request.on('error', reject)
    })
    await drained(response)
    return { kind: 'answered', status: response.statusCode ?? 0, retryAfterMs: retryAfterMs(response) }
  }

  return {
    allowsPrivate,
    async send(call) {
      const url = URL.parse(call.url)
      if (url === null) return { kind: 'unanswered', code: 'url-invalid' }
      const code = obstacle(url)
      if (code !== undefined) return { kind: 'unanswered', code }
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        return await exchange(url, call, signal)
      } catch (error) {
        return { kind: 'unanswered', code: signal.aborted ? 'timeout' : codeOf(error) }
      }
    },
  }
}

/** Short and stable; what else an error says may be anything. */
function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (typeof code !== 'string' || !/^[\w-]{1,60}$/.test(code)) return 'call-failed'
  return code.toLowerCase().replaceAll('_', '-')
}
