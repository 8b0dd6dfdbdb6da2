import { paymentCommands } from '../domain/payment/commands.ts'
import { payment } from '../domain/payment/payment.ts'
import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'

const { refundId } = paymentCommands.ReturnPayment.shape

export const paymentRequests = [
  command({
    name: 'refundPayment',
    route: 'POST /v1/payments/{paymentId}/refund',
    summary: 'Pay back a payment of which its order knows nothing',
    description:
      'One that had failed and was taken all the same gives itself back; where that has failed, all that is left of it is given back anew. Refund the order in all other cases.',
    who: staff('payments'),
    target: payment,
    type: 'ReturnPayment',
    body: paymentCommands.ReturnPayment.extend({ refundId: refundId.exactOptional() }),
    keyRequired: true,
    startsWork: true,
    toData: (body, { newId }) => ({ refundId: body.refundId ?? newId('refund') }),
  }),
]
