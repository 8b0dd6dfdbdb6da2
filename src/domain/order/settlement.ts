import type { z } from 'zod'
import type { Context } from '../../engine/decider.ts'
import { notFound, reject } from '../../engine/errors.ts'
import { derivedId } from '../../engine/streams.ts'
import { wholeRefundId } from '../payment/state.ts'
import { amountsOf, pieces, takeUnits, type Units } from '../pricing.ts'
import { isSame } from '../sameness.ts'
import type { orderCommands } from './commands.ts'
import type { OrderLine } from './contents.ts'
import type { OrderEvent } from './events.ts'
import { completed } from './fulfilment.ts'
import { sumByLine } from './selection.ts'
import {
  evolve,
  isEnded,
  isShippingRefunded,
  type LineState,
  type Order,
  paymentStateOf,
  paymentUnderWay,
  type Refund,
  type Terms,
  termsOf,
} from './state.ts'

/** How an order is paid, and paid back. */

type Command<Type extends keyof typeof orderCommands> = z.output<(typeof orderCommands)[Type]>
type DataOf<Type extends OrderEvent['type']> = Extract<OrderEvent, { type: Type }>['data']

const maxPayments = 100
const maxRefunds = 1_000

/** What was sold, as it stands in OrderPaid. */
export function sale(
  { customerId, country, placedAt, shipping }: Pick<Terms, 'customerId' | 'country' | 'placedAt' | 'shipping'>,
  lines: readonly OrderLine[],
) {
  return {
    customerId,
    country,
    placedAt,
    lines: lines.map(({ productId, sku, title, categoryIds, quantity, amount, tax }) => ({
      productId,
      sku,
      title,
      categoryIds,
      quantity,
      amount,
      tax,
    })),
    shipping: { amount: shipping.amount, tax: shipping.tax },
  }
}

// Payments

/** An order whose payment could not be taken after all can be paid again. */
export function pay(command: Command<'PayOrder'>, order: Order, { id, at }: Context): OrderEvent[] {
  const { expiresAt, totals, currency } = termsOf(order, id)
  if (order.payments.has(command.paymentId)) return []
  const isInTime = order.status === 'pending' && Temporal.Instant.compare(at, expiresAt) < 0
  if (paymentUnderWay(order) !== undefined && (isInTime || order.status === 'confirmed')) {
    throw reject('payment-under-way', 'Another payment of this order is under way. Wait for its outcome.')
  }
  if (!isInTime && !(order.status === 'confirmed' && order.paid === undefined)) {
    throw reject('order-not-payable', 'This order does not wait for a payment. Place a new order.', {
      status: order.status,
    })
  }
  if (order.payments.size >= maxPayments) {
    throw reject('too-many-payments', 'Too many payments of this order have failed. Place a new order.')
  }
  return [{ type: 'OrderPaymentStarted', data: { ...command, amount: totals.total, currency } }]
}

/** The payment that the order waits for has been taken; what comes for an order that ended goes back at once. */
export function recordPayment(
  { paymentId, amount }: Command<'RecordPayment'>,
  order: Order,
  { id }: Context,
): OrderEvent[] {
  const terms = termsOf(order, id)
  if (paymentUnderWay(order) !== paymentId || order.paid !== undefined) return []
  const lines = [...order.lines.values()].map(({ line }) => line)
  const paid: OrderEvent = {
    type: 'OrderPaid',
    data: { paymentId, amount, currency: terms.currency, ...sale(terms, lines) },
  }
  if (!isEnded(order)) return completed(order, [paid])
  return [paid, ...refundOfRest(evolve(order, paid), id, 'The order had ended before it was paid')]
}

export function recordPaymentFailure(
  command: Command<'RecordPaymentFailure'>,
  order: Order,
  { id }: Context,
): OrderEvent[] {
  termsOf(order, id)
  return paymentUnderWay(order) === command.paymentId ? [{ type: 'OrderPaymentFailed', data: command }] : []
}

// Refunds

interface Taken {
  readonly lineId: string
  readonly units: Units
}

function contentsOf(
  order: Order,
  terms: Terms,
  refundId: string,
  { paymentId, units, isWithShipping, reason }: Omit<Refund, 'status'>,
): DataOf<'OrderRefundRequested'> {
  const lines = units.flatMap((taken) => {
    const line = order.lines.get(taken.lineId)?.line
    if (line === undefined) return []
    const { lineId, productId, sku, title, categoryIds } = line
    return [{ lineId, productId, sku, title, categoryIds, ...amountsOf(line, taken.units) }]
  })
  const { customerId, currency, country } = terms
  const { amount, tax } = terms.shipping
  const shipping = isWithShipping ? { amount, tax } : { amount: 0, tax: 0 }
  const total = lines.reduce((sum, line) => sum + line.amount, shipping.amount)
  return {
    refundId,
    customerId,
    currency,
    country,
    lines,
    shipping,
    total,
    reason,
    ...(paymentId !== undefined && { paymentId }),
  }
}

/** Everything that is neither paid back nor about to be; nothing for an order that is not paid. */
export function refundOfRest(order: Order, id: string, reason: string): OrderEvent[] {
  if (order.paid === undefined) return []
  const { paymentId } = order.paid
  const terms = termsOf(order, id)
  const units = [...order.lines.values()]
    .filter(({ unitsLeft }) => pieces(unitsLeft) > 0)
    .map(({ line, unitsLeft }) => ({ lineId: line.lineId, units: unitsLeft }))
  const isWithShipping = terms.shipping.amount > 0 && !isShippingRefunded(order)
  if (units.length === 0 && !isWithShipping) return []
  const refundId = paymentId === undefined ? derivedId('whole-refund', id) : wholeRefundId(paymentId)
  const rest = { units, isWithShipping, reason, ...(paymentId !== undefined && { paymentId }) }
  return [{ type: 'OrderRefundRequested', data: contentsOf(order, terms, refundId, rest) }]
}

function take({ line, unitsLeft }: LineState, quantity: number): Taken {
  const left = pieces(unitsLeft)
  if (quantity > left) {
    throw reject('refund-too-large', `Of line ${line.lineId} only ${left} pieces can be paid back.`, {
      lineId: line.lineId,
      left,
    })
  }
  return { lineId: line.lineId, units: takeUnits(unitsLeft, quantity) }
}

/** The pieces for a refund, as far as they are left. @throws Rejection `refund-too-large`, `line-not-found` */
function takeAll(order: Order, quantities: ReadonlyMap<string, number>): Taken[] {
  return Array.from(quantities, ([lineId, quantity]) => {
    const line = order.lines.get(lineId)
    if (line === undefined) throw reject('line-not-found', 'The order has no such line.', { lineId })
    return take(line, quantity)
  })
}

function checkShippingLeft(order: Order, isWithShipping: boolean): void {
  if (isWithShipping && isShippingRefunded(order)) {
    throw reject('refund-too-large', 'Shipping has been paid back already, or is about to be.')
  }
}

function quantitiesOf({ units }: Pick<Refund, 'units'>): ReadonlyMap<string, number> {
  return new Map(units.map((taken) => [taken.lineId, pieces(taken.units)]))
}

export function refund(command: Command<'RefundOrder'>, order: Order, { id }: Context): OrderEvent[] {
  const terms = termsOf(order, id)
  const { refundId, reason } = command
  const quantities = sumByLine(command.lines)
  const isWithShipping = command.shipping && terms.shipping.amount > 0
  const known = order.refunds.get(refundId)
  if (known !== undefined) {
    const isSameRefund =
      isSame(Object.fromEntries(quantitiesOf(known)), Object.fromEntries(quantities)) &&
      known.isWithShipping === isWithShipping &&
      known.reason === reason
    if (isSameRefund) return []
    throw reject('refund-exists', 'The order has another refund with this id. Use a new one.', { refundId })
  }
  if (order.paid === undefined) {
    throw reject('order-not-paid', 'This order has not been paid, so nothing can be paid back.', {
      payment: paymentStateOf(order),
    })
  }
  if (quantities.size === 0 && !isWithShipping) {
    throw reject('refund-empty', 'Say what is to be paid back: pieces of lines, shipping, or both.')
  }
  if (order.refunds.size >= maxRefunds)
    throw reject('too-many-refunds', `An order has ${maxRefunds} refunds at most. Refund more at once.`)
  checkShippingLeft(order, isWithShipping)
  const { paymentId } = order.paid
  const wanted = {
    units: takeAll(order, quantities),
    isWithShipping,
    reason,
    ...(paymentId !== undefined && { paymentId }),
  }
  return [{ type: 'OrderRefundRequested', data: contentsOf(order, terms, refundId, wanted) }]
}

export function importRefund(command: Command<'ImportRefund'>, order: Order, context: Context): OrderEvent[] {
  const events = refund(command, order, context).flatMap((event): OrderEvent[] =>
    event.type === 'OrderRefundRequested' ? [event, { type: 'OrderRefunded', data: event.data }] : [event],
  )
  return events.length > 0 ? completed(order, events) : []
}

export function recordRefund({ refundId }: Command<'RecordRefund'>, order: Order, { id }: Context): OrderEvent[] {
  const terms = termsOf(order, id)
  const known = order.refunds.get(refundId)
  if (known === undefined) throw notFound('refund', refundId)
  if (known.status === 'refunded') return []
  if (known.status === 'requested') {
    return completed(order, [{ type: 'OrderRefunded', data: contentsOf(order, terms, refundId, known) }])
  }
  // It was given up and succeeded after all. If its pieces have been paid back otherwise, a person has to look.
  checkShippingLeft(order, known.isWithShipping)
  const units = takeAll(order, quantitiesOf(known))
  return completed(order, [{ type: 'OrderRefunded', data: contentsOf(order, terms, refundId, { ...known, units }) }])
}

export function recordRefundFailure(
  command: Command<'RecordRefundFailure'>,
  order: Order,
  { id }: Context,
): OrderEvent[] {
  termsOf(order, id)
  const known = order.refunds.get(command.refundId)
  if (known === undefined) throw notFound('refund', command.refundId)
  if (known.status !== 'requested') return []
  return completed(order, [{ type: 'OrderRefundFailed', data: command }])
}
