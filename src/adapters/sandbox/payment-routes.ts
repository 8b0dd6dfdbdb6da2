import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../engine/clock.ts'
import type { GatewayAnswer } from '../../workers/payment-gateway.ts'
import type { Choices } from './behaviour.ts'
import type { Calls } from './calls.ts'
import { type Payment, view } from './payment.ts'
import { Problem, parse } from './problem.ts'
import type { Processor } from './processor.ts'
import type { CardBehaviour } from './test-cards.ts'

export interface PaymentRoutesOptions {
  readonly processor: Processor
  readonly calls: Calls
  readonly choices: Choices
  readonly clock: Clock
  /** Finds what the card of a token does. */
  readonly cardOf: (token: string) => CardBehaviour | undefined
  /** How shoppers' browsers reach the sandbox; as the caller did if undefined. */
  readonly publicUrl: string | undefined
}

const FollowUp = z.object({
  paymentId: z.string().min(1).max(100),
  amount: z.int().min(1).max(1_000_000_000_000),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
})
const Authorisation = FollowUp.extend({ token: z.string().min(1).max(500) })
const Key = z.string().min(1).max(200)
const Reference = z.object({ reference: z.string().min(1).max(200) })

const longestHangMs = 60_000

/** Adds what a shop's server calls: each payment from its authorisation on, and the callbacks of one once more. */
export function paymentRoutes(app: FastifyInstance, options: PaymentRoutesOptions): void {
  const { processor, calls, choices, clock, cardOf, publicUrl } = options

  /** Does what a call asks for, once for each idempotency key, and lets go wrong what has to. */
  function serve(
    request: FastifyRequest,
    reply: FastifyReply,
    body: object,
    card: CardBehaviour | undefined,
    run: (key: string) => GatewayAnswer,
  ): GatewayAnswer | FastifyReply {
    const header = request.headers['idempotency-key']
    if (header === undefined) throw new Problem(400, 'idempotency-key-missing', 'An Idempotency-Key is needed.')
    const key = parse(Key, header)
    const call = calls.attempt(key, JSON.stringify([request.url, body]))
    const interference = choices.interference(card ?? {}, key, call.attempts)
    if (interference === 'failure') throw new Problem(500, 'sandbox-failure', 'The sandbox fails on purpose.')
    call.answer ??= run(key)
    return interference === 'hang' ? hang(reply) : call.answer
  }

  /** Leaves a request without an answer, though not for ever. */
  function hang(reply: FastifyReply): FastifyReply {
    const stop = clock.after(longestHangMs, () => reply.raw.destroy())
    reply.raw.once('close', stop)
    return reply.hijack()
  }

  function found(request: FastifyRequest): Payment {
    const payment = processor.find(parse(Reference, request.params).reference)
    if (payment === undefined) throw new Problem(404, 'payment-not-found', 'There is no such payment.')
    return payment
  }

  app.post('/', async (request, reply) => {
    const { token, ...money } = parse(Authorisation, request.body)
    const card = cardOf(token)
    const base = publicUrl ?? `${request.protocol}://${request.host}`
    return serve(request, reply, { token, ...money }, card, (key) => {
      if (card === undefined) return { status: 'refused', code: 'unknown-token', reason: 'The card is not known.' }
      return processor.authorise({ ...money, key, card, approvalUrl: (reference) => `${base}/approvals/${reference}` })
    })
  })

  for (const step of ['capture', 'refund', 'cancel'] as const) {
    app.post(`/:reference/${step}`, async (request, reply) => {
      const { reference } = parse(Reference, request.params)
      const body = parse(FollowUp, request.body)
      return serve(request, reply, body, processor.find(reference)?.card, (key) =>
        step === 'cancel' ? processor.cancel(reference, body) : processor.followUp(step, reference, key, body),
      )
    })
  }

  app.get('/:reference', async (request) => view(found(request)))

  app.post('/:reference/callbacks/resend', async (request) => ({ notices: await processor.resend(found(request)) }))
}
