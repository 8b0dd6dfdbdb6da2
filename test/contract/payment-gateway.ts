import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type CallbackRequest,
  ForgedCallbackError,
  type GatewayAnswer,
  type GatewayNotice,
  type PaymentGateway,
} from '../../src/workers/payment-gateway.ts'

/** What every payment gateway must do, whether it answers at once or calls back. */

export interface PaymentGatewayHarness {
  readonly gateway: PaymentGateway
  /**
   * Makes a token for a card: `succeeds` and `refused` in whichever way the gateway prefers, `pending` is one whose
   * authorisation, capture and refund are told by callbacks.
   */
  token(card: 'succeeds' | 'refused' | 'pending'): Promise<string>
  /** The earliest callback that nobody has taken yet; waits for it. */
  nextCallback(): Promise<CallbackRequest>
  /** Lets the gateway send all callbacks of a payment once more. */
  resend(reference: string): Promise<void>
  /** Lets go of everything. */
  dispose(): Promise<void>
}

const hourMs = 3_600_000

/**
 * Defines the tests of the port.
 * @param harness makes a gateway with no payments
 */
export function paymentGatewayContract(harness: () => Promise<PaymentGatewayHarness>): void {
  async function made() {
    const made = await harness()
    onTestFinished(() => made.dispose())
    const { gateway } = made
    const paymentId = randomUUID()
    const money = (amount: number, idempotencyKey: string) => ({ paymentId, amount, currency: 'EUR', idempotencyKey })

    /** What became of a call, be it by its answer or by the callback after it. */
    async function outcome(answer: GatewayAnswer): Promise<'succeeded' | 'refused'> {
      if (answer.status !== 'pending') return answer.status
      const notice = gateway.parseCallback(await made.nextCallback())
      return notice.kind.endsWith('-refused') ? 'refused' : 'succeeded'
    }

    return {
      ...made,
      paymentId,
      outcome,
      authorise: (token: string, amount = 1000, key: string = randomUUID()) =>
        gateway.authorise({ token, ...money(amount, key) }),
      capture: (reference: string, amount = 1000, key: string = randomUUID()) =>
        gateway.capture({ reference, ...money(amount, key) }),
      refund: (reference: string, amount = 1000, key: string = randomUUID()) =>
        gateway.refund({ reference, ...money(amount, key) }),
      cancel: (reference: string, key: string = randomUUID()) => gateway.cancel({ reference, ...money(1000, key) }),
    }
  }

  async function authorised() {
    const on = await made()
    const answer = await on.authorise(await on.token('succeeds'))
    expect(await on.outcome(answer)).toBe('succeeded')
    return { ...on, reference: referenceOf(answer) }
  }

  async function captured() {
    const on = await authorised()
    expect(await on.outcome(await on.capture(on.reference))).toBe('succeeded')
    return on
  }

  test('has a name for payments and paths', async () => {
    const { gateway } = await made()
    expect(gateway.name).toMatch(/^[a-z][a-z0-9-]{0,39}$/)
  })

  describe('an authorisation', () => {
    test('holds money, and names the payment', async () => {
      const { reference } = await authorised()
      expect(reference).toMatch(/^.{1,200}$/)
    })

    test('is refused with a code for programs and a reason for people', async () => {
      const on = await made()
      const answer = await on.authorise(await on.token('refused'))
      const refusal = answer.status === 'pending' ? on.gateway.parseCallback(await on.nextCallback()) : answer
      expect(refusal).toMatchObject({ code: expect.stringMatching(/^[a-z0-9-]{1,100}$/) })
      expect(refusal).toMatchObject({ reason: expect.stringMatching(/^.{1,300}$/) })
    })

    test('is refused for a token that nobody gave', async () => {
      const on = await made()
      expect(await on.authorise('tok_of_nobody')).toMatchObject({ status: 'refused' })
    })

    test('is made once and answered alike, also when it is asked several times at once', async () => {
      const on = await made()
      const token = await on.token('succeeds')
      const key = randomUUID()
      const answers = await Promise.all(Array.from({ length: 5 }, () => on.authorise(token, 1000, key)))
      const later = await on.authorise(token, 1000, key)
      for (const answer of answers) expect(answer).toEqual(later)
      const other = await on.authorise(token, 1000)
      expect(referenceOf(other)).not.toBe(referenceOf(later))
    })

    test('is not made when its key was used for another amount', async () => {
      const on = await made()
      const token = await on.token('succeeds')
      const key = randomUUID()
      const first = await on.authorise(token, 1000, key)
      await expect(on.authorise(token, 1001, key)).rejects.toThrow()
      expect(await on.authorise(token, 1000, key)).toEqual(first)
    })
  })

  describe('a capture', () => {
    test('takes what is held, and no more', async () => {
      const on = await authorised()
      expect(await on.outcome(await on.capture(on.reference, 1001))).toBe('refused')
      expect(await on.outcome(await on.capture(on.reference))).toBe('succeeded')
      expect(await on.outcome(await on.capture(on.reference, 1))).toBe('refused')
    })

    test('is made once and answered alike', async () => {
      const on = await authorised()
      const key = randomUUID()
      const first = await on.capture(on.reference, 1000, key)
      expect(await on.outcome(first)).toBe('succeeded')
      expect(await on.capture(on.reference, 1000, key)).toEqual(first)
    })

    test('is refused for a payment that nobody made', async () => {
      const on = await made()
      expect(await on.capture('pay_of_nobody')).toMatchObject({ status: 'refused' })
    })
  })

  describe('a refund', () => {
    test('gives back what was taken, in parts, and no more', async () => {
      const on = await captured()
      expect(await on.outcome(await on.refund(on.reference, 400))).toBe('succeeded')
      expect(await on.outcome(await on.refund(on.reference, 601))).toBe('refused')
      expect(await on.outcome(await on.refund(on.reference, 600))).toBe('succeeded')
      expect(await on.outcome(await on.refund(on.reference, 1))).toBe('refused')
    })

    test('is made once and answered alike', async () => {
      const on = await captured()
      const key = randomUUID()
      const first = await on.refund(on.reference, 400, key)
      expect(await on.outcome(first)).toBe('succeeded')
      expect(await on.refund(on.reference, 400, key)).toEqual(first)
      expect(await on.outcome(await on.refund(on.reference, 600))).toBe('succeeded')
    })

    test('is refused where nothing was taken', async () => {
      const on = await authorised()
      expect(await on.outcome(await on.refund(on.reference, 1))).toBe('refused')
    })
  })

  describe('a cancellation', () => {
    test('lets go of what is held, so that nothing can be taken', async () => {
      const on = await authorised()
      expect(await on.cancel(on.reference)).toMatchObject({ status: 'succeeded' })
      expect(await on.outcome(await on.capture(on.reference))).toBe('refused')
    })

    test('succeeds again where nothing is held any more', async () => {
      const on = await authorised()
      await on.cancel(on.reference)
      expect(await on.cancel(on.reference)).toMatchObject({ status: 'succeeded' })
    })

    test('is refused where all was taken', async () => {
      const on = await captured()
      expect(await on.cancel(on.reference)).toMatchObject({ status: 'refused' })
    })
  })

  describe('callbacks', () => {
    test('tell of an authorisation, its capture and its refund', async () => {
      const on = await made()
      const answer = await on.authorise(await on.token('pending'))
      expect(answer).toMatchObject({ status: 'pending', nextAction: { kind: 'none' } })
      const reference = referenceOf(answer)
      const next = async () => on.gateway.parseCallback(await on.nextCallback())
      const about = { paymentId: on.paymentId, reference, currency: 'EUR', occurredAt: expect.stringMatching(/Z$/) }

      expect(await next()).toMatchObject({ kind: 'authorised', amount: 1000, ...about })
      expect(await on.capture(reference, 900)).toMatchObject({ status: 'pending', reference })
      expect(await next()).toMatchObject({ kind: 'captured', amount: 900, ...about })
      const refundId = randomUUID()
      expect(await on.refund(reference, 300, refundId)).toMatchObject({ status: 'pending', reference })
      expect(await next()).toMatchObject({ kind: 'refunded', amount: 300, refundId, ...about })
    })

    test('are the same notice when they come again, and different ones have different ids', async () => {
      const on = await made()
      const reference = referenceOf(await on.authorise(await on.token('pending')))
      const first: GatewayNotice[] = [on.gateway.parseCallback(await on.nextCallback())]
      await on.capture(reference)
      first.push(on.gateway.parseCallback(await on.nextCallback()))
      expect(new Set(first.map(({ noticeId }) => noticeId)).size).toBe(2)

      await on.resend(reference)
      const again = [await on.nextCallback(), await on.nextCallback()].map((each) => on.gateway.parseCallback(each))
      expect(again).toEqual(expect.arrayContaining(first))
    })

    test('are forged when they were changed, are not signed, or come at another time', async () => {
      const on = await made()
      await on.authorise(await on.token('pending'))
      const callback = await on.nextCallback()
      const { headers, body, now } = callback
      const changed = Buffer.from(body.toString().replaceAll('1000', '1'))
      expect(changed.equals(body)).toBe(false)

      const forged: CallbackRequest[] = [
        { headers, body: changed, now },
        { headers, body: Buffer.concat([body, Buffer.from(' ')]), now },
        { headers: {}, body, now },
        { headers, body, now: now + hourMs },
        { headers, body, now: now - hourMs },
      ]
      for (const each of forged) expect(() => on.gateway.parseCallback(each)).toThrow(ForgedCallbackError)
      expect(on.gateway.parseCallback(callback)).toMatchObject({ kind: 'authorised' })
    })
  })
}

function referenceOf(answer: GatewayAnswer): string {
  if (answer.status === 'refused') throw new Error(`refused: ${answer.code}`)
  return answer.reference
}
