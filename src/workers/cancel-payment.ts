import { paymentEvents } from '../domain/payment/events.ts'
import { payment } from '../domain/payment/payment.ts'
import { ask } from '../engine/command.ts'
import { job } from '../engine/job.ts'
import { captureKey } from './capture-payment.ts'
import { followUp, type Gateways, opened, settled } from './gateway-call.ts'

/**
 * Asks the gateway to let go of money that nobody wants any more. A payment that the gateway has not yet named waits
 * until it is; one that it can't let go in any way ends on the dead-letter list, for a person to look.
 */
export function cancelPayment(gateways: Gateways) {
  return job({
    name: 'cancel-payment',
    of: payment,
    from: [paymentEvents],
    opens: {
      PaymentCancelRequested: (event) => opened(event),
    },
    settles: {
      PaymentCancelled: (event) => settled(event),
      PaymentCaptured: (event) => settled(event),
      PaymentFailed: (event) => settled(event),
    },
    isOpen: ({ status, isUnwanted }) => isUnwanted && (status === 'pending' || status === 'authorised'),
    async run(state, work) {
      const { target: paymentId, jobId } = work
      const { gateway, call } = followUp(gateways, paymentId, state, jobId)
      const cancelled = [ask(payment, paymentId, 'RecordCancellation', {})]
      const answer = await gateway.cancel(call)
      if (answer.status !== 'refused') return cancelled
      // It holds nothing yet. Whatever it leaves open is asked again until it is not, or a callback tells.
      if (state.status === 'pending') return []
      // What was refused before the money was held, or while it was taken, may be granted now: that is another call.
      const stage = [jobId, state.status, state.capture ?? 'held'].join(':')
      if ((await gateway.cancel({ ...call, idempotencyKey: stage })).status !== 'refused') return cancelled
      // It neither takes nor lets go: what it held has lapsed.
      if (state.capture === 'refused') return cancelled
      // A capture whose answer was lost may have taken the money: asked again, the gateway tells.
      const capture = state.capture && (await gateway.capture({ ...call, idempotencyKey: captureKey(paymentId) }))
      if (capture?.status === 'succeeded') {
        return [ask(payment, paymentId, 'RecordCapture', { reference: capture.reference })]
      }
      if (capture?.status === 'pending') return []
      if (capture?.status === 'refused') return cancelled
      throw new Error(`The gateway refuses to cancel the payment ${paymentId}: ${answer.code}`)
    },
  })
}
