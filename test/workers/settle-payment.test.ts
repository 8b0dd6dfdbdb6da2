import { describe, test } from 'vitest'
import { gatewayCallback, gatewayCallbackEvents } from '../../src/domain/gateway-callback.ts'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { ask } from '../../src/engine/command.ts'
import { reactionsOf } from '../../src/testing/reactions.ts'
import { specification } from '../../src/testing/specification.ts'
import { settlePayment } from '../../src/workers/settle-payment.ts'

const paymentId = 'payment-1'
const reference = 'pay_8f2k'
const money = { amount: 6_390, currency: 'EUR' }
const failure = { code: 'declined', reason: 'The bank declined it' }
const { event } = specification(gatewayCallback, gatewayCallbackEvents)
const ofPayment = specification(payment, paymentEvents)
const requested = ofPayment.event('PaymentRequested', {
  orderId: 'order-1',
  customerId: 'ada',
  country: 'DE',
  gateway: 'sandbox',
  ...money,
  token: 'tok_4242',
})
const { given } = reactionsOf(settlePayment, paymentId)

type Kind = Parameters<typeof event<'GatewayCallbackReceived'>>[1]['kind']
const notice = (kind: Kind, more: object = {}) =>
  event('GatewayCallbackReceived', {
    gateway: 'sandbox',
    noticeId: 'notice-1',
    kind,
    paymentId,
    reference,
    ...money,
    occurredAt: '2026-01-15T09:30:00.000Z',
    ...more,
  })

describe('a callback', () => {
  test.each([
    ['authorised', {}, 'RecordAuthorisation', { reference, ...money }],
    ['authorisation-refused', failure, 'RecordFailure', failure],
    ['captured', {}, 'RecordCapture', { reference, ...money }],
    ['capture-refused', failure, 'RecordCaptureFailure', failure],
    ['refunded', { refundId: 'refund-1' }, 'RecordRefund', { refundId: 'refund-1', ...money }],
    [
      'refund-refused',
      { refundId: 'refund-1', ...failure },
      'RecordRefundFailure',
      { refundId: 'refund-1', ...failure },
    ],
  ] as const)('that says %s is recorded', (kind, more, type, data) => {
    given(requested)
      .when(notice(kind, more), gatewayCallbackEvents, 'sandbox.notice-1')
      .then({ decider: payment, target: paymentId, type, data })
  })

  test('that says no without a reason gets one', () => {
    given(requested)
      .when(notice('authorisation-refused'), gatewayCallbackEvents, 'sandbox.notice-1')
      .then(ask(payment, paymentId, 'RecordFailure', { code: 'refused', reason: 'The payment provider refused it' }))
  })

  test('of a gateway that has no say in it changes nothing', () => {
    given(requested)
      .when(notice('captured', { gateway: 'another' }), gatewayCallbackEvents, 'another.notice-1')
      .then()
  })
})
