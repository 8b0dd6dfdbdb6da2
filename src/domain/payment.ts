import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { GatewayName, PaymentToken } from './order/events.ts'
import { Amount, Country, Currency, Id, Reason } from './values.ts'

/** Money that moves through a gateway for one order. */

const GatewayReference = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "The gateway's own name for it", example: 'pay_8f2k' })
const Failure = {
  code: z.string().min(1).max(100).meta({ description: 'Why, for programs', example: 'card-declined' }),
  reason: Reason,
}
const RefundId = Id.meta({ description: 'Names the refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' })
const NextAction = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('redirect'), url: z.url().max(2_000) }),
  ])
  .meta({ description: 'What the shopper has to do', example: { kind: 'none' } })

// Events

export const paymentEvents = defineEvents('payment', {
  PaymentRequested: z.object({
    orderId: Id,
    customerId: Id,
    country: Country,
    gateway: GatewayName,
    amount: Amount,
    currency: Currency,
    token: personal(PaymentToken),
  }),
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

// Commands: all of processes, jobs and callbacks, which may come twice and out of order

export const paymentCommands = {
  RequestPayment: z.strictObject({
    orderId: Id,
    customerId: Id,
    country: Country,
    gateway: GatewayName,
    amount: Amount,
    currency: Currency,
    token: personal(PaymentToken),
  }),
  RecordPending: z.strictObject({ reference: GatewayReference, nextAction: NextAction }),
  RecordAuthorisation: z.strictObject({ reference: GatewayReference }),
  RecordFailure: z.strictObject(Failure),
  CapturePayment: z.strictObject({}),
  RecordCapture: z.strictObject({ reference: GatewayReference }),
  RecordCaptureFailure: z.strictObject(Failure),
  CancelPayment: z.strictObject({}),
  RecordCancellation: z.strictObject({}),
  RefundPayment: z.strictObject({ refundId: RefundId, amount: Amount }),
  RecordRefund: z.strictObject({ refundId: RefundId }),
  RecordRefundFailure: z.strictObject({ refundId: RefundId, ...Failure }),
}
