import { orderEvents } from '../domain/order/events.ts'
import { order } from '../domain/order/order.ts'
import { isEnded, type Order, paymentUnderWay } from '../domain/order/state.ts'
import { paymentEvents } from '../domain/payment/events.ts'
import { payment } from '../domain/payment/payment.ts'
import { stockItem, stockItemEvents } from '../domain/stock-item.ts'
import { type Ask, ask } from '../engine/command.ts'
import { processManager } from '../engine/process-manager.ts'
import { categoryOf, idOf } from '../engine/streams.ts'
import { orderOfReservation, releaseAll, releaseWhatStays, reserveAll, shipFromStock } from './reservations.ts'

/**
 * When an order is placed, reserve its stock; when all of it is reserved and somebody pays, ask for the payment; when
 * that is authorised, confirm the order and take the money. When something is refused, or the order ends, let go of
 * what was reserved and held, and give back what was taken. What is shipped leaves the stock; what is to be paid back
 * goes back the way it came.
 */
export const fulfilOrder = processManager({
  name: 'fulfil-order',
  of: order,
  from: [orderEvents, stockItemEvents, paymentEvents],
  route: ({ stream, data }) => {
    if (categoryOf(stream) === order.category) return idOf(stream)
    if ('orderId' in data) return data.orderId
    return 'reservationId' in data ? orderOfReservation(data.reservationId) : undefined
  },
  on: {
    // Stock
    OrderPlaced: ({ stream, data }, state) =>
      state.status === 'pending' ? reserveAll(idOf(stream), state, data.placedAt) : [],
    StockReserved({ data: { sku, reservationId, quantity } }, state) {
      const orderId = orderOfReservation(reservationId)
      if (orderId === undefined) return []
      if (isEnded(state)) return [ask(stockItem, sku, 'ReleaseReservation', { reservationId })]
      return state.status === 'pending'
        ? [ask(order, orderId, 'RecordReservation', { sku, reservationId, quantity })]
        : []
    },
    ReservationRefused({ data: { sku, reservationId, available } }, state) {
      const orderId = orderOfReservation(reservationId)
      return orderId !== undefined && state.status === 'pending'
        ? [ask(order, orderId, 'RejectOrder', { sku, available })]
        : []
    },

    // Payment
    OrderStockSecured: ({ stream }, state) => requestPayment(idOf(stream), state),
    OrderPaymentStarted: ({ stream }, state) => requestPayment(idOf(stream), state),
    PaymentAuthorised({ stream, data: { orderId } }, state) {
      const paymentId = idOf(stream)
      if (state.payments.get(paymentId)?.status === 'captured') return []
      const isAwaited = paymentUnderWay(state) === paymentId
      if (isAwaited && state.status === 'pending') return [ask(order, orderId, 'ConfirmOrder', { paymentId })]
      // Paid again, after an earlier payment could not be taken.
      if (isAwaited && state.status === 'confirmed') return [ask(payment, paymentId, 'CapturePayment', {})]
      return [ask(payment, paymentId, 'CancelPayment', {})]
    },
    OrderConfirmed({ data: { paymentId } }, state) {
      const isAwaited = paymentId !== undefined && paymentUnderWay(state) === paymentId
      return isAwaited && !isEnded(state) ? [ask(payment, paymentId, 'CapturePayment', {})] : []
    },
    PaymentCaptured: ({ stream, data: { orderId, amount } }) => [
      ask(order, orderId, 'RecordPayment', { paymentId: idOf(stream), amount }),
    ],
    PaymentFailed: ({ stream, data: { orderId, code, reason } }) => [
      ask(order, orderId, 'RecordPaymentFailure', { paymentId: idOf(stream), code, reason }),
    ],
    /** The order stays confirmed and can be paid again, or be cancelled. */
    CaptureFailed: ({ stream, data: { orderId, code, reason } }) => [
      ask(order, orderId, 'RecordPaymentFailure', { paymentId: idOf(stream), code, reason }),
      ask(payment, idOf(stream), 'CancelPayment', {}),
    ],

    // The end before its time
    OrderRejected: ({ stream }, state) => letGo(idOf(stream), state),
    OrderExpired: ({ stream }, state) => letGo(idOf(stream), state),
    OrderCancelled: ({ stream }, state) => letGo(idOf(stream), state),

    // Goods
    OrderShipped: ({ stream, data }, state) => shipFromStock(idOf(stream), state, data.shipmentId),

    // Refunds
    OrderRefundRequested({ stream, data: { refundId, paymentId, total } }, state) {
      if (state.refunds.get(refundId)?.status !== 'requested') return []
      // What was paid elsewhere is paid back there, by hand; and where it is nothing, no money moves.
      if (paymentId === undefined || total === 0) return [ask(order, idOf(stream), 'RecordRefund', { refundId })]
      return [ask(payment, paymentId, 'RefundPayment', { refundId, amount: total })]
    },
    PaymentRefunded({ stream, data: { orderId, refundId } }, state) {
      return isOfOrder(state, idOf(stream), refundId) ? [ask(order, orderId, 'RecordRefund', { refundId })] : []
    },
    RefundFailed({ stream, data: { orderId, refundId, code, reason } }, state) {
      return isOfOrder(state, idOf(stream), refundId)
        ? [ask(order, orderId, 'RecordRefundFailure', { refundId, code, reason })]
        : []
    },
    OrderRefunded: ({ stream }, state) => releaseWhatStays(idOf(stream), state),
    OrderRefundFailed: ({ stream }, state) => releaseWhatStays(idOf(stream), state),
  },
})

/** Once the stock is secured and somebody pays, in whichever order. */
function requestPayment(orderId: string, state: Order): readonly Ask[] {
  const paymentId = paymentUnderWay(state)
  const attempt = paymentId === undefined ? undefined : state.payments.get(paymentId)
  if (paymentId === undefined || !attempt || !state.contents || !state.stockSecured || isEnded(state)) return []
  const { customerId, country } = state.contents
  const { gateway, amount, currency, token } = attempt
  return [ask(payment, paymentId, 'RequestPayment', { orderId, customerId, country, gateway, amount, currency, token })]
}

/** A payment that nobody waits for any more pays itself back; the order knows nothing of it. */
function isOfOrder({ refunds }: Order, paymentId: string, refundId: string): boolean {
  return refunds.get(refundId)?.paymentId === paymentId
}

/** What was taken the order itself wants back: only what was not is cancelled. */
function letGo(orderId: string, state: Order): readonly Ask[] {
  const paymentId = paymentUnderWay(state)
  return [
    ...releaseAll(orderId, state),
    ...(paymentId === undefined ? [] : [ask(payment, paymentId, 'CancelPayment', {})]),
  ]
}
