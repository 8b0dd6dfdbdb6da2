import { paymentEvents } from '../domain/payment/events.ts'
import { payment } from '../domain/payment/payment.ts'
import { ask } from '../engine/command.ts'
import { job } from '../engine/job.ts'
import type { PersonalData } from '../engine/personal-data.ts'
import { type Gateways, opened, refusal, settled, tryCall } from './gateway-call.ts'

/**
 * Asks the gateway to hold the money of a payment that was requested. Also for one that is to be cancelled: an
 * earlier try may have come through, and only the gateway's answer tells what to let go.
 * @param open opens the sealed token for the gateway alone
 */
export function authorisePayment(gateways: Gateways, open: PersonalData['open']) {
  return job({
    name: 'authorise-payment',
    of: payment,
    from: [paymentEvents],
    opens: {
      PaymentRequested: (event) => opened(event),
    },
    settles: {
      PaymentPending: (event) => settled(event),
      PaymentAuthorised: (event) => settled(event),
      PaymentFailed: (event) => settled(event),
    },
    isOpen: ({ status }) => status === 'requested',
    async run({ request }, work) {
      const { target: paymentId, jobId: idempotencyKey } = work
      const fail = (failure: { code: string; reason: string }) => ask(payment, paymentId, 'RecordFailure', failure)
      if (request === undefined) return []
      const gateway = gateways.get(request.gateway)
      if (gateway === undefined) {
        return [fail({ code: 'gateway-unknown', reason: 'There is no such payment gateway. Choose another.' })]
      }
      const { amount, currency } = request
      const [clear] = await open(paymentEvents.schemas.PaymentRequested, [request])
      const token = tokenOf(clear)
      if (token === undefined) {
        return [fail({ code: 'token-forgotten', reason: 'The shopper was forgotten, and the token with them.' })]
      }
      return await tryCall(
        work,
        async () => {
          const answer = await gateway.authorise({ paymentId, token, amount, currency, idempotencyKey })
          if (answer.status === 'refused') return [fail(refusal(answer))]
          return answer.status === 'succeeded'
            ? [ask(payment, paymentId, 'RecordAuthorisation', { reference: answer.reference })]
            : [
                ask(payment, paymentId, 'RecordPending', {
                  reference: answer.reference,
                  nextAction: answer.nextAction,
                }),
              ]
        },
        fail,
      )
    },
  })
}

function tokenOf(clear: unknown): string | undefined {
  const isWithToken = typeof clear === 'object' && clear !== null && 'token' in clear
  return isWithToken && typeof clear.token === 'string' ? clear.token : undefined
}
