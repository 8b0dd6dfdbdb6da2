import { z } from 'zod'
import { Amount, Currency } from '../values.ts'
import { Failure, GatewayReference, NextAction, RefundId, requestContents } from './events.ts'

/** All but ReturnPayment come from processes, jobs and callbacks, which may come twice and out of order. */

/** What a notice says of the money; the answer to a call says nothing of it. */
const Told = { amount: Amount.exactOptional(), currency: Currency.exactOptional() }

export const paymentCommands = {
  RequestPayment: z.strictObject(requestContents),
  RecordPending: z.strictObject({ reference: GatewayReference, nextAction: NextAction }),
  RecordAuthorisation: z.strictObject({ reference: GatewayReference, ...Told }),
  RecordFailure: z.strictObject(Failure),
  CapturePayment: z.strictObject({}),
  RecordCapture: z.strictObject({ reference: GatewayReference, ...Told }),
  RecordCaptureFailure: z.strictObject(Failure),
  CancelPayment: z.strictObject({}),
  RecordCancellation: z.strictObject({}),
  RefundPayment: z.strictObject({ refundId: RefundId, amount: Amount }),
  /** Of staff, when a payment of which its order knows nothing could not give itself back: all that is left of it. */
  ReturnPayment: z.strictObject({ refundId: RefundId }),
  RecordRefund: z.strictObject({ refundId: RefundId, ...Told }),
  RecordRefundFailure: z.strictObject({ refundId: RefundId, ...Failure }),
}

export type Command<Type extends keyof typeof paymentCommands> = z.output<(typeof paymentCommands)[Type]>
