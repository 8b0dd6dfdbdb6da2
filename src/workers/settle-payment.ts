import { gatewayCallbackEvents } from '../domain/gateway-callback.ts'
import { payment } from '../domain/payment/payment.ts'
import { ask } from '../engine/command.ts'
import { processManager } from '../engine/process-manager.ts'
import { refundOfKey } from './refund-payment.ts'

/** When a gateway calls back, record for the payment what it says, be it new, old or out of order. */
export const settlePayment = processManager({
  name: 'settle-payment',
  of: payment,
  from: [gatewayCallbackEvents],
  route: ({ data }) => data.paymentId,
  on: {
    GatewayCallbackReceived({ data }, state) {
      const {
        paymentId,
        reference,
        amount,
        currency,
        code = 'refused',
        reason = 'The payment provider refused it',
      } = data
      // Another gateway has no say in it.
      if (state.request && state.request.gateway !== data.gateway) return []
      const refundId = refundOfKey(paymentId, state, data.refundId ?? '')
      switch (data.kind) {
        case 'authorised':
          return [ask(payment, paymentId, 'RecordAuthorisation', { reference, amount, currency })]
        case 'authorisation-refused':
          return [ask(payment, paymentId, 'RecordFailure', { code, reason })]
        case 'captured':
          return [ask(payment, paymentId, 'RecordCapture', { reference, amount, currency })]
        case 'capture-refused':
          return [ask(payment, paymentId, 'RecordCaptureFailure', { code, reason })]
        case 'refunded':
          return [ask(payment, paymentId, 'RecordRefund', { refundId, amount, currency })]
        case 'refund-refused':
          return [ask(payment, paymentId, 'RecordRefundFailure', { refundId, code, reason })]
      }
    },
  },
})
