import { z } from 'zod'
import { type OrderEvent, orderEvents } from '../domain/order/events.ts'
import { type PaymentEvent, paymentEvents } from '../domain/payment/events.ts'
import { type StockItemEvent, stockItemEvents } from '../domain/stock-item.ts'
import { Id, Timestamp } from '../domain/values.ts'
import { owner } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { findPage, type Reader } from '../engine/query.ts'
import { pageOf, pageParameters, query } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** All that happened to an order, to its payments and to what was reserved for it, in order and in words. */

type ReservationEvent = Extract<StockItemEvent, { data: { readonly reservationId: string } }>
type TimelineEvent = OrderEvent | PaymentEvent | ReservationEvent
type Described = Recorded<TimelineEvent>
type Details = Readonly<Record<string, string | number | boolean>>

const CustomerId = Id.meta({ description: 'Whose order it is', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' })

export const TimelineEntry = z.object({
  orderId: Id,
  position: z.int().meta({ description: 'Place in the log, by which entries are in order', example: 4711 }),
  at: Timestamp.meta({ description: 'When it happened', example: '2026-01-15T09:30:00.000Z' }),
  type: z.string().meta({ description: 'Type of the event', example: 'OrderShipped' }),
  title: z.string().meta({ description: 'What happened', example: 'Goods were shipped' }),
  details: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ description: 'What else is to be said of it', example: { pieces: 2, carrier: 'DHL' } }),
  by: z
    .object({
      kind: z
        .enum(['staff', 'customer', 'guest', 'process', 'system'])
        .meta({ description: 'What kind of actor', example: 'staff' }),
      id: z
        .string()
        .meta({ description: 'Id of the customer, guest or API key, or name of the process', example: 'key-1' }),
    })
    .nullable()
    .meta({ description: 'Who did it; only staff is told', example: null }),
})
export type TimelineEntry = z.output<typeof TimelineEntry>

const entries = collection('entries', TimelineEntry, { byOrder: ['orderId', 'position'] })

/** Whose each order is. */
const owners = collection('owners', z.object({ customerId: CustomerId }), {})

const titles: Readonly<Record<Described['type'], string>> = {
  OrderPlaced: 'The order was placed',
  OrderStockReserved: 'Stock was set aside for the order',
  OrderStockSecured: 'All goods are set aside',
  OrderPaymentStarted: 'A payment was started',
  OrderPaymentFailed: 'The payment failed',
  OrderConfirmed: 'The order was confirmed',
  OrderPaid: 'The order was paid',
  OrderRejected: 'The order was rejected: goods are out of stock',
  OrderExpired: 'The order ended by itself: it was not paid in time',
  OrderCancelled: 'The order was cancelled',
  OrderShipped: 'Goods were shipped',
  OrderDelivered: 'A shipment was delivered',
  OrderCompleted: 'The order was completed',
  OrderRefundRequested: 'A refund was asked for',
  OrderRefunded: 'Money was given back',
  OrderRefundFailed: 'A refund failed',
  PaymentRequested: 'The payment gateway was asked to hold the money',
  PaymentPending: 'The payment gateway waits for the shopper',
  PaymentAuthorised: 'The payment gateway holds the money',
  PaymentFailed: 'The payment gateway refused the payment',
  CaptureRequested: 'The payment gateway was asked to take the money',
  PaymentCaptured: 'The payment gateway took the money',
  CaptureFailed: 'The payment gateway could not take the money',
  PaymentCancelRequested: 'The payment gateway was asked to let the money go',
  PaymentCancelled: 'The payment gateway let the money go',
  RefundRequested: 'The payment gateway was asked to give money back',
  PaymentRefunded: 'The payment gateway gave money back',
  RefundFailed: 'The payment gateway could not give money back',
  StockReserved: 'Pieces were reserved in stock',
  ReservationRefused: 'There were too few pieces in stock',
  ReservationReleased: 'Reserved pieces were let go',
  ReservationCommitted: 'Reserved pieces left the house',
}

/** What of an event's data is told beside its title: neither secrets nor what the gateway calls things. */
const told = [
  'number',
  'sku',
  'quantity',
  'available',
  'paymentId',
  'gateway',
  'external',
  'refundId',
  'shipmentId',
  'carrier',
  'trackingCode',
  'amount',
  'total',
  'currency',
  'by',
  'code',
  'reason',
] as const

function detailsOf({ stream, data }: Described): Details {
  const known: Readonly<Record<string, unknown>> = data
  const details: Record<string, string | number> = stream.startsWith('payment-') ? { paymentId: idOf(stream) } : {}
  for (const name of told) {
    const value = known[name]
    if (typeof value === 'string' || typeof value === 'number') details[name] = value
  }
  if ('totals' in data) details.total = data.totals.total
  if ('lines' in data) details.pieces = data.lines.reduce((sum, { quantity }) => sum + quantity, 0)
  return details
}

function entry(orderId: string, event: Described): Change {
  const { position, type, metadata } = event
  const { kind, id } = metadata.actor
  return entries.change(`${orderId}:${position}`, () => ({
    orderId,
    position,
    at: metadata.occurredAt,
    type,
    title: titles[type],
    details: detailsOf(event),
    by: { kind, id },
  }))
}

const ofOrder = (event: Recorded<OrderEvent>) => entry(idOf(event.stream), event)
const ofPayment = (event: Recorded<PaymentEvent>) => entry(event.data.orderId, event)

/** A reservation names the order that it is for, in front of SKU and attempt; one that does not is of no order. */
function ofReservation(event: Recorded<ReservationEvent>): readonly Change[] {
  const [orderId, sku] = event.data.reservationId.split(':')
  return orderId === undefined || sku === undefined ? [] : [entry(orderId, event)]
}

export const orderTimeline = projection({
  name: 'order-timeline',
  version: 1,
  collections: [entries, owners],
  from: [orderEvents, paymentEvents, stockItemEvents],
  on: {
    OrderPlaced: (event) => [
      ofOrder(event),
      owners.change(idOf(event.stream), () => ({ customerId: event.data.customerId })),
    ],
    OrderStockReserved: ofOrder,
    OrderStockSecured: ofOrder,
    OrderPaymentStarted: ofOrder,
    OrderPaymentFailed: ofOrder,
    OrderConfirmed: ofOrder,
    OrderPaid: ofOrder,
    OrderRejected: ofOrder,
    OrderExpired: ofOrder,
    OrderCancelled: ofOrder,
    OrderShipped: ofOrder,
    OrderDelivered: ofOrder,
    OrderCompleted: ofOrder,
    OrderRefundRequested: ofOrder,
    OrderRefunded: ofOrder,
    OrderRefundFailed: ofOrder,

    PaymentRequested: ofPayment,
    PaymentPending: ofPayment,
    PaymentAuthorised: ofPayment,
    PaymentFailed: ofPayment,
    CaptureRequested: ofPayment,
    PaymentCaptured: ofPayment,
    CaptureFailed: ofPayment,
    PaymentCancelRequested: ofPayment,
    PaymentCancelled: ofPayment,
    RefundRequested: ofPayment,
    PaymentRefunded: ofPayment,
    RefundFailed: ofPayment,

    StockReserved: ofReservation,
    ReservationRefused: ofReservation,
    ReservationReleased: ofReservation,
    ReservationCommitted: ofReservation,
  },
})

const entriesRead = 200

/** What happened to an order, the first first. */
export async function timelineOf(reader: Reader, orderId: string): Promise<readonly TimelineEntry[]> {
  const found = await reader.find(entries, { index: 'byOrder', equals: [orderId], limit: entriesRead })
  return found.map(({ body }) => body)
}

const Timeline = pageOf(TimelineEntry).extend({ customerId: CustomerId })

const getOrderTimeline = query({
  name: 'getOrderTimeline',
  route: 'GET /v1/orders/{orderId}/timeline',
  summary: 'All that happened to an order, the first first',
  description: 'Events of the order itself, of its payments and of the stock that was reserved for it.',
  who: owner(({ customerId }: z.output<typeof Timeline>) => customerId, 'orders'),
  from: orderTimeline,
  parameters: z.object({ orderId: Id, ...pageParameters }),
  result: Timeline,
  paged: true,
  async run({ parameters: { orderId, limit, cursor }, principal, reader }) {
    const [found] = await reader.get(owners, [orderId])
    if (found === undefined) return undefined
    const page = await findPage(reader, {
      of: entries,
      find: { index: 'byOrder', equals: [orderId] },
      limit,
      cursor,
      show: (all) => (principal.kind === 'staff' ? all : all.map((each) => ({ ...each, by: null }))),
    })
    return { ...page, items: [...page.items], customerId: found.customerId }
  },
})

export const timelineQueries = [getOrderTimeline] as const
