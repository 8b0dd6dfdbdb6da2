import { z } from 'zod'
import { OrderLine, orderContents } from '../domain/order/contents.ts'
import { GatewayName, type OrderEvent, OrderNumber, orderEvents } from '../domain/order/events.ts'
import {
  fulfilmentState,
  fulfilmentStates,
  paymentState,
  paymentStates,
  refundState,
  refundStates,
} from '../domain/order/standing.ts'
import { paymentEvents } from '../domain/payment/events.ts'
import { Amount, Id, Reason, Timestamp } from '../domain/values.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { idOf } from '../engine/streams.ts'
import { orderTexts, orderWords, textOf } from './order-search.ts'

/** Orders as shoppers and staff see them, one document for each. */

const Pieces = z.int().min(0)
const LineId = OrderLine.shape.lineId
const Moved = z
  .array(z.object({ lineId: LineId, quantity: Pieces.meta({ description: 'Number of pieces', example: 2 }) }))
  .meta({ description: 'Pieces by line' })

const NextAction = paymentEvents.schemas.PaymentPending.shape.nextAction

const Payment = z.object({
  paymentId: Id.meta({ description: 'Payment', example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' }),
  gateway: GatewayName,
  status: z.enum(['started', 'failed', 'cancelled', 'captured']).meta({
    description: 'Whether it is under way, has failed, was let go as the order ended, or has taken the money',
    example: 'started',
  }),
  nextAction: NextAction.nullable().meta({
    description: 'What the shopper has to do, as long as the gateway waits for it',
    example: { kind: 'redirect', url: 'https://gateway.example/pay_8f2k' },
  }),
  failure: z
    .object({ code: z.string().meta({ description: 'Why, for programs', example: 'card-declined' }), reason: Reason })
    .nullable()
    .meta({ description: 'Why it failed', example: null }),
})

const Shipment = z.object({
  shipmentId: Id.meta({ description: 'Shipment', example: '0198f0c2-4444-7a34-9b0e-3f2c1d5a7b88' }),
  lines: Moved,
  carrier: z.string().nullable().meta({ description: 'Who carries it', example: 'DHL' }),
  trackingCode: z.string().nullable().meta({ description: "The carrier's tracking code", example: 'JD0146' }),
  shippedAt: Timestamp.meta({ description: 'When it left', example: '2026-01-16T08:00:00.000Z' }),
  deliveredAt: Timestamp.nullable().meta({ description: 'When it arrived', example: null }),
})

const Refund = z.object({
  refundId: Id.meta({ description: 'Refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' }),
  status: z
    .enum(['requested', 'refunded', 'failed'])
    .meta({ description: 'Whether the money is on its way, is back or could not be given back', example: 'refunded' }),
  lines: Moved,
  shipping: Amount.meta({ description: 'Given back for shipping, tax included', example: 0 }),
  total: Amount.meta({ description: 'All that is given back', example: 2499 }),
  reason: Reason,
})

export const Order = z.object({
  id: Id.meta({ description: 'Order', example: '0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88' }),
  number: OrderNumber,
  customerId: orderContents.customerId,
  buyer: orderContents.buyer,
  currency: orderContents.currency,
  country: orderContents.country,
  language: orderContents.language,
  email: orderContents.email,
  shippingAddress: orderContents.shippingAddress,
  lines: z
    .array(
      OrderLine.omit({ unitTaxes: true, categoryIds: true }).extend({
        shipped: Pieces.meta({ description: 'Pieces that have left', example: 2 }),
        delivered: Pieces.meta({ description: 'Pieces that have arrived', example: 0 }),
        refunded: Pieces.meta({ description: 'Pieces that are paid back or about to be', example: 0 }),
      }),
    )
    .meta({ description: 'Lines of the order' }),
  units: Pieces.meta({ description: 'Pieces of all lines', example: 2 }),
  shipping: orderContents.shipping,
  totals: orderContents.totals,
  status: z
    .enum(['pending', 'confirmed', 'completed', 'cancelled', 'rejected'])
    .meta({ description: "The order's own state", example: 'confirmed' }),
  endReason: z
    .enum(['cancelled-by-customer', 'cancelled-by-staff', 'expired', 'out-of-stock'])
    .nullable()
    .meta({ description: 'Why it was cancelled or rejected', example: null }),
  endNote: Reason.nullable().meta({ description: 'What was said about that', example: null }),
  paymentStatus: z.enum(paymentStates).meta({ description: 'How far it is paid', example: 'captured' }),
  paid: Amount.nullable().meta({ description: 'What has been taken; null before', example: 5488 }),
  refunded: Amount.meta({ description: 'What has been given back of it', example: 0 }),
  payment: Payment.nullable().meta({ description: 'The latest payment', example: null }),
  fulfilmentStatus: z
    .enum(fulfilmentStates)
    .meta({ description: 'How far it is shipped and delivered', example: 'unfulfilled' }),
  shipments: z.array(Shipment).meta({ description: 'Shipments, the first one first' }),
  refunds: z.array(Refund).meta({
    description: 'Refunds, the first one first; one that failed stays, and is asked for anew under another id',
  }),
  refundStatus: z.enum(refundStates).meta({
    description: 'How far its refunds are; `failed` needs a person until another is under way or all is paid back',
    example: 'none',
  }),
  placedAt: Timestamp.meta({ description: 'When it was placed', example: '2026-01-15T09:30:00.000Z' }),
  expiresAt: Timestamp.meta({
    description: 'Ends by itself unless it is confirmed before',
    example: '2026-01-15T10:00:00.000Z',
  }),
  revision: z.int().meta({ description: 'Revision of the order, for `If-Match`', example: 7 }),
})
export type Order = z.output<typeof Order>

export const orderDocuments = collection('orders', Order, {
  byPlacedAt: ['placedAt'],
  byCustomer: ['customerId', 'placedAt'],
  byStatus: ['status', 'placedAt'],
  byPayment: ['paymentStatus', 'placedAt'],
  byFulfilment: ['fulfilmentStatus', 'placedAt'],
  byRefund: ['refundStatus', 'placedAt'],
})

type EventIn = Recorded<OrderEvent>
type DataOf<Type extends OrderEvent['type']> = Extract<EventIn, { type: Type }>['data']

function placed(event: Extract<EventIn, { type: 'OrderPlaced' }>): readonly Change[] {
  const { cartId: _cartId, lines, ...contents } = event.data
  const id = idOf(event.stream)
  const document: Order = {
    ...contents,
    email: contents.email ?? null,
    shippingAddress: contents.shippingAddress ?? null,
    id,
    lines: lines.map(({ unitTaxes: _unitTaxes, categoryIds: _categoryIds, ...line }) => ({
      ...line,
      shipped: 0,
      delivered: 0,
      refunded: 0,
    })),
    units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    status: 'pending',
    endReason: null,
    endNote: null,
    paymentStatus: 'not-paid',
    paid: null,
    refunded: 0,
    payment: null,
    fulfilmentStatus: 'unfulfilled',
    shipments: [],
    refunds: [],
    refundStatus: 'none',
    revision: event.revision,
  }
  return [orderDocuments.change(id, () => document), orderTexts.change(id, () => textOf(id, event.data))]
}

/** The order with the states that are computed from its parts. */
function withStates(order: Order): Order {
  const { status, payment, paid, refunded, refunds, lines } = order
  const started = payment?.status === 'started'
  const authorised = started && status === 'confirmed'
  return {
    ...order,
    paymentStatus: paymentState({ started, authorised, refunded, ...(paid !== null && { paid }) }),
    fulfilmentStatus: fulfilmentState(lines),
    refundStatus: refundState(refunds, { paid: paid ?? 0, refunded }),
  }
}

function changed(event: EventIn, evolve: (order: Order) => Partial<Order>): Change {
  return orderDocuments.update(idOf(event.stream), (order) =>
    withStates({ ...order, ...evolve(order), revision: event.revision }),
  )
}

function withPieces(
  lines: Order['lines'],
  moved: z.output<typeof Moved>,
  what: 'shipped' | 'delivered' | 'refunded',
  sign: 1 | -1 = 1,
): Order['lines'] {
  const quantities = new Map(moved.map(({ lineId, quantity }) => [lineId, sign * quantity]))
  return lines.map((line) => {
    const quantity = quantities.get(line.lineId)
    return quantity === undefined ? line : { ...line, [what]: line[what] + quantity }
  })
}

function withRefund(
  order: Order,
  { refundId, lines, shipping, total, reason }: DataOf<'OrderRefunded'>,
  status: 'requested' | 'refunded',
): Partial<Order> {
  const known = order.refunds.find((refund) => refund.refundId === refundId)
  const moved = lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
  const refund = { refundId, status, lines: moved, shipping: shipping.amount, total, reason }
  return {
    refunds: [...order.refunds.filter((each) => each !== known), refund],
    // A refund that had failed gave its pieces free.
    lines: known?.status === 'requested' ? order.lines : withPieces(order.lines, moved, 'refunded'),
    refunded: order.refunded + (status === 'refunded' ? total : 0),
  }
}

function withFailedRefund({ refunds, lines }: Order, refundId: string): Partial<Order> {
  const known = refunds.find((refund) => refund.refundId === refundId)
  if (known === undefined) return {}
  return {
    refunds: refunds.map((refund) => (refund === known ? { ...refund, status: 'failed' } : refund)),
    lines: withPieces(lines, known.lines, 'refunded', -1),
  }
}

function withPayment(
  payment: Order['payment'],
  paymentId: string | undefined,
  next: Partial<Pick<z.output<typeof Payment>, 'status' | 'nextAction' | 'failure'>>,
): Order['payment'] {
  return payment?.paymentId === paymentId && payment !== null ? { ...payment, nextAction: null, ...next } : payment
}

/** The order has come to nothing and waits for no payment any more; what is taken all the same is told later. */
function ended(event: EventIn, end: Pick<Order, 'status' | 'endReason'> & Partial<Order>): Change {
  return changed(event, ({ payment }) => ({
    ...end,
    payment: payment?.status === 'started' ? { ...payment, status: 'cancelled', nextAction: null } : payment,
  }))
}

/** What the gateway says beside what the order itself makes of it. */
function nextAction(
  { stream, data }: { readonly stream: string; readonly data: { readonly orderId: string } },
  action: z.output<typeof NextAction> | null,
): Change {
  return orderDocuments.update(data.orderId, (order) => {
    if (order.payment?.status !== 'started') return order
    const payment = withPayment(order.payment, idOf(stream), { nextAction: action })
    return payment === order.payment ? order : { ...order, payment }
  })
}

export const orders = projection({
  name: 'orders',
  version: 1,
  collections: [orderDocuments, orderTexts, orderWords],
  from: [orderEvents, paymentEvents],
  on: {
    OrderPlaced: placed,
    OrderStockReserved: (event) => changed(event, () => ({})),
    OrderStockSecured: (event) => changed(event, () => ({})),
    OrderPaymentStarted: (event) => {
      const { paymentId, gateway } = event.data
      const payment = { paymentId, gateway, status: 'started' as const, nextAction: null, failure: null }
      return changed(event, () => ({ payment }))
    },
    OrderPaymentFailed: (event) => {
      const { paymentId, ...failure } = event.data
      return changed(event, ({ payment }) => ({
        payment: withPayment(payment, paymentId, { status: 'failed', failure }),
      }))
    },
    OrderConfirmed: (event) => changed(event, () => ({ status: 'confirmed' })),
    OrderPaid: (event) =>
      changed(event, ({ payment }) => ({
        paid: event.data.amount,
        payment: withPayment(payment, event.data.paymentId, { status: 'captured' }),
      })),
    OrderRejected: (event) => ended(event, { status: 'rejected', endReason: 'out-of-stock' }),
    OrderExpired: (event) => ended(event, { status: 'cancelled', endReason: 'expired' }),
    OrderCancelled: (event) => {
      const endReason = event.data.by === 'customer' ? 'cancelled-by-customer' : 'cancelled-by-staff'
      return ended(event, { status: 'cancelled', endReason, endNote: event.data.reason })
    },
    OrderShipped: (event) => {
      const { shipmentId, lines, carrier = null, trackingCode = null } = event.data
      const shippedAt = event.metadata.occurredAt
      const shipment = { shipmentId, lines, carrier, trackingCode, shippedAt, deliveredAt: null }
      return changed(event, (order) => ({
        shipments: [...order.shipments, shipment],
        lines: withPieces(order.lines, lines, 'shipped'),
      }))
    },
    OrderDelivered: (event) => {
      const deliveredAt = event.metadata.occurredAt
      return changed(event, ({ shipments, lines }) => {
        const arrived = shipments.find(({ shipmentId }) => shipmentId === event.data.shipmentId)
        return {
          shipments: shipments.map((each) => (each === arrived ? { ...each, deliveredAt } : each)),
          lines: withPieces(lines, arrived?.lines ?? [], 'delivered'),
        }
      })
    },
    OrderCompleted: (event) => changed(event, () => ({ status: 'completed' })),
    OrderRefundRequested: (event) => changed(event, (order) => withRefund(order, event.data, 'requested')),
    OrderRefunded: (event) => changed(event, (order) => withRefund(order, event.data, 'refunded')),
    OrderRefundFailed: (event) => changed(event, (order) => withFailedRefund(order, event.data.refundId)),

    PaymentPending: (event) => nextAction(event, event.data.nextAction),
    PaymentAuthorised: (event) => nextAction(event, null),
    PaymentFailed: (event) => nextAction(event, null),
    PaymentCancelled: (event) => nextAction(event, null),
  },
})
