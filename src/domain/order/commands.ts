import { z } from 'zod'
import { personal } from '../../engine/personal-data.ts'
import { Amount, Id, Quantity, Reason, Sku, Timestamp } from '../values.ts'
import { importedContents, orderContents } from './contents.ts'
import { ExternalPayment, GatewayName, PaymentToken, ShipmentLines } from './events.ts'

const RefundId = Id.meta({
  description: 'Names the refund; the same id is the same refund',
  example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88',
})
const RefundLines = z
  .array(
    z.strictObject({
      lineId: z.string().max(64).meta({ description: 'Line of the order', example: 'TEAPOT-BLUE' }),
      quantity: Quantity,
    }),
  )
  .max(1_500)
  .default([])
  .meta({ description: 'Pieces to pay back' })
const Shipping = z.boolean().default(false).meta({ description: 'Pay back what shipping cost, too', example: false })

export const orderCommands = {
  // What people ask for

  /** Pays an order that waits for payment. */
  PayOrder: z.strictObject({ paymentId: Id, gateway: GatewayName, token: personal(PaymentToken) }),
  CancelOrder: z.strictObject({ reason: Reason }),
  ShipOrder: z.strictObject({
    shipmentId: Id,
    lines: ShipmentLines.exactOptional().meta({
      description: 'What is in the shipment; everything that is left, if absent',
    }),
    carrier: z.string().trim().min(1).max(100).exactOptional().meta({ description: 'Who carries it', example: 'DHL' }),
    trackingCode: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .exactOptional()
      .meta({ description: "The carrier's tracking code", example: 'JD0146' }),
  }),
  DeliverShipment: z.strictObject({ shipmentId: Id }),
  RefundOrder: z.strictObject({ refundId: RefundId, lines: RefundLines, shipping: Shipping, reason: Reason }),
  /** An order of another system: paid there and shipped. Only with the permission `import`. */
  ImportOrder: z.strictObject({
    ...importedContents,
    number: z.string().trim().min(1).max(40).meta({ description: 'Its number there', example: '536365' }),
    external: ExternalPayment,
    shipped: z.boolean().meta({ description: 'Whether the goods have left', example: true }),
  }),
  /** A refund that was paid elsewhere. Only with the permission `import`. */
  ImportRefund: z.strictObject({ refundId: RefundId, lines: RefundLines, shipping: Shipping, reason: Reason }),

  // What processes and jobs ask for

  PlaceOrder: z.strictObject({ ...orderContents, cartId: Id, expiresAt: Timestamp }),
  RecordReservation: z.strictObject({ sku: Sku, reservationId: z.string().max(250), quantity: Quantity }),
  RejectOrder: z.strictObject({ sku: Sku, available: z.int().min(0) }),
  ConfirmOrder: z.strictObject({ paymentId: Id }),
  RecordPayment: z.strictObject({ paymentId: Id, amount: Amount }),
  RecordPaymentFailure: z.strictObject({ paymentId: Id, code: z.string().max(100), reason: Reason }),
  /** Carries the due time it was set for; the order compares it with its own, never with a clock. */
  ExpireOrder: z.strictObject({ dueAt: Timestamp }),
  RecordRefund: z.strictObject({ refundId: Id }),
  RecordRefundFailure: z.strictObject({ refundId: Id, code: z.string().max(100), reason: Reason }),
}
