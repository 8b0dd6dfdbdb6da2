import { z } from 'zod'
import { defineEvents, type EventOf } from '../../engine/events.ts'
import { personal } from '../../engine/personal-data.ts'
import { GatewayName, PaymentToken } from '../order/events.ts'
import { Amount, Country, Currency, Id, Reason } from '../values.ts'

export const GatewayReference = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "The gateway's own name for it", example: 'pay_8f2k' })
export const Failure = {
  code: z.string().min(1).max(100).meta({ description: 'Why, for programs', example: 'card-declined' }),
  reason: Reason,
}
export const RefundId = Id.meta({ description: 'Names the refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' })
export const NextAction = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('none').meta({ description: 'Nothing to do but to wait' }) }),
    z.object({
      kind: z.literal('redirect').meta({ description: 'Send the shopper to another page' }),
      url: z.url().max(2_000).meta({ description: 'That page', example: 'https://gateway.example/pay_8f2k' }),
    }),
  ])
  .meta({ description: 'What the shopper has to do', example: { kind: 'none' } })

/** What is asked of a gateway, and for whom. */
export const requestContents = {
  orderId: Id,
  customerId: Id,
  country: Country,
  gateway: GatewayName,
  amount: Amount,
  currency: Currency,
  token: personal(PaymentToken),
}

export const paymentEvents = defineEvents('payment', {
  PaymentRequested: z.object(requestContents),
  /** The gateway has taken it on and will call back. */
  PaymentPending: z.object({ orderId: Id, reference: GatewayReference, nextAction: NextAction }),
  PaymentAuthorised: z.object({ orderId: Id, reference: GatewayReference, amount: Amount, currency: Currency }),
  PaymentFailed: z.object({ orderId: Id, ...Failure }),
  CaptureRequested: z.object({ orderId: Id }),
  PaymentCaptured: z.object({ orderId: Id, amount: Amount, currency: Currency }),
  CaptureFailed: z.object({ orderId: Id, ...Failure }),
  /** What is held is to be let go. */
  PaymentCancelRequested: z.object({ orderId: Id }),
  PaymentCancelled: z.object({ orderId: Id }),
  RefundRequested: z.object({ orderId: Id, refundId: RefundId, amount: Amount, currency: Currency }),
  PaymentRefunded: z.object({ orderId: Id, refundId: RefundId, amount: Amount, currency: Currency }),
  RefundFailed: z.object({ orderId: Id, refundId: RefundId, ...Failure }),
})
export type PaymentEvent = EventOf<typeof paymentEvents>

/** The code of a failure that is not the gateway's word: it could not be asked. */
export const gatewayUnavailable = 'gateway-unavailable'
