import { paymentEvents } from '../domain/payment/events.ts'
import { payment } from '../domain/payment/payment.ts'
import type { Payment } from '../domain/payment/state.ts'
import { ask } from '../engine/command.ts'
import { job } from '../engine/job.ts'
import { derivedId } from '../engine/streams.ts'
import { followUp, type Gateways, opened, refusal, settled, tryCall } from './gateway-call.ts'

/** What the gateway knows a refund by: people name refunds within an order, the gateway needs them apart everywhere. */
function refundKey(paymentId: string, refundId: string): string {
  return derivedId('refund', paymentId, refundId)
}

/** The refund that a gateway speaks of. What it made up itself stays as it is. */
export function refundOfKey(paymentId: string, { refunds }: Payment, key: string): string {
  return refunds.findKey((_, refundId) => refundKey(paymentId, refundId) === key) ?? key
}

/** Asks the gateway to give money back. While it leaves that open, it is asked again until a callback tells. */
export function refundPayment(gateways: Gateways) {
  return job({
    name: 'refund-payment',
    of: payment,
    from: [paymentEvents],
    opens: {
      RefundRequested: (event) => opened(event, event.data.refundId),
    },
    settles: {
      PaymentRefunded: (event) => settled(event, event.data.refundId),
      RefundFailed: (event) => settled(event, event.data.refundId),
    },
    isOpen: ({ refunds }, { key }) => refunds.get(key)?.status === 'requested',
    run(state, work) {
      const { target: paymentId, key: refundId } = work
      const fail = (failure: { code: string; reason: string }) =>
        ask(payment, paymentId, 'RecordRefundFailure', { refundId, ...failure })
      return tryCall(
        work,
        async () => {
          const { gateway, call } = followUp(gateways, paymentId, state, refundKey(paymentId, refundId))
          const answer = await gateway.refund({ ...call, amount: state.refunds.get(refundId)?.amount ?? 0 })
          if (answer.status === 'pending') return []
          return answer.status === 'succeeded'
            ? [ask(payment, paymentId, 'RecordRefund', { refundId })]
            : [fail(refusal(answer))]
        },
        fail,
      )
    },
  })
}
