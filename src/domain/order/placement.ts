import type { z } from 'zod'
import type { Context } from '../../engine/decider.ts'
import { reject } from '../../engine/errors.ts'
import { derivedId } from '../../engine/streams.ts'
import { checkAmounts } from '../pricing.ts'
import type { orderCommands } from './commands.ts'
import type { OrderEvent } from './events.ts'
import { orderNumber } from './number.ts'
import { refundOfRest, sale } from './settlement.ts'
import { isEnded, type Order, paymentUnderWay, quantityBySku, type Terms, termsOf } from './state.ts'

/** How an order begins, is owed, and ends before its time. */

type Command<Type extends keyof typeof orderCommands> = z.output<(typeof orderCommands)[Type]>

function inMilliseconds(instant: string): string {
  return Temporal.Instant.from(instant).toString({ fractionalSecondDigits: 3 })
}

export function place(command: Command<'PlaceOrder'>, order: Order, { id, at }: Context): OrderEvent[] {
  if (order.status !== 'none') return []
  return [{ type: 'OrderPlaced', data: { number: orderNumber(id), ...command, placedAt: inMilliseconds(at) } }]
}

/** An order that was paid elsewhere, and shipped and delivered there or still to be shipped from here. */
export function importOrder(command: Command<'ImportOrder'>, order: Order, { id, at }: Context): OrderEvent[] {
  if (order.status !== 'none') return []
  const { external, shipped, ...contents } = command
  if (new Set(contents.lines.map(({ lineId }) => lineId)).size < contents.lines.length) {
    throw reject('line-not-unique', 'Two lines have the same lineId. Number them.')
  }
  checkAmounts(contents.lines, contents.shipping, contents.totals)
  const placedAt = inMilliseconds(at)
  const { currency, totals } = contents
  const events: OrderEvent[] = [
    { type: 'OrderPlaced', data: { ...contents, placedAt, expiresAt: placedAt } },
    { type: 'OrderConfirmed', data: {} },
    {
      type: 'OrderPaid',
      data: { external, amount: totals.total, currency, ...sale({ ...contents, placedAt }, contents.lines) },
    },
  ]
  if (!shipped) return events
  const shipmentId = derivedId('imported-shipment', id)
  const lines = contents.lines.map(({ lineId, quantity }) => ({ lineId, quantity }))
  return [
    ...events,
    { type: 'OrderShipped', data: { shipmentId, lines } },
    { type: 'OrderDelivered', data: { shipmentId } },
    { type: 'OrderCompleted', data: {} },
  ]
}

/** A reservation that comes for an order that is not pending is not recorded; the process releases it. */
export function recordReservation(command: Command<'RecordReservation'>, order: Order, { id }: Context): OrderEvent[] {
  const terms = termsOf(order, id)
  const { sku, quantity } = command
  const needed = quantityBySku(order)
  if (order.status !== 'pending' || order.reservations.has(sku) || needed.get(sku) !== quantity) return []
  const reserved: OrderEvent = { type: 'OrderStockReserved', data: command }
  if (order.reservations.size + 1 < needed.size) return [reserved]
  const secured: OrderEvent[] = [reserved, { type: 'OrderStockSecured', data: {} }]
  return terms.totals.total === 0 ? [...secured, ...settledByNothing(terms, order)] : secured
}

/** An order that costs nothing waits for no payment. */
function settledByNothing(terms: Terms, order: Order): OrderEvent[] {
  const lines = [...order.lines.values()].map(({ line }) => line)
  return [
    { type: 'OrderConfirmed', data: {} },
    { type: 'OrderPaid', data: { amount: 0, currency: terms.currency, ...sale(terms, lines) } },
  ]
}

export function rejectOrder(command: Command<'RejectOrder'>, order: Order, { id }: Context): OrderEvent[] {
  termsOf(order, id)
  if (order.status !== 'pending') return []
  return [{ type: 'OrderRejected', data: { code: 'out-of-stock', ...command } }]
}

export function confirm({ paymentId }: Command<'ConfirmOrder'>, order: Order, { id }: Context): OrderEvent[] {
  termsOf(order, id)
  const isDue = order.status === 'pending' && order.stockSecured && paymentUnderWay(order) === paymentId
  return isDue ? [{ type: 'OrderConfirmed', data: { paymentId } }] : []
}

export function expire({ dueAt }: Command<'ExpireOrder'>, order: Order, { id }: Context): OrderEvent[] {
  const { expiresAt } = termsOf(order, id)
  return order.status === 'pending' && dueAt === expiresAt ? [{ type: 'OrderExpired', data: {} }] : []
}

export function cancel({ reason }: Command<'CancelOrder'>, order: Order, { id, actor }: Context): OrderEvent[] {
  termsOf(order, id)
  if (order.status === 'cancelled') return []
  if (isEnded(order) || order.status === 'completed') {
    throw reject('order-ended', `This order is ${order.status}; there is nothing left to cancel.`)
  }
  if (!order.shipments.isEmpty()) {
    throw reject('order-shipped', 'Goods of this order have been shipped. Refund what comes back instead.')
  }
  const by = actor.kind === 'customer' || actor.kind === 'guest' ? 'customer' : 'staff'
  return [{ type: 'OrderCancelled', data: { by, reason } }, ...refundOfRest(order, id, reason)]
}
