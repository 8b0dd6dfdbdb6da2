import { z } from 'zod'
import { UnavailableError } from '../../engine/errors.ts'
import {
  type AuthoriseRequest,
  type CallbackRequest,
  type FollowUpRequest,
  ForgedCallbackError,
  type GatewayAnswer,
  type GatewayNotice,
  type PaymentGateway,
} from '../../workers/payment-gateway.ts'
import { signingKey, verifiedId } from './callback-signature.ts'

export interface SandboxGatewayOptions {
  /** Where the sandbox listens, such as `http://127.0.0.1:4010`. */
  readonly url: string
  /** What the sandbox signs its callbacks with: `whsec_` and base64. */
  readonly secret: string
  /** How long one call may take, until its whole answer is there. */
  readonly timeoutMs: number
}

const reference = z.string().min(1).max(200)
const code = z.string().min(1).max(100)
const reason = z.string().min(1).max(300)
const amount = z.int().min(0)
const currency = z.string().regex(/^[A-Z]{3}$/)

const Answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('succeeded'), reference }),
  z.object({
    status: z.literal('pending'),
    reference,
    nextAction: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('none') }),
      z.object({ kind: z.literal('redirect'), url: z.url({ protocol: /^https?$/ }).max(2_000) }),
    ]),
  }),
  z.object({ status: z.literal('refused'), code, reason }),
])

const Callback = z.object({
  type: z.enum(['authorised', 'authorisation-refused', 'captured', 'capture-refused', 'refunded', 'refund-refused']),
  timestamp: z.iso.datetime({ precision: 3 }),
  data: z.object({
    paymentId: z.string().min(1).max(100),
    reference,
    amount,
    currency,
    refundId: z.string().min(1).max(100).exactOptional(),
    code: code.exactOptional(),
    reason: reason.exactOptional(),
  }),
})

/** Statuses that say that the same call may work later. */
const passing = new Set([408, 425, 429])

/**
 * The gateway of the sandbox, called over HTTP.
 * @throws Error when the secret is no Standard Webhooks secret
 */
export function sandboxGateway({ url, secret, timeoutMs }: SandboxGatewayOptions): PaymentGateway {
  const key = signingKey(secret)
  const payments = `${url.replace(/\/+$/, '')}/v1/payments`

  async function call(address: string, idempotencyKey: string, body: object): Promise<GatewayAnswer> {
    const { status, text } = await exchange(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (status >= 500 || passing.has(status)) {
      throw new UnavailableError('gateway-unavailable', `The sandbox gateway answered ${status}${problemCode(text)}`)
    }
    if (status < 200 || status > 299) throw new Error(`The sandbox gateway answered ${status}${problemCode(text)}`)
    const answer = Answer.safeParse(json(text))
    if (answer.success) return answer.data
    throw new Error('The sandbox gateway answered what is no answer', { cause: answer.error })
  }

  function followUp(verb: 'capture' | 'refund' | 'cancel') {
    return ({ reference, idempotencyKey, paymentId, amount, currency }: FollowUpRequest) =>
      call(`${payments}/${encodeURIComponent(reference)}/${verb}`, idempotencyKey, { paymentId, amount, currency })
  }

  return {
    name: 'sandbox',

    authorise: ({ idempotencyKey, paymentId, token, amount, currency }: AuthoriseRequest) =>
      call(payments, idempotencyKey, { paymentId, token, amount, currency }),

    capture: followUp('capture'),
    refund: followUp('refund'),
    cancel: followUp('cancel'),

    parseCallback(request: CallbackRequest): GatewayNotice {
      const noticeId = verifiedId(key, request)
      const callback = Callback.safeParse(json(request.body.toString()))
      if (!callback.success) throw new ForgedCallbackError('The callback is no notice', { cause: callback.error })
      const { type, timestamp, data } = callback.data
      return { noticeId, kind: type, ...data, occurredAt: timestamp }
    },
  }
}

async function exchange(
  address: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(address, init)
    return { status: response.status, text: await response.text() }
  } catch (cause) {
    throw new UnavailableError('gateway-unavailable', 'The sandbox gateway did not answer', 1, { cause })
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const Problem = z.object({ code })

function problemCode(text: string): string {
  const problem = Problem.safeParse(json(text))
  return problem.success ? ` (${problem.data.code})` : ''
}
