import { describe, test } from 'vitest'
import { wholeRefundId } from '../../../src/domain/payment/state.ts'
import * as words from './vocabulary.ts'

const { given, event, failure, token, total } = words
const { placed, paymentStarted, paymentFailed, paid, expired, rejected, confirmed } = words
const { secured, owed, owedAndPaid, refundRequested, refunded, refundFailed, pieces } = words

describe('paying', () => {
  const pay = (paymentId = 'payment-1') => ({ paymentId, gateway: 'sandbox', token })

  test('starts a payment of the total', () => {
    given(placed).when('PayOrder', pay()).then(paymentStarted())
  })

  test('is one at a time', () => {
    given(placed, paymentStarted()).when('PayOrder', pay('payment-2')).thenRejected('payment-under-way')
    given(...owed)
      .when('PayOrder', pay('payment-2'))
      .thenRejected('payment-under-way')
    given(placed, paymentStarted(), paymentFailed())
      .when('PayOrder', pay('payment-2'))
      .then(paymentStarted('payment-2'))
    given(placed, paymentStarted(), paymentFailed()).when('PayOrder', pay()).thenNothing()
  })

  test('is possible while the order waits for it', () => {
    const code = 'order-not-payable'
    given(placed).when('PayOrder', pay(), { at: '2026-01-15T10:00:00.000Z' }).thenRejected(code)
    given(placed).when('PayOrder', pay(), { at: '2026-01-15T09:59:59.999Z' }).then(paymentStarted())
    given(placed, expired).when('PayOrder', pay()).thenRejected(code, { status: 'cancelled' })
    given(placed, rejected).when('PayOrder', pay()).thenRejected(code)
    given(...owedAndPaid)
      .when('PayOrder', pay('payment-2'))
      .thenRejected(code)
    given().when('PayOrder', pay()).thenRejected('order-not-found')
  })

  test('is possible again when the money could not be taken', () => {
    given(...owed, paymentFailed())
      .when('PayOrder', pay('payment-2'), { at: '2026-01-20T10:00:00.000Z' })
      .then(paymentStarted('payment-2'))
  })

  test('has a bound', () => {
    const tries = Array.from({ length: 100 }, (_, number) => [
      paymentStarted(`p-${number}`),
      paymentFailed(`p-${number}`),
    ])
    given(placed, ...tries.flat())
      .when('PayOrder', pay())
      .thenRejected('too-many-payments')
  })
})

describe('a payment', () => {
  test('that is taken makes the order a sale', () => {
    given(...owed)
      .when('RecordPayment', { paymentId: 'payment-1', amount: total })
      .then(paid)
  })

  test('that is taken counts once, and only where it is awaited', () => {
    given(...owed)
      .when('RecordPayment', { paymentId: 'payment-2', amount: total })
      .thenNothing()
    given(...secured, paymentStarted(), paymentFailed())
      .when('RecordPayment', { paymentId: 'payment-1', amount: total })
      .thenNothing()
  })

  test('that is taken after the end goes back whole', () => {
    const back = refundRequested({
      teapots: 2,
      cups: 1,
      shipping: true,
      reason: 'The order had ended before it was paid',
      refundId: wholeRefundId('payment-1'),
    })
    given(...secured, paymentStarted(), expired)
      .when('RecordPayment', { paymentId: 'payment-1', amount: total })
      .then(paid, back)
    given(...owed, words.cancelled)
      .when('RecordPayment', { paymentId: 'payment-1', amount: total })
      .then(paid, back)
  })

  test('that is taken after all was delivered completes the order', () => {
    given(...owed, words.shipped('s-1', ...words.all), words.delivered('s-1'))
      .when('RecordPayment', { paymentId: 'payment-1', amount: total })
      .then(paid, words.completed)
  })

  test('can fail, once', () => {
    given(placed, paymentStarted())
      .when('RecordPaymentFailure', { paymentId: 'payment-1', ...failure })
      .then(paymentFailed())
    given(...owedAndPaid)
      .when('RecordPaymentFailure', { paymentId: 'payment-1', ...failure })
      .thenNothing()
    given(placed)
      .when('RecordPaymentFailure', { paymentId: 'payment-1', ...failure })
      .thenNothing()
  })
})

describe('refunding', () => {
  const reason = 'Broken spout'
  const refund = (lines: { lineId: string; quantity: number }[], shipping = false, refundId = 'refund-1') => ({
    refundId,
    lines,
    shipping,
    reason,
  })
  const teapotPieces = (quantity: number) => [pieces('TEAPOT-BLUE', quantity)]

  test('gives back pieces and shipping, at the amounts that the order keeps', () => {
    given(...owedAndPaid)
      .when('RefundOrder', refund(teapotPieces(1)))
      .then(refundRequested({ teapots: 1 }))
    given(...owedAndPaid)
      .when('RefundOrder', refund([...teapotPieces(1), pieces('CUP-RED', 1), ...teapotPieces(1)], true))
      .then(refundRequested({ teapots: 2, cups: 1, shipping: true }))
    given(...owedAndPaid)
      .when('RefundOrder', refund([], true))
      .then(refundRequested({ shipping: true }))
  })

  test('gives back nothing twice', () => {
    given(...owedAndPaid, refundRequested({ teapots: 1, shipping: true }))
      .when('RefundOrder', refund(teapotPieces(2), false, 'refund-2'))
      .thenRejected('refund-too-large', { lineId: 'TEAPOT-BLUE', left: 1 })
      .when('RefundOrder', refund([], true, 'refund-2'))
      .thenRejected('refund-too-large')
      .when('RefundOrder', refund(teapotPieces(1), false, 'refund-2'))
      .then(refundRequested({ teapots: 1, refundId: 'refund-2' }))
  })

  test('knows a refund by its id', () => {
    given(...owedAndPaid, refundRequested({ teapots: 1 }))
      .when('RefundOrder', refund(teapotPieces(2)))
      .thenRejected('refund-exists', { refundId: 'refund-1' })
    given(...owedAndPaid, refundRequested({ teapots: 1 }))
      .when('RefundOrder', refund(teapotPieces(1), true))
      .thenRejected('refund-exists')
  })

  test('needs something that was paid', () => {
    given(...owedAndPaid)
      .when('RefundOrder', refund([]))
      .thenRejected('refund-empty')
    given(...owedAndPaid)
      .when('RefundOrder', refund([pieces('SAUCER', 1)]))
      .thenRejected('line-not-found', { lineId: 'SAUCER' })
    given(...owed)
      .when('RefundOrder', refund(teapotPieces(1)))
      .thenRejected('order-not-paid', { payment: 'authorised' })
    given()
      .when('RefundOrder', refund(teapotPieces(1)))
      .thenRejected('order-not-found')
  })

  test('has a bound', () => {
    const many = Array.from({ length: 1_000 }, (_, number) => [
      refundRequested({ cups: 1, refundId: `r-${number}` }),
      refundFailed(`r-${number}`),
    ])
    given(...owedAndPaid, ...many.flat())
      .when('RefundOrder', refund(teapotPieces(1)))
      .thenRejected('too-many-refunds')
  })

  test('is done when the money has gone back', () => {
    given(...owedAndPaid, refundRequested({ teapots: 1 }))
      .when('RecordRefund', { refundId: 'refund-1' })
      .then(refunded({ teapots: 1 }))
    given(...owedAndPaid)
      .when('RecordRefund', { refundId: 'refund-1' })
      .thenRejected('refund-not-found')
  })

  test('that fails gives its pieces free', () => {
    given(...owedAndPaid, refundRequested({ teapots: 2, shipping: true }))
      .when('RecordRefundFailure', { refundId: 'refund-1', ...failure })
      .then(refundFailed())
      .when('RefundOrder', refund(teapotPieces(2), true, 'refund-2'))
      .then(refundRequested({ teapots: 2, shipping: true, refundId: 'refund-2' }))
    given(...owedAndPaid, refundRequested({ teapots: 1 }), refunded({ teapots: 1 }))
      .when('RecordRefundFailure', { refundId: 'refund-1', ...failure })
      .thenNothing()
    given(...owedAndPaid)
      .when('RecordRefundFailure', { refundId: 'refund-1', ...failure })
      .thenRejected('refund-not-found')
  })

  test('that was given up counts when it succeeds after all, unless it was replaced', () => {
    const givenUp = [...owedAndPaid, refundRequested({ teapots: 2 }), refundFailed()]
    given(...givenUp)
      .when('RecordRefund', { refundId: 'refund-1' })
      .then(refunded({ teapots: 2 }))
      .when('RefundOrder', refund(teapotPieces(1), false, 'refund-2'))
      .thenRejected('refund-too-large')
    given(...givenUp, refundRequested({ teapots: 1, refundId: 'refund-2' }))
      .when('RecordRefund', { refundId: 'refund-1' })
      .thenRejected('refund-too-large')
  })

  test('of what is left completes an order whose other pieces have arrived', () => {
    given(
      ...owedAndPaid,
      words.shipped('s-1', pieces('TEAPOT-BLUE', 2)),
      words.delivered('s-1'),
      refundRequested({ cups: 1 }),
    )
      .when('RecordRefund', { refundId: 'refund-1' })
      .then(refunded({ cups: 1 }), words.completed)
  })

  test('is possible after the order was completed', () => {
    given(...owedAndPaid, words.shipped('s-1', ...words.all), words.delivered('s-1'), words.completed)
      .when('RefundOrder', refund(teapotPieces(1)))
      .then(refundRequested({ teapots: 1 }))
  })

  test('belongs to the payment that was taken', () => {
    const second = { ...paid.data, paymentId: 'payment-2' }
    const request = refundRequested({ teapots: 1 })
    given(...owed, paymentFailed(), paymentStarted('payment-2'), { type: 'OrderPaid', data: second })
      .when('RefundOrder', refund(teapotPieces(1)))
      .then({ type: 'OrderRefundRequested', data: { ...request.data, paymentId: 'payment-2' } })
  })
})

test('a confirmation that comes again changes nothing', () => {
  given(...owed)
    .when('ConfirmOrder', { paymentId: 'payment-1' })
    .thenNothing()
  given(...owed, event('OrderPaymentFailed', { paymentId: 'payment-1', ...failure }), confirmed)
    .when('ConfirmOrder', { paymentId: 'payment-1' })
    .thenNothing()
})
