import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { sandboxGateway } from '../../../src/adapters/sandbox/gateway.ts'
import { type SandboxServerOptions, sandboxServer } from '../../../src/adapters/sandbox/server.ts'
import { systemClock } from '../../../src/engine/clock.ts'
import type { GatewayNotice, PaymentGateway } from '../../../src/workers/payment-gateway.ts'
import { type CallbackReceiver, receiveCallbacks } from './callback-receiver.ts'
import { urlOf } from './http-server.ts'

/** The numbers of the test cards, by what they do. */
export const cards = {
  succeeds: '4242424242424242',
  declined: '4000000000000002',
  noMoney: '4000000000009995',
  pending: '4000000000001000',
  pendingRefused: '4000000000001018',
  twice: '4000000000001026',
  outOfOrder: '4000000000001034',
  never: '4000000000001042',
  fails: '4000000000001059',
  hangs: '4000000000001067',
  captureRefused: '4000000000001075',
  refundRefused: '4000000000001083',
  redirect: '4000002760003184',
}

export const secret = `whsec_${Buffer.alloc(32, 'sandbox').toString('base64')}`

export interface Sandbox {
  readonly url: string
  readonly gateway: PaymentGateway
  readonly receiver: CallbackReceiver
  readonly errors: readonly Error[]
  token(number: string): Promise<string>
  /** The next callback, verified and parsed. */
  notice(): Promise<GatewayNotice>
  get(path: string): Promise<Response>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  /** What the sandbox itself says of a payment. */
  payment(reference: string): Promise<unknown>
}

const Token = z.object({ token: z.string() })
let keys = 0

/** An idempotency key that no other call has. */
export function freshKey(): string {
  return `key-${++keys}`
}

/** Starts a sandbox, a receiver of its callbacks and a gateway over it, for as long as the test runs. */
export async function startSandbox(
  options: Partial<SandboxServerOptions> = {},
  { timeoutMs = 5_000 } = {},
): Promise<Sandbox> {
  const { clock = systemClock } = options
  const errors: Error[] = []
  const receiver = await receiveCallbacks(clock.now)
  const server = sandboxServer({
    secret,
    callbackUrl: () => receiver.url,
    callbackRetryDelayMs: 1,
    onError: (error) => errors.push(error),
    ...options,
    behaviour: { callbackDelayMs: 0, ...options.behaviour },
  })
  onTestFinished(async () => {
    await server.close()
    receiver.close()
  })
  const listening: Promise<string> = server.listen({ host: '127.0.0.1', port: 0 })
  await listening
  const url = urlOf(server.server)
  const gateway = sandboxGateway({ url, secret, timeoutMs })

  function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  return {
    url,
    gateway,
    receiver,
    errors,
    async token(number) {
      const response = await post('/v1/tokens', { number, expiry: '12/39', cvc: '123' })
      return Token.parse(await response.json()).token
    },
    notice: async () => gateway.parseCallback(await receiver.next()),
    get: (path) => fetch(`${url}${path}`),
    post,
    payment: async (reference) => (await fetch(`${url}/v1/payments/${reference}`)).json(),
  }
}

/** What can be asked for a payment of 25.00 EUR, each call with a key of its own. */
export function payment(gateway: PaymentGateway, paymentId = `payment-${freshKey()}`) {
  const money = (amount: number, idempotencyKey: string) => ({ paymentId, amount, currency: 'EUR', idempotencyKey })
  return {
    paymentId,
    authorise: (token: string, key = freshKey()) => gateway.authorise({ token, ...money(2500, key) }),
    capture: (reference: string, amount = 2500, key = freshKey()) =>
      gateway.capture({ reference, ...money(amount, key) }),
    refund: (reference: string, amount = 2500, key = freshKey()) =>
      gateway.refund({ reference, ...money(amount, key) }),
    cancel: (reference: string, key = freshKey()) => gateway.cancel({ reference, ...money(2500, key) }),
  }
}
