import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { testCards } from '../../../src/adapters/sandbox/test-cards.ts'
import type { GatewayAnswer } from '../../../src/workers/payment-gateway.ts'
import { manualClock } from '../../manual-clock.ts'
import { cards, freshKey, payment, startSandbox } from './sandbox.ts'

function referenceOf(answer: GatewayAnswer): string {
  if (answer.status === 'refused') throw new Error(`refused: ${answer.code}`)
  return answer.reference
}

const pending = { status: 'pending', reference: expect.any(String), nextAction: { kind: 'none' } }

describe('the card', () => {
  test('that succeeds is authorised, captured and refunded at once, without a callback', async () => {
    const { gateway, token, receiver, payment: shown } = await startSandbox()
    const { paymentId, ...pay } = payment(gateway)
    const answer = await pay.authorise(await token(cards.succeeds))
    const reference = referenceOf(answer)
    expect(answer).toEqual({ status: 'succeeded', reference })
    expect(await pay.capture(reference)).toEqual({ status: 'succeeded', reference })
    expect(await pay.refund(reference, 500)).toEqual({ status: 'succeeded', reference })
    const amounts = { amount: 2500, authorised: 2500, captured: 2500, refunded: 500, currency: 'EUR' }
    expect(await shown(reference)).toMatchObject({ reference, paymentId, status: 'authorised', ...amounts })
    expect(receiver.received).toHaveLength(0)
  })

  test.each([
    ['that is declined', cards.declined, 'card-declined'],
    ['without money', cards.noMoney, 'insufficient-funds'],
  ])('%s is refused at once', async (_, number, code) => {
    const { gateway, token } = await startSandbox()
    const answer = await payment(gateway).authorise(await token(number))
    expect(answer).toEqual({ status: 'refused', code, reason: expect.stringMatching(/\.$/) })
  })

  test('that is pending is authorised when the time has come, and calls back', async () => {
    const clock = manualClock()
    const {
      gateway,
      token,
      notice,
      payment: shown,
    } = await startSandbox({ clock, behaviour: { callbackDelayMs: 5000 } })
    const { paymentId, ...pay } = payment(gateway)
    const answer = await pay.authorise(await token(cards.pending))
    expect(answer).toEqual(pending)
    const reference = referenceOf(answer)
    expect(await pay.capture(reference)).toMatchObject({ status: 'refused', code: 'not-authorised' })

    await clock.advance(4999)
    expect(await shown(reference)).toMatchObject({ status: 'pending', notices: [] })
    await clock.advance(1)
    expect(await shown(reference)).toMatchObject({ status: 'authorised', notices: [{ kind: 'authorised' }] })
    expect(await notice()).toEqual({
      noticeId: expect.stringMatching(/^ntc_/),
      kind: 'authorised',
      paymentId,
      reference,
      amount: 2500,
      currency: 'EUR',
      occurredAt: '2026-01-01T00:00:05.000Z',
    })
  })

  test('that is pending and then refused calls back with the reason', async () => {
    const { gateway, token, notice } = await startSandbox()
    expect(await payment(gateway).authorise(await token(cards.pendingRefused))).toEqual(pending)
    const refused = { kind: 'authorisation-refused', code: 'card-declined', reason: 'The card was declined.' }
    expect(await notice()).toMatchObject(refused)
  })

  test('that calls back twice sends each notice twice, under the same id', async () => {
    const { gateway, token, notice } = await startSandbox()
    const pay = payment(gateway)
    const reference = referenceOf(await pay.authorise(await token(cards.twice)))
    const first = await notice()
    expect(await notice()).toEqual(first)
    await pay.capture(reference)
    const second = await notice()
    expect(second).toMatchObject({ kind: 'captured' })
    expect(await notice()).toEqual(second)
  })

  test('out of order tells of the capture before it tells of the authorisation', async () => {
    const { gateway, token, notice, receiver } = await startSandbox()
    const pay = payment(gateway)
    const answer = await pay.authorise(await token(cards.outOfOrder))
    const reference = referenceOf(answer)
    expect(answer).toMatchObject({ status: 'succeeded' })
    expect(receiver.received).toHaveLength(0)
    expect(await pay.capture(reference)).toEqual(pending)
    const captured = await notice()
    const authorised = await notice()
    expect([captured.kind, authorised.kind]).toEqual(['captured', 'authorised'])
    expect(authorised.occurredAt <= captured.occurredAt).toBe(true)
    // The notice that was held back has gone, and does not come again.
    await pay.refund(reference, 1000)
    expect(await notice()).toMatchObject({ kind: 'refunded', amount: 1000 })
    await pay.refund(reference, 1500)
    expect(await notice()).toMatchObject({ kind: 'refunded', amount: 1500 })
  })

  test('that never calls back is authorised, which nobody hears until it is sent again', async () => {
    const { gateway, token, notice, receiver, payment: shown, post } = await startSandbox()
    const reference = referenceOf(await payment(gateway).authorise(await token(cards.never)))
    await payment(gateway).authorise(await token(cards.pending)) // asked later, so heard of later
    expect(await notice()).not.toMatchObject({ reference })
    expect(receiver.received).toHaveLength(1)
    expect(await shown(reference)).toMatchObject({ status: 'authorised', notices: [{ kind: 'authorised' }] })

    const resent = await post(`/v1/payments/${reference}/callbacks/resend`, {})
    expect(await resent.json()).toEqual({ notices: [{ noticeId: expect.any(String), delivered: true }] })
    expect(await notice()).toMatchObject({ kind: 'authorised', reference })
  })

  test('that fails is answered 500 twice for each call, then works', async () => {
    const { gateway, token } = await startSandbox()
    const pay = payment(gateway)
    const card = await token(cards.fails)
    const failing = /answered 500 \(sandbox-failure\)/
    const key = freshKey()
    await expect(pay.authorise(card, key)).rejects.toThrow(failing)
    await expect(pay.authorise(card, key)).rejects.toThrow(failing)
    const reference = referenceOf(await pay.authorise(card, key))
    const captureKey = freshKey()
    await expect(pay.capture(reference, 2500, captureKey)).rejects.toThrow(failing)
    await expect(pay.capture(reference, 2500, captureKey)).rejects.toThrow(failing)
    expect(await pay.capture(reference, 2500, captureKey)).toEqual({ status: 'succeeded', reference })
  })

  test('that hangs has done it, and says so when asked again', async () => {
    const clock = manualClock()
    const { gateway, token, payment: shown } = await startSandbox({ clock }, { timeoutMs: 15_000 })
    const pay = payment(gateway)
    const card = await token(cards.hangs)

    /** Waits until the sandbox gives up a call that it leaves without an answer. */
    async function hung(call: Promise<GatewayAnswer>): Promise<void> {
      let over = false
      const given = expect(call).rejects.toThrow('did not answer')
      const ended = given.finally(() => {
        over = true
      })
      while (!over) await clock.advance(60_000)
      await ended
    }

    const key = freshKey()
    await hung(pay.authorise(card, key))
    const reference = referenceOf(await pay.authorise(card, key))
    await hung(pay.capture(reference))
    expect(await shown(reference)).toMatchObject({ captured: 2500 })
  })

  test('whose captures are refused is authorised, and can be cancelled', async () => {
    const { gateway, token } = await startSandbox()
    const pay = payment(gateway)
    const reference = referenceOf(await pay.authorise(await token(cards.captureRefused)))
    expect(await pay.capture(reference)).toMatchObject({ status: 'refused', code: 'capture-declined' })
    expect(await pay.cancel(reference)).toEqual({ status: 'succeeded', reference })
  })

  test('whose refunds are refused keeps what was taken', async () => {
    const { gateway, token, payment: shown } = await startSandbox()
    const pay = payment(gateway)
    const reference = referenceOf(await pay.authorise(await token(cards.refundRefused)))
    await pay.capture(reference)
    expect(await pay.refund(reference)).toMatchObject({ status: 'refused', code: 'refund-declined' })
    expect(await shown(reference)).toMatchObject({ captured: 2500, refunded: 0 })
  })

  test('whose refunds are refused calls back so where callbacks tell', async () => {
    const { gateway, token, notice } = await startSandbox({ behaviour: { answer: 'pending' } })
    const pay = payment(gateway)
    const reference = referenceOf(await pay.authorise(await token(cards.refundRefused)))
    await notice()
    await pay.capture(reference)
    await notice()
    expect(await pay.refund(reference, 700, 'refund-7')).toEqual(pending)
    expect(await notice()).toMatchObject({ kind: 'refund-refused', refundId: 'refund-7', code: 'refund-declined' })
  })
})

describe('the page of the documentation', () => {
  test('lists every test card with what it does', () => {
    const page = readFileSync(new URL('../../../docs/sandbox-gateway.md', import.meta.url), 'utf8')
    for (const { number, does } of testCards) expect(page).toContain(`| \`${number}\` | ${does} |`)
  })
})
