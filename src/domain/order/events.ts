import { z } from 'zod'
import { defineEvents, type EventOf } from '../../engine/events.ts'
import { personal } from '../../engine/personal-data.ts'
import { Amount, Country, Currency, Id, Quantity, Reason, Sku, Timestamp } from '../values.ts'
import { importedContents, OrderLine, OrderShipping, orderContents } from './contents.ts'

export const OrderNumber = z
  .string()
  .max(40)
  .meta({ description: 'Number of the order for people', example: 'D-7KQ4-M2XA' })
export const PaymentToken = z
  .string()
  .min(1)
  .max(500)
  .meta({ description: "What the payment gateway gave for the shopper's card", example: 'tok_sandbox_4242' })
export const GatewayName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/)
  .meta({ description: 'Payment gateway', example: 'sandbox' })
export const ExternalPayment = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'How it was paid elsewhere', example: 'online-retail' })
const CancelledBy = z.enum(['customer', 'staff']).meta({ description: 'Who cancelled', example: 'customer' })

export const ShipmentLines = z
  .array(
    z.strictObject({
      lineId: z.string().max(64).meta({ description: 'Line of the order', example: 'TEAPOT-BLUE' }),
      quantity: Quantity,
    }),
  )
  .min(1)
  .max(1_500)
  .meta({ description: 'What is in it' })

/** What a refund gives back, from the amounts that the order kept. Complete, so that no reader asks elsewhere. */
const refundContents = {
  refundId: Id.meta({ description: 'Names the refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' }),
  customerId: orderContents.customerId,
  currency: Currency,
  country: Country,
  lines: z
    .array(
      z.object({
        lineId: z.string().max(64).meta({ description: 'Line of the order', example: 'TEAPOT-BLUE' }),
        productId: Id,
        sku: Sku,
        title: OrderLine.shape.title,
        categoryIds: z
          .array(Id)
          .max(200)
          .meta({ description: 'Categories of the line', example: ['teapots'] }),
        quantity: Quantity,
        amount: Amount.meta({ description: 'Given back for these pieces, tax included', example: 2499 }),
        tax: Amount.meta({ description: 'Tax in it', example: 399 }),
      }),
    )
    .max(1_500)
    .meta({ description: 'Pieces that are paid back' }),
  shipping: z
    .object({ amount: Amount, tax: Amount })
    .meta({ description: 'Shipping that is paid back', example: { amount: 0, tax: 0 } }),
  total: Amount.meta({ description: 'All that is given back', example: 2499 }),
  reason: Reason,
}

/** What was sold, as the order kept it. Complete, so that no reader asks elsewhere. */
const saleContents = {
  customerId: orderContents.customerId,
  country: Country,
  placedAt: Timestamp.meta({
    description: 'When the order was placed: the time that it counts at as a sale',
    example: '2026-01-15T09:30:00.000Z',
  }),
  lines: z
    .array(
      OrderLine.pick({
        productId: true,
        sku: true,
        title: true,
        categoryIds: true,
        quantity: true,
        amount: true,
        tax: true,
      }),
    )
    .min(1)
    .max(1_500)
    .meta({ description: 'All lines of the order' }),
  shipping: OrderShipping.pick({ amount: true, tax: true }).meta({ description: 'What was taken for shipping' }),
}

export const orderEvents = defineEvents('order', {
  OrderPlaced: z.object({
    number: OrderNumber,
    cartId: Id.exactOptional().meta({
      description: 'Cart it comes from; absent for imported orders',
      example: '0198f0c2',
    }),
    ...importedContents,
    placedAt: Timestamp.meta({
      description: 'When it was placed; earlier than it was recorded where it was imported',
      example: '2026-01-15T09:30:00.000Z',
    }),
    expiresAt: Timestamp.meta({
      description: 'Ends by itself unless it is confirmed before',
      example: '2026-01-15T10:00:00.000Z',
    }),
  }),
  /** Stock of one SKU has been reserved for the order. */
  OrderStockReserved: z.object({
    sku: Sku,
    reservationId: z
      .string()
      .max(250)
      .meta({ description: 'Names order, SKU and attempt', example: '0198f0c2:TEAPOT-BLUE:1' }),
    quantity: Quantity,
  }),
  /** All of its stock is reserved. */
  OrderStockSecured: z.object({}),
  OrderPaymentStarted: z.object({
    paymentId: Id,
    gateway: GatewayName,
    amount: Amount,
    currency: Currency,
    token: personal(PaymentToken),
  }),
  OrderPaymentFailed: z.object({
    paymentId: Id,
    code: z.string().max(100).meta({ description: 'Why, for programs', example: 'card-declined' }),
    reason: Reason,
  }),
  /** The money is held and the stock reserved: the shop owes the goods. */
  OrderConfirmed: z.object({ paymentId: Id.exactOptional() }),
  /** The money has been taken: once for each order, which is a sale from now on. Sales figures need nothing else. */
  OrderPaid: z.object({
    paymentId: Id.exactOptional(),
    external: ExternalPayment.exactOptional(),
    amount: Amount,
    currency: Currency,
    ...saleContents,
  }),
  OrderRejected: z.object({
    code: z.enum(['out-of-stock']).meta({ description: 'Why, for programs', example: 'out-of-stock' }),
    sku: Sku,
    available: z.int().min(0).meta({ description: 'Pieces that there were', example: 1 }),
  }),
  OrderExpired: z.object({}),
  OrderCancelled: z.object({ by: CancelledBy, reason: Reason }),
  OrderShipped: z.object({
    shipmentId: Id,
    lines: ShipmentLines,
    carrier: z.string().max(100).exactOptional().meta({ description: 'Who carries it', example: 'DHL' }),
    trackingCode: z
      .string()
      .max(100)
      .exactOptional()
      .meta({ description: "The carrier's tracking code", example: 'JD0146' }),
  }),
  OrderDelivered: z.object({ shipmentId: Id }),
  /** Paid, and everything delivered. */
  OrderCompleted: z.object({}),
  OrderRefundRequested: z.object({ ...refundContents, paymentId: Id.exactOptional() }),
  /** The money has been given back; sales figures take it off on this event's day. */
  OrderRefunded: z.object({ ...refundContents, paymentId: Id.exactOptional() }),
  OrderRefundFailed: z.object({
    refundId: Id,
    code: z.string().max(100).meta({ description: 'Why, for programs', example: 'refund-declined' }),
    reason: Reason,
  }),
})
export type OrderEvent = EventOf<typeof orderEvents>
