import { paymentEvents } from '../domain/payment/events.ts'
import { payment } from '../domain/payment/payment.ts'
import { ask } from '../engine/command.ts'
import { job, jobId } from '../engine/job.ts'
import { followUp, type Gateways, opened, refusal, settled, tryCall } from './gateway-call.ts'

const name = 'capture-payment'
/** The idempotency key of the capture of a payment: asked again, the gateway tells what came of it. */
export function captureKey(paymentId: string): string {
  return jobId(name, { target: paymentId, key: '' })
}

/** Asks the gateway to take the money that it holds. While it leaves that open, it is asked again until a callback tells. */
export function capturePayment(gateways: Gateways) {
  return job({
    name,
    of: payment,
    from: [paymentEvents],
    opens: {
      CaptureRequested: (event) => opened(event),
    },
    settles: {
      PaymentCaptured: (event) => settled(event),
      CaptureFailed: (event) => settled(event),
      PaymentCancelRequested: (event) => settled(event),
    },
    isOpen: ({ status, capture, isUnwanted }) => status === 'authorised' && capture === 'requested' && !isUnwanted,
    run: (state, work) =>
      tryCall(
        work,
        async () => {
          const { target: paymentId } = work
          const { gateway, call } = followUp(gateways, paymentId, state, captureKey(paymentId))
          const answer = await gateway.capture(call)
          if (answer.status === 'pending') return []
          return answer.status === 'succeeded'
            ? [ask(payment, paymentId, 'RecordCapture', { reference: answer.reference })]
            : [ask(payment, paymentId, 'RecordCaptureFailure', refusal(answer))]
        },
        (failure) => ask(payment, work.target, 'RecordCaptureFailure', failure),
      ),
  })
}
