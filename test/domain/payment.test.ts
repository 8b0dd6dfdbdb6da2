import { describe, test } from 'vitest'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { wholeRefundId } from '../../src/domain/payment/state.ts'
import { specification } from '../../src/testing/specification.ts'

const id = 'payment-1'
const { given, event } = specification(payment, paymentEvents, { id })

const orderId = 'order-1'
const money = { amount: 6_390, currency: 'EUR' }
const request = { orderId, customerId: 'ada', country: 'DE', gateway: 'sandbox', ...money, token: 'tok_4242' }
const reference = 'pay_8f2k'
const failure = { code: 'card-declined', reason: 'The bank declined it' }
const redirect = { kind: 'redirect', url: 'https://bank.example/3ds' } as const
const refundId = 'refund-1'

const requested = event('PaymentRequested', request)
const pending = event('PaymentPending', { orderId, reference, nextAction: redirect })
const authorised = event('PaymentAuthorised', { orderId, reference, ...money })
const failed = event('PaymentFailed', { orderId, ...failure })
const captureRequested = event('CaptureRequested', { orderId })
const captured = event('PaymentCaptured', { orderId, ...money })
const captureFailed = event('CaptureFailed', { orderId, ...failure })
const cancelRequested = event('PaymentCancelRequested', { orderId })
const cancelled = event('PaymentCancelled', { orderId })
const refundRequested = (amount: number, name = refundId) =>
  event('RefundRequested', { orderId, refundId: name, amount, currency: 'EUR' })
const refunded = (amount: number, name = refundId) =>
  event('PaymentRefunded', { orderId, refundId: name, amount, currency: 'EUR' })
const refundFailed = event('RefundFailed', { orderId, refundId, ...failure })
const wholeRefund = refundRequested(money.amount, wholeRefundId(id))

describe('requesting', () => {
  test('begins a payment', () => {
    given().when('RequestPayment', request).then(requested)
  })

  test('belongs to one order', () => {
    given(requested)
      .when('RequestPayment', { ...request, orderId: 'order-2' })
      .thenRejected('payment-exists')
  })
})

describe('the answer of the gateway', () => {
  test('can be to wait', () => {
    given(requested).when('RecordPending', { reference, nextAction: redirect }).then(pending)
    given(requested, authorised).when('RecordPending', { reference, nextAction: redirect }).thenNothing()
  })

  test('can be yes', () => {
    given(requested).when('RecordAuthorisation', { reference }).then(authorised)
    given(requested, pending).when('RecordAuthorisation', { reference }).then(authorised)
    given(requested, authorised, captureRequested, captured).when('RecordAuthorisation', { reference }).thenNothing()
  })

  test('can be no, which after a yes is late', () => {
    given(requested).when('RecordFailure', failure).then(failed)
    given(requested, pending).when('RecordFailure', failure).then(failed)
    given(requested, authorised).when('RecordFailure', failure).thenNothing()
    given(requested, authorised, captured).when('RecordFailure', failure).thenNothing()
  })

  test('can be yes after the order was told no: what is held is let go', () => {
    given(requested, failed).when('RecordAuthorisation', { reference }).then(authorised, cancelRequested)
  })

  test('is about a payment that exists', () => {
    given().when('RecordAuthorisation', { reference }).thenRejected('payment-not-found')
    given().when('RecordPending', { reference, nextAction: redirect }).thenRejected('payment-not-found')
    given().when('RecordFailure', failure).thenRejected('payment-not-found')
    given().when('RecordCapture', { reference }).thenRejected('payment-not-found')
    given().when('RecordCaptureFailure', failure).thenRejected('payment-not-found')
    given().when('RecordCancellation', {}).thenRejected('payment-not-found')
  })
})

describe('a notice of another amount or currency', () => {
  const taken = [requested, authorised, captureRequested, captured]
  const others = [
    { amount: 1, currency: 'EUR' },
    { ...money, currency: 'USD' },
  ] as const

  test.each(others)('is for a person to look at: $amount $currency', (other) => {
    const found = { expected: money, told: other }
    given(requested)
      .when('RecordAuthorisation', { reference, ...other })
      .thenRejected('amount-mismatch', found)
    given(requested, authorised, captureRequested)
      .when('RecordCapture', { reference, ...other })
      .thenRejected('amount-mismatch', found)
    given(...taken)
      .when('RecordCapture', { reference, ...other })
      .thenRejected('amount-mismatch', found)
    given(...taken, refundRequested(6_390))
      .when('RecordRefund', { refundId, ...other })
      .thenRejected('amount-mismatch', found)
  })

  test('is none where both are as they should be', () => {
    given(requested)
      .when('RecordAuthorisation', { reference, ...money })
      .then(authorised)
    given(requested, authorised, captureRequested)
      .when('RecordCapture', { reference, ...money })
      .then(captured)
    given(...taken, refundRequested(100))
      .when('RecordRefund', { refundId, amount: 100, currency: 'EUR' })
      .then(refunded(100))
  })
})

describe('taking the money', () => {
  test('is asked for once it is held', () => {
    given(requested, authorised).when('CapturePayment', {}).then(captureRequested)
    given(requested).when('CapturePayment', {}).thenRejected('payment-not-authorised')
    given(requested, authorised, cancelRequested).when('CapturePayment', {}).thenNothing()
    given(requested, failed).when('CapturePayment', {}).thenNothing()
  })

  test('is done when the gateway says so', () => {
    given(requested, authorised, captureRequested).when('RecordCapture', { reference }).then(captured)
  })

  test('can be told before the authorisation', () => {
    given(requested).when('RecordCapture', { reference }).then(authorised, captured)
    given(requested, pending).when('RecordCapture', { reference }).then(authorised, captured)
  })

  test('can fail', () => {
    given(requested, authorised, captureRequested).when('RecordCaptureFailure', failure).then(captureFailed)
    given(requested, authorised, captureRequested, captured).when('RecordCaptureFailure', failure).thenNothing()
    given(requested, authorised).when('RecordCaptureFailure', failure).thenNothing()
    given(requested, authorised, captureRequested, captureFailed)
      .when('RecordCaptureFailure', { ...failure, code: 'another' })
      .thenNothing()
  })

  test('can be given up, until the gateway itself has told', () => {
    const unavailable = { code: 'gateway-unavailable', reason: 'Nobody answers' }
    const givenUp = event('CaptureFailed', { orderId, ...unavailable })
    given(requested, authorised, captureRequested)
      .when('RecordCaptureFailure', unavailable)
      .then(givenUp)
      .when('RecordCaptureFailure', failure)
      .then(captureFailed)
    given(requested, authorised, captureRequested, givenUp)
      .when('RecordCapture', { reference })
      .then(captured, wholeRefund)
  })
})

describe('money that nobody wants any more', () => {
  test('is let go', () => {
    given(requested, authorised).when('CancelPayment', {}).then(cancelRequested)
    given(requested, authorised, captureRequested).when('CancelPayment', {}).then(cancelRequested)
    given(requested, authorised, cancelRequested).when('RecordCancellation', {}).then(cancelled)
    given(requested, authorised, captured).when('RecordCancellation', {}).thenNothing()
  })

  test('is let go as soon as the gateway has named it', () => {
    given(requested).when('CancelPayment', {}).then(cancelRequested)
    given(requested, cancelRequested).when('RecordCancellation', {}).thenNothing()
    given(requested, cancelRequested).when('RecordAuthorisation', { reference }).then(authorised, cancelRequested)
    given(requested, cancelRequested)
      .when('RecordPending', { reference, nextAction: redirect })
      .then(pending, cancelRequested)
    given(requested, pending).when('CancelPayment', {}).then(cancelRequested)
  })

  test('was never there', () => {
    given().when('CancelPayment', {}).thenNothing()
    given(requested, failed).when('CancelPayment', {}).thenNothing()
    given(requested, authorised, cancelRequested, cancelled).when('CancelPayment', {}).thenNothing()
  })

  test('goes back whole where it was taken', () => {
    given(requested, authorised, captured).when('CancelPayment', {}).then(wholeRefund)
  })

  test('goes back but for what is already on its way', () => {
    const rest = refundRequested(6_290, wholeRefundId(id))
    given(requested, authorised, captured, refundRequested(100)).when('CancelPayment', {}).then(rest)
    given(requested, authorised, captured, refundRequested(6_390)).when('CancelPayment', {}).thenNothing()
  })

  test.each([
    ['it was to be let go', [authorised, cancelRequested], [captured]],
    ['it was let go', [authorised, cancelRequested, cancelled], [captured]],
    ['it was let go before it was held', [pending, cancelRequested, cancelled], [captured]],
    ['it was to be let go before it was held', [cancelRequested], [authorised, captured]],
    ['the payment had failed', [failed], [authorised, captured]],
    ['taking it had failed', [authorised, captureRequested, captureFailed], [captured]],
  ])('goes back where it is taken although %s', (_, before, first) => {
    given(requested, ...before)
      .when('RecordCapture', { reference })
      .then(...first, wholeRefund)
  })

  test('is not held any more when the gateway let it go: a late authorisation says nothing new', () => {
    given(requested, pending, cancelRequested, cancelled).when('RecordAuthorisation', { reference }).thenNothing()
  })
})

describe('paying back', () => {
  const taken = [requested, authorised, captureRequested, captured]

  test('takes as much as was taken, in parts', () => {
    given(...taken)
      .when('RefundPayment', { refundId, amount: 6_000 })
      .then(refundRequested(6_000))
      .when('RefundPayment', { refundId: 'refund-2', amount: 391 })
      .thenRejected('refund-too-large', { left: 390 })
      .when('RefundPayment', { refundId: 'refund-2', amount: 390 })
      .then(refundRequested(390, 'refund-2'))
  })

  test('knows a refund by its id', () => {
    given(...taken, refundRequested(100))
      .when('RefundPayment', { refundId, amount: 101 })
      .thenRejected('refund-exists', { refundId })
  })

  test('needs money that was taken', () => {
    given(requested, authorised).when('RefundPayment', { refundId, amount: 1 }).thenRejected('payment-not-captured')
  })

  test('is done or fails when the gateway says so', () => {
    given(...taken, refundRequested(100))
      .when('RecordRefund', { refundId })
      .then(refunded(100))
    given(...taken, refundRequested(100))
      .when('RecordRefundFailure', { refundId, ...failure })
      .then(refundFailed)
    given(...taken, refundRequested(100), refunded(100))
      .when('RecordRefundFailure', { refundId, ...failure })
      .thenNothing()
    given(...taken)
      .when('RecordRefund', { refundId })
      .thenRejected('refund-not-found')
    given(...taken)
      .when('RecordRefundFailure', { refundId, ...failure })
      .thenRejected('refund-not-found')
  })

  test('can be tried anew when it has failed', () => {
    given(...taken, refundRequested(6_390), refundFailed)
      .when('RefundPayment', { refundId: 'refund-2', amount: 6_390 })
      .then(refundRequested(6_390, 'refund-2'))
  })

  test.each([
    ['had failed', [failed, authorised, captured]],
    ['could not be taken at first', [authorised, captureRequested, captureFailed, captured]],
  ])('is for staff to try anew where the payment %s, so that its order knows nothing of the money', (_, before) => {
    const again = refundRequested(6_390, 'refund-2')
    const notGivenBack = event('RefundFailed', { orderId, refundId: wholeRefundId(id), ...failure })
    const left = [requested, ...before, wholeRefund, notGivenBack]
    given(...left)
      .when('ReturnPayment', { refundId: 'refund-2' })
      .then(again)
    given(...left, refundRequested(390))
      .when('ReturnPayment', { refundId: 'refund-2' })
      .then(refundRequested(6_000, 'refund-2'))
    given(...left, again)
      .when('ReturnPayment', { refundId: 'refund-3' })
      .thenRejected('nothing-to-refund')
  })

  test('is otherwise for the order to ask for', () => {
    given(...taken)
      .when('ReturnPayment', { refundId })
      .thenRejected('payment-of-order', { orderId })
    given(requested, authorised, cancelRequested, captured, wholeRefund)
      .when('ReturnPayment', { refundId })
      .thenRejected('payment-of-order')
    given(requested, failed).when('ReturnPayment', { refundId }).thenRejected('payment-not-captured')
    given().when('ReturnPayment', { refundId }).thenRejected('payment-not-found')
  })

  test('counts when it succeeds after it was given up, unless it was replaced', () => {
    const givenUp = [...taken, refundRequested(6_390), refundFailed]
    given(...givenUp)
      .when('RecordRefund', { refundId })
      .then(refunded(6_390))
    given(...givenUp, refundRequested(1, 'refund-2'))
      .when('RecordRefund', { refundId })
      .thenRejected('refund-too-large', { left: 6_389 })
  })
})
