import { orderEvents } from '../../../src/domain/order/events.ts'
import { order } from '../../../src/domain/order/order.ts'
import { specification } from '../../../src/testing/specification.ts'
import { cup, oneTeapotBack, payment, placement, teapots } from '../../projections/order-events.ts'

/** The words for the tests of an order of two blue teapots and one red cup. */

export const id = 'order-1'
export const { given, event } = specification(order, orderEvents, { id })

export const total = placement().totals.total
export const token = 'tok_4242'
export const failure = { code: 'card-declined', reason: 'The bank declined it' }

export const placed = event('OrderPlaced', placement())
const reserved = (sku: string, quantity: number) =>
  event('OrderStockReserved', { sku, reservationId: `${id}:${sku}:1`, quantity })
export const teapotsReserved = reserved('TEAPOT-BLUE', 2)
export const cupReserved = reserved('CUP-RED', 1)
export const stockSecured = event('OrderStockSecured', {})
export const paymentStarted = (paymentId = 'payment-1') =>
  event('OrderPaymentStarted', { paymentId, gateway: 'sandbox', amount: total, currency: 'EUR', token })
export const paymentFailed = (paymentId = 'payment-1') => event('OrderPaymentFailed', { paymentId, ...failure })
export const confirmed = event('OrderConfirmed', { paymentId: 'payment-1' })
export const paid = event('OrderPaid', { ...payment(), lines: payment().lines.map(sold) })
export const rejected = event('OrderRejected', { code: 'out-of-stock', sku: 'CUP-RED', available: 0 })
export const expired = event('OrderExpired', {})
export const cancelled = event('OrderCancelled', { by: 'staff', reason: 'Changed their mind' })
export const completed = event('OrderCompleted', {})

export const secured = [placed, teapotsReserved, cupReserved, stockSecured]
export const owed = [...secured, paymentStarted(), confirmed]
export const owedAndPaid = [...owed, paid]

interface Pieces {
  readonly lineId: string
  readonly quantity: number
}
export const pieces = (lineId: string, quantity: number): Pieces => ({ lineId, quantity })
export const all = [pieces('TEAPOT-BLUE', 2), pieces('CUP-RED', 1)]
export const shipped = (shipmentId: string, ...lines: Pieces[]) => event('OrderShipped', { shipmentId, lines })
export const delivered = (shipmentId: string) => event('OrderDelivered', { shipmentId })

/** What OrderPaid says of a line. */
function sold({
  productId,
  sku,
  title,
  categoryIds,
  quantity,
  amount,
  tax,
}: ReturnType<typeof payment>['lines'][number]) {
  return { productId, sku, title, categoryIds, quantity, amount, tax }
}

/** What a refund says of pieces of a line. */
function back(line: typeof teapots, quantity: number) {
  const { lineId, productId, sku, title, categoryIds, unitPrice, unitTaxes } = line
  const tax = (unitTaxes[0]?.tax ?? 0) * quantity
  return { lineId, productId, sku, title, categoryIds, quantity, amount: unitPrice * quantity, tax }
}

interface Back {
  readonly teapots?: number
  readonly cups?: number
  readonly shipping?: boolean
  readonly reason?: string
  readonly refundId?: string
}

function refundContents({ teapots: teapotCount = 0, cups = 0, shipping = false, reason, refundId }: Back) {
  const lines = [...(teapotCount > 0 ? [back(teapots, teapotCount)] : []), ...(cups > 0 ? [back(cup, cups)] : [])]
  const paidBack = shipping ? { amount: 490, tax: 78 } : { amount: 0, tax: 0 }
  const sum = lines.reduce((amount, line) => amount + line.amount, paidBack.amount)
  return oneTeapotBack({
    lines,
    shipping: paidBack,
    total: sum,
    ...(reason !== undefined && { reason }),
    ...(refundId !== undefined && { refundId }),
  })
}

export const refundRequested = (what: Back) => event('OrderRefundRequested', refundContents(what))
export const refunded = (what: Back) => event('OrderRefunded', refundContents(what))
export const refundFailed = (refundId = 'refund-1') => event('OrderRefundFailed', { refundId, ...failure })
