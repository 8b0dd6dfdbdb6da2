import { type FastifyInstance, fastify } from 'fastify'
import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../../engine/clock.ts'
import { approvalRoutes } from './approval-routes.ts'
import { Behaviour, choices } from './behaviour.ts'
import { signingKey } from './callback-signature.ts'
import { callbackSender } from './callbacks.ts'
import { callMemory } from './calls.ts'
import { messageRoutes } from './message-routes.ts'
import { paymentRoutes } from './payment-routes.ts'
import { Problem, problemOf, sendProblem } from './problem.ts'
import { paymentProcessor } from './processor.ts'
import type { CardBehaviour } from './test-cards.ts'
import { tokenRoutes } from './token-routes.ts'

export interface SandboxServerOptions {
  /** What callbacks are signed with: `whsec_` and 24 to 64 bytes in base64. */
  readonly secret: string
  /** Where callbacks go, asked at each try; while it is undefined they fail. */
  readonly callbackUrl: () => string | undefined
  /** What it does where a card does not say otherwise; by default every payment succeeds at once. */
  readonly behaviour?: Partial<Behaviour>
  /** How shoppers' browsers reach it, for redirects; by default as the caller did. */
  readonly publicUrl?: string | undefined
  /** Origins of the pages that may look into the mailbox; by default none. */
  readonly pageOrigins?: readonly string[]
  /** Tries after the first. */
  readonly callbackRetries?: number
  /** Before the first retry; it doubles with each. */
  readonly callbackRetryDelayMs?: number
  readonly callbackTimeoutMs?: number
  /** Beyond so many, those used least recently are forgotten; so many callbacks may wait, too. */
  readonly maxPayments?: number
  readonly clock?: Clock
  /** Told of what no answer tells of: undelivered notices, and failures of the sandbox itself. Must not throw. */
  readonly onError?: (error: Error) => void
}

const bodyLimitBytes = 16_384
/** A payment is an authorisation, a capture, a refund, and one more. */
const callsPerPayment = 4

/**
 * Makes the sandbox: a payment gateway that moves no money and does what its test cards and settings say.
 * It does not listen yet. Closing it gives up the callbacks under way.
 * @throws Error when the secret or the behaviour is not valid
 */
export function sandboxServer(options: SandboxServerOptions): FastifyInstance {
  const { publicUrl, pageOrigins = [], maxPayments = 50_000, clock = systemClock, onError = () => {} } = options
  const behaviour = Behaviour.parse(options.behaviour ?? {})
  const callbacks = callbackSender({
    url: options.callbackUrl,
    key: signingKey(options.secret),
    clock,
    retries: options.callbackRetries ?? 8,
    retryDelayMs: options.callbackRetryDelayMs ?? 500,
    timeoutMs: options.callbackTimeoutMs ?? 5_000,
    onError,
  })
  const { callbackDelayMs } = behaviour
  const chosen = choices(behaviour)
  const processor = paymentProcessor({ choices: chosen, callbacks, clock, callbackDelayMs, maxPayments })
  const calls = callMemory(maxPayments * callsPerPayment)
  const cards = new LRUCache<string, CardBehaviour>({ max: maxPayments })
  const cardOf = (token: string) => cards.get(token)

  const app = fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => sendProblem(reply, problemOf(error)),
  })
  app.removeContentTypeParser('text/plain')
  app.addHook('onClose', async () => processor.close())
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error)
    if (problem.code === 'sandbox-error') onError(new Error('The sandbox failed', { cause: error }))
    sendProblem(reply, problem)
  })
  app.setNotFoundHandler((_request, reply) => {
    sendProblem(reply, new Problem(404, 'not-found', 'There is nothing here.'))
  })

  app.register(async (scope) => tokenRoutes(scope, clock, (token, card) => cards.set(token, card)), {
    prefix: '/v1/tokens',
  })
  app.register(async (scope) => paymentRoutes(scope, { processor, calls, choices: chosen, clock, cardOf, publicUrl }), {
    prefix: '/v1/payments',
  })
  app.register(async (scope) => approvalRoutes(scope, processor), { prefix: '/approvals' })
  app.register(async (scope) => messageRoutes(scope, clock, pageOrigins), { prefix: '/v1/messages' })
  return app
}
