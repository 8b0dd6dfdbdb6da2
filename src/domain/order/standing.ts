/** Where payment and fulfilment of an order stand: computed from their parts, here and in read models alike. */

export const paymentStates = [
  'not-paid',
  'payment-started',
  'authorised',
  'captured',
  'partly-refunded',
  'refunded',
] as const
export type PaymentState = (typeof paymentStates)[number]

export interface PaymentParts {
  /** From OrderPaymentStarted until OrderPaymentFailed or the end of the order. */
  readonly started: boolean
  /** The money is held: from OrderConfirmed until OrderPaymentFailed. */
  readonly authorised: boolean
  /** From OrderPaid on: what was taken, in minor units. */
  readonly paid?: number
  /** Sum of the OrderRefunded, in minor units. */
  readonly refunded: number
}

export function paymentState({ started, authorised, paid, refunded }: PaymentParts): PaymentState {
  if (paid === undefined) return authorised ? 'authorised' : started ? 'payment-started' : 'not-paid'
  if (refunded === 0) return 'captured'
  return refunded < paid ? 'partly-refunded' : 'refunded'
}

export const refundStates = ['none', 'requested', 'failed', 'refunded'] as const
export type RefundState = (typeof refundStates)[number]

/**
 * How far the refunds of an order or of a payment are. One that failed needs a person until another is under way or all
 * is paid back: nobody can tell that another, of a part, was in its place.
 * @param paid what was taken, in minor units
 * @param refunded what has been given back of it, in minor units
 */
export function refundState(
  refunds: readonly { readonly status: Exclude<RefundState, 'none'> }[],
  { paid, refunded }: { readonly paid: number; readonly refunded: number },
): RefundState {
  const has = (wanted: RefundState) => refunds.some(({ status }) => status === wanted)
  if (has('requested')) return 'requested'
  if (has('failed') && refunded < paid) return 'failed'
  return refunds.length > 0 ? 'refunded' : 'none'
}

export const fulfilmentStates = ['unfulfilled', 'partly-shipped', 'shipped', 'partly-delivered', 'delivered'] as const
export type FulfilmentState = (typeof fulfilmentStates)[number]

/** Pieces of one line. */
export interface LinePieces {
  readonly quantity: number
  readonly shipped: number
  readonly delivered: number
  /** Paid back or about to be: from OrderRefundRequested until OrderRefundFailed. */
  readonly refunded: number
}

/** The pieces of a line that are still to be shipped: what is paid back before it leaves the house stays there. */
export function leftToShip({ quantity, shipped, refunded }: Omit<LinePieces, 'delivered'>): number {
  return Math.max(0, quantity - shipped - refunded)
}

export function fulfilmentState(lines: readonly LinePieces[]): FulfilmentState {
  const sum = (count: (line: LinePieces) => number) => lines.reduce((total, line) => total + count(line), 0)
  const shipped = sum((line) => line.shipped)
  const delivered = sum((line) => line.delivered)
  const isAllShipped = sum(leftToShip) === 0
  if (shipped === 0) return 'unfulfilled'
  if (delivered === 0) return isAllShipped ? 'shipped' : 'partly-shipped'
  return isAllShipped && delivered === shipped ? 'delivered' : 'partly-delivered'
}
