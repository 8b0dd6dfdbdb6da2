import { expect, test } from 'vitest'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { paymentQueries, payments } from '../../src/projections/payments.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import type { Happening } from '../../src/testing/recording.ts'

const { given } = readModel(payments)
const [getPayment, listPayments] = paymentQueries
const staff = { principal: asStaff('payments') }
const orderId = 'order-1'
const one = happenings(paymentEvents, 'payment-1')
const request = {
  orderId,
  customerId: 'ada',
  country: 'DE',
  gateway: 'sandbox',
  amount: 6_390,
  currency: 'EUR',
  token: 'tok_secret',
}
const requested = one('PaymentRequested', request)
const authorised = one('PaymentAuthorised', { orderId, reference: 'pay_1', amount: 6_390, currency: 'EUR' })
const captured = one('PaymentCaptured', { orderId, amount: 6_390, currency: 'EUR' })
const failure = { code: 'declined', reason: 'Declined' }
const refund = { orderId, refundId: 'refund-1', amount: 2_500, currency: 'EUR' }

async function after(...events: readonly Happening[]) {
  const shop = given(requested, ...events)
  expect(JSON.stringify(await shop.documents())).not.toContain('secret')
  return await shop.ask(getPayment, { paymentId: 'payment-1' }, staff)
}

test('a payment shows how far it is, and nothing of what it was paid with', async () => {
  expect(await after()).toMatchObject({ orderId, amount: 6_390, status: 'requested', revision: 0 })
  const pending = one('PaymentPending', { orderId, reference: 'pay_1', nextAction: { kind: 'none' } })
  expect(await after(pending)).toMatchObject({ status: 'pending', reference: 'pay_1' })
  expect(await after(one('PaymentFailed', { orderId, ...failure }))).toMatchObject({ status: 'failed', failure })
  const asked = one('CaptureRequested', { orderId })
  expect(await after(authorised, asked)).toMatchObject({ status: 'authorised', capture: 'requested' })
  expect(await after(authorised, asked, captured)).toMatchObject({ status: 'captured', failure: null, revision: 3 })
  const notTaken = one('CaptureFailed', { orderId, ...failure })
  expect(await after(authorised, asked, notTaken)).toMatchObject({ status: 'authorised', capture: 'failed', failure })
  const unwanted = one('PaymentCancelRequested', { orderId })
  expect(await after(authorised, unwanted)).toMatchObject({ status: 'authorised', unwanted: true })
  const cancelled = one('PaymentCancelled', { orderId })
  expect(await after(authorised, unwanted, cancelled)).toMatchObject({ status: 'cancelled' })
})

test('a refund is on its way, then back or failed', async () => {
  const before = [authorised, captured, one('RefundRequested', refund)]
  expect(await after(...before)).toMatchObject({ refunded: 0, refunds: [{ status: 'requested', amount: 2_500 }] })
  const back = one('PaymentRefunded', refund)
  expect(await after(...before, back)).toMatchObject({ refunded: 2_500, refunds: [{ status: 'refunded' }] })
  const failed = one('RefundFailed', { orderId, refundId: 'refund-1', ...failure })
  expect(await after(...before, failed)).toMatchObject({ refunded: 0, refunds: [{ status: 'failed', failure }] })
  expect(await after(...before, failed, back)).toMatchObject({ refunded: 2_500, refunds: [{ failure: null }] })
})

test('payments are listed, the newest first', async () => {
  const two = happenings(paymentEvents, 'payment-2')
  const shop = given(requested, authorised, two('PaymentRequested', { ...request, orderId: 'order-2' }))
  expect(await shop.ask(listPayments, {}, staff)).toMatchObject({ items: [{ id: 'payment-2' }, { id: 'payment-1' }] })
  expect(await shop.ask(listPayments, { status: 'authorised' }, staff)).toMatchObject({ items: [{ id: 'payment-1' }] })
  expect(await shop.ask(listPayments, { orderId: 'order-2' }, staff)).toMatchObject({ items: [{ id: 'payment-2' }] })
  expect(await shop.ask(listPayments, { requestedFrom: '2026-01-15T09:31:00Z' }, staff)).toMatchObject({
    items: [{ id: 'payment-2' }],
  })
  expect(await shop.ask(listPayments, { orderId, status: 'captured' }, staff)).toMatchObject({ items: [] })
})

test('payments that could not be paid back are found, until they are', async () => {
  const two = happenings(paymentEvents, 'payment-2')
  const before = [requested, two('PaymentRequested', request), authorised, captured]
  const failed = [one('RefundRequested', refund), one('RefundFailed', { orderId, refundId: 'refund-1', ...failure })]
  const found = async (events: readonly Happening[], parameters = {}) =>
    await given(...before, ...events).ask(listPayments, { refundStatus: 'failed', ...parameters }, staff)
  expect(await found([])).toMatchObject({ items: [] })
  expect(await found(failed)).toMatchObject({ items: [{ id: 'payment-1', refundStatus: 'failed' }] })
  expect(await found(failed, { status: 'captured', orderId })).toMatchObject({ items: [{ id: 'payment-1' }] })
  expect(await found(failed, { status: 'cancelled' })).toMatchObject({ items: [] })
  expect(await found([], { orderId })).toMatchObject({ items: [] })
  const another = { ...refund, refundId: 'refund-2' }
  const partly = [...failed, one('RefundRequested', another), one('PaymentRefunded', another)]
  expect(await found(partly)).toMatchObject({ items: [{ id: 'payment-1', refunded: 2_500 }] })
  const rest = { ...refund, refundId: 'refund-3', amount: 3_890 }
  const whole = [...partly, one('RefundRequested', rest), one('PaymentRefunded', rest)]
  expect(await found(whole)).toMatchObject({ items: [] })
})

test('only staff with the scope may ask', async () => {
  const asked = given().ask(listPayments, {}, { principal: asStaff('orders') })
  await expect(asked).rejects.toThrow('forbidden')
})
