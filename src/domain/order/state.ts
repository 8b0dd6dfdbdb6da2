import { Map as PersistentMap } from 'immutable'
import { notFound } from '../../engine/errors.ts'
import { allUnits, amountsOf, pieces, takeUnits, type Units } from '../pricing.ts'
import type { OrderContents, OrderLine } from './contents.ts'
import type { OrderEvent } from './events.ts'
import { type FulfilmentState, fulfilmentState, leftToShip, type PaymentState, paymentState } from './standing.ts'

type DataOf<Type extends OrderEvent['type']> = Extract<OrderEvent, { type: Type }>['data']

/** What an order keeps of its contents beside its lines; whatever is personal but the payment's token it does not need. */
export interface Terms extends Pick<OrderContents, 'customerId' | 'currency' | 'country' | 'shipping' | 'totals'> {
  readonly placedAt: string
  readonly expiresAt: string
}

export interface LineState {
  readonly line: OrderLine
  readonly shipped: number
  readonly delivered: number
  /** Pieces that are neither paid back nor about to be. */
  readonly unitsLeft: Units
}

interface Attempt extends Omit<DataOf<'OrderPaymentStarted'>, 'paymentId'> {
  readonly status: 'started' | 'failed' | 'captured'
}

export interface Shipment extends Omit<DataOf<'OrderShipped'>, 'shipmentId'> {
  readonly isDelivered: boolean
}

export interface Refund {
  readonly status: 'requested' | 'refunded' | 'failed'
  readonly paymentId?: string
  readonly units: readonly { readonly lineId: string; readonly units: Units }[]
  readonly isWithShipping: boolean
  readonly reason: string
}

export interface Order {
  readonly status: 'none' | 'pending' | 'confirmed' | 'completed' | 'cancelled' | 'rejected'
  /** Why it was cancelled or rejected. */
  readonly endReason?: 'cancelled' | 'expired' | 'out-of-stock'
  readonly contents?: Terms
  /** By line id, in the order of the lines. */
  readonly lines: PersistentMap<string, LineState>
  /** By SKU. */
  readonly reservations: PersistentMap<string, { readonly reservationId: string; readonly quantity: number }>
  /** All of its stock is reserved. */
  readonly stockSecured: boolean
  /** By payment id: at most one of them is under way. */
  readonly payments: PersistentMap<string, Attempt>
  readonly paid?: Pick<DataOf<'OrderPaid'>, 'paymentId' | 'external' | 'amount'>
  readonly shipments: PersistentMap<string, Shipment>
  readonly refunds: PersistentMap<string, Refund>
}

export const initial: Order = {
  status: 'none',
  lines: PersistentMap(),
  reservations: PersistentMap(),
  stockSecured: false,
  payments: PersistentMap(),
  shipments: PersistentMap(),
  refunds: PersistentMap(),
}

export function evolve(order: Order, event: OrderEvent): Order {
  switch (event.type) {
    case 'OrderPlaced':
      return placed(order, event.data)
    case 'OrderStockReserved': {
      const { sku, ...reservation } = event.data
      return { ...order, reservations: order.reservations.set(sku, reservation) }
    }
    case 'OrderStockSecured':
      return { ...order, stockSecured: true }
    case 'OrderPaymentStarted': {
      const { paymentId, ...attempt } = event.data
      return { ...order, payments: order.payments.set(paymentId, { ...attempt, status: 'started' }) }
    }
    case 'OrderPaymentFailed':
      return withPayment(order, event.data.paymentId, 'failed')
    case 'OrderConfirmed':
      return { ...order, status: 'confirmed' }
    case 'OrderPaid': {
      const { paymentId, external, amount } = event.data
      const paid = {
        amount,
        ...(paymentId !== undefined && { paymentId }),
        ...(external !== undefined && { external }),
      }
      const taken = paymentId === undefined ? order : withPayment(order, paymentId, 'captured')
      return { ...taken, paid }
    }
    case 'OrderRejected':
      return { ...order, status: 'rejected', endReason: 'out-of-stock' }
    case 'OrderExpired':
      return { ...order, status: 'cancelled', endReason: 'expired' }
    case 'OrderCancelled':
      return { ...order, status: 'cancelled', endReason: 'cancelled' }
    case 'OrderShipped': {
      const { shipmentId, ...shipment } = event.data
      const lines = addPieces(order, shipment.lines, 'shipped')
      return { ...order, lines, shipments: order.shipments.set(shipmentId, { ...shipment, isDelivered: false }) }
    }
    case 'OrderDelivered': {
      const shipment = order.shipments.get(event.data.shipmentId)
      if (shipment === undefined) return order
      const lines = addPieces(order, shipment.lines, 'delivered')
      const shipments = order.shipments.set(event.data.shipmentId, { ...shipment, isDelivered: true })
      return { ...order, lines, shipments }
    }
    case 'OrderCompleted':
      return { ...order, status: 'completed' }
    case 'OrderRefundRequested':
      return withRefund(order, event.data, 'requested')
    case 'OrderRefunded': {
      const known = order.refunds.get(event.data.refundId)
      // A refund that had failed gave its pieces free: those that it pays back after all are taken anew.
      if (known?.status !== 'requested') return withRefund(order, event.data, 'refunded')
      return { ...order, refunds: order.refunds.set(event.data.refundId, { ...known, status: 'refunded' }) }
    }
    case 'OrderRefundFailed': {
      const known = order.refunds.get(event.data.refundId)
      if (known === undefined) return order
      const refunds = order.refunds.set(event.data.refundId, { ...known, status: 'failed' })
      const lines = known.units.reduce((all, { lineId, units }) => changeUnits(all, lineId, units, 1), order.lines)
      return { ...order, refunds, lines }
    }
  }
}

function placed(order: Order, data: DataOf<'OrderPlaced'>): Order {
  const { customerId, currency, country, shipping, totals, placedAt, expiresAt } = data
  return {
    ...order,
    status: 'pending',
    contents: { customerId, currency, country, shipping, totals, placedAt, expiresAt },
    lines: PersistentMap(
      data.lines.map((line) => [line.lineId, { line, shipped: 0, delivered: 0, unitsLeft: allUnits(line) }]),
    ),
  }
}

function withPayment(order: Order, paymentId: string, status: Attempt['status']): Order {
  const attempt = order.payments.get(paymentId)
  return attempt ? { ...order, payments: order.payments.set(paymentId, { ...attempt, status }) } : order
}

function addPieces(order: Order, moved: Shipment['lines'], what: 'shipped' | 'delivered'): Order['lines'] {
  return order.lines.withMutations((lines) => {
    for (const { lineId, quantity } of moved) {
      const line = lines.get(lineId)
      if (line) lines.set(lineId, { ...line, [what]: line[what] + quantity })
    }
  })
}

function changeUnits(lines: Order['lines'], lineId: string, units: Units, sign: 1 | -1): Order['lines'] {
  const line = lines.get(lineId)
  if (line === undefined) return lines
  return lines.set(lineId, {
    ...line,
    unitsLeft: line.unitsLeft.map((left, group) => left + sign * (units[group] ?? 0)),
  })
}

function withRefund(order: Order, data: DataOf<'OrderRefundRequested'>, status: Refund['status']): Order {
  const units = data.lines.map(({ lineId, quantity }) => ({
    lineId,
    units: takeUnits(order.lines.get(lineId)?.unitsLeft ?? [], quantity),
  }))
  const refund: Refund = {
    status,
    units,
    isWithShipping: data.shipping.amount > 0,
    reason: data.reason,
    ...(data.paymentId !== undefined && { paymentId: data.paymentId }),
  }
  return {
    ...order,
    refunds: order.refunds.set(data.refundId, refund),
    lines: units.reduce((all, taken) => changeUnits(all, taken.lineId, taken.units, -1), order.lines),
  }
}

// What follows from the state

/** @throws Rejection `order-not-found` */
export function termsOf({ contents }: Order, id: string): Terms {
  if (contents === undefined) throw notFound('order', id)
  return contents
}

/** The order has come to nothing: what was reserved and held for it is let go. */
export function isEnded(order: Order): boolean {
  return order.status === 'cancelled' || order.status === 'rejected'
}

/** The payment that was started and has neither failed nor been taken. */
export function paymentUnderWay(order: Order): string | undefined {
  return order.payments.findKey(({ status }) => status === 'started')
}

/** Pieces to reserve of each SKU, those of all its lines together. */
export function quantityBySku(order: Order): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>()
  for (const { line } of order.lines.values()) {
    quantities.set(line.sku, (quantities.get(line.sku) ?? 0) + line.quantity)
  }
  return quantities
}

function piecesOf({ line, shipped, delivered, unitsLeft }: LineState) {
  const { quantity } = line
  return { quantity, shipped, delivered, refunded: quantity - pieces(unitsLeft) }
}

/** Pieces of a line that are still to be shipped. */
export function leftOf(line: LineState): number {
  return leftToShip(piecesOf(line))
}

/**
 * Nothing of these lines will be shipped any more. While a refund is under way nobody knows, unless all has left the
 * house: should the refund fail, its pieces have to be shipped.
 */
export function isShippedForGood(order: Order, lines: readonly LineState[]): boolean {
  if (lines.some((line) => leftOf(line) > 0)) return false
  return (
    lines.every(({ shipped, line }) => shipped === line.quantity) ||
    !order.refunds.some(({ status }) => status === 'requested')
  )
}

/** Paid, everything that was to be shipped is, and has arrived. */
export function isComplete(order: Order): boolean {
  const lines = [...order.lines.values()]
  return (
    order.status === 'confirmed' &&
    order.paid !== undefined &&
    lines.every(({ shipped, delivered }) => shipped === delivered) &&
    isShippedForGood(order, lines)
  )
}

/** Shipping is paid back, or about to be. */
export function isShippingRefunded(order: Order): boolean {
  return order.refunds.some(({ status, isWithShipping }) => isWithShipping && status !== 'failed')
}

/** What a refund gives back, from the amounts that the order keeps; in minor units. */
function refundTotal(order: Order, { units, isWithShipping }: Refund): number {
  const shipping = isWithShipping ? (order.contents?.shipping.amount ?? 0) : 0
  return units.reduce((sum, taken) => {
    const line = order.lines.get(taken.lineId)
    return line ? sum + amountsOf(line.line, taken.units).amount : sum
  }, shipping)
}

export function paymentStateOf(order: Order): PaymentState {
  const started = paymentUnderWay(order) !== undefined && !isEnded(order)
  const authorised = started && order.status === 'confirmed'
  const refunded = order.refunds.reduce(
    (sum, refund) => (refund.status === 'refunded' ? sum + refundTotal(order, refund) : sum),
    0,
  )
  return paymentState({ started, authorised, refunded, ...(order.paid && { paid: order.paid.amount }) })
}

export function fulfilmentStateOf(order: Order): FulfilmentState {
  return fulfilmentState([...order.lines.values()].map(piecesOf))
}
