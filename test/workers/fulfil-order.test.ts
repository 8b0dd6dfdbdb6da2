import { describe, expect, test } from 'vitest'
import { orderEvents } from '../../src/domain/order/events.ts'
import { order } from '../../src/domain/order/order.ts'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { stockItem, stockItemEvents } from '../../src/domain/stock-item.ts'
import { type Ask, ask } from '../../src/engine/command.ts'
import { reactionsOf } from '../../src/testing/reactions.ts'
import { recorded } from '../../src/testing/recording.ts'
import { specification } from '../../src/testing/specification.ts'
import { fulfilOrder } from '../../src/workers/fulfil-order.ts'
import * as words from '../domain/order/vocabulary.ts'
import { placement } from '../projections/order-events.ts'

const { id, total, failure, placed, teapotsReserved, cupReserved, stockSecured, paymentStarted, pieces } = words
const { secured, owed, owedAndPaid, expired, rejected, cancelled, confirmed, paid, shipped } = words
const { given } = reactionsOf(fulfilOrder, id)
const paymentId = 'payment-1'
const money = { amount: total, currency: 'EUR' }

const stock = specification(stockItem, stockItemEvents)
const ofPayment = specification(payment, paymentEvents)
const teapots = { sku: 'TEAPOT-BLUE', reservationId: `${id}:TEAPOT-BLUE:1`, quantity: 2 }
const cup = { sku: 'CUP-RED', reservationId: `${id}:CUP-RED:1`, quantity: 1 }
const reserved = stock.event('StockReserved', { ...teapots, requestedAt: placement().placedAt })
const refused = stock.event('ReservationRefused', { ...cup, available: 0 })
const authorised = ofPayment.event('PaymentAuthorised', { orderId: id, reference: 'pay_1', ...money })
const captured = ofPayment.event('PaymentCaptured', { orderId: id, ...money })

const release = ({ sku, reservationId }: typeof cup) => ask(stockItem, sku, 'ReleaseReservation', { reservationId })
const releaseAll = [release(teapots), release(cup)]
const commit = ({ sku, reservationId }: typeof cup, quantity: number, reference: string) =>
  ask(stockItem, sku, 'CommitReservation', { reservationId, quantity, reference })
const cancelPayment = ask(payment, paymentId, 'CancelPayment', {})
const capturePayment = ask(payment, paymentId, 'CapturePayment', {})

describe('an order that is placed', () => {
  const requestedAt = placement().placedAt
  const reserve = ({ sku, reservationId, quantity }: typeof cup) =>
    ask(stockItem, sku, 'ReserveStock', { reservationId, quantity, requestedAt })

  test('has its stock reserved', () => {
    given().when(placed).then(reserve(teapots), reserve(cup))
  })

  test('has the lines of one SKU reserved together', () => {
    const [line] = placement().lines
    if (line === undefined) throw new Error('An order has lines')
    const lines = [
      { ...line, lineId: '1' },
      { ...line, lineId: '2', quantity: 1 },
    ]
    given()
      .when(words.event('OrderPlaced', placement({ lines })))
      .then(reserve({ ...teapots, quantity: 3 }))
  })

  test('asks for nothing when it is seen again after it has ended', () => {
    const state = [placed, expired].reduce(order.evolve, order.initial)
    expect(fulfilOrder.react(recorded(orderEvents, id, placed), state)).toStrictEqual([])
  })
})

describe('stock', () => {
  test('that is reserved is recorded', () => {
    given(placed)
      .when(reserved, stockItemEvents, 'TEAPOT-BLUE')
      .then(ask(order, id, 'RecordReservation', teapots))
  })

  test('that is reserved for an order that has ended is released', () => {
    given(placed, expired).when(reserved, stockItemEvents, 'TEAPOT-BLUE').then(release(teapots))
    given(placed, rejected).when(reserved, stockItemEvents, 'TEAPOT-BLUE').then(release(teapots))
  })

  test('that is refused ends the order', () => {
    given(placed, teapotsReserved)
      .when(refused, stockItemEvents, 'CUP-RED')
      .then(ask(order, id, 'RejectOrder', { sku: 'CUP-RED', available: 0 }))
    given(placed, expired).when(refused, stockItemEvents, 'CUP-RED').then()
  })

  test('that somebody reserved for something else is nobody’s business', () => {
    const other = stock.event('StockReserved', {
      ...teapots,
      reservationId: 'a-fair',
      requestedAt: '2026-01-15T09:30:00.000Z',
    })
    expect(fulfilOrder.route(recorded(stockItemEvents, 'TEAPOT-BLUE', other))).toBeUndefined()
  })
})

describe('payment', () => {
  const { token } = paymentStarted().data
  const data = { orderId: id, customerId: 'ada', country: 'DE', gateway: 'sandbox', ...money, token }
  const request: Ask = { decider: payment, target: paymentId, type: 'RequestPayment', data }

  test('is requested once the stock is secured and somebody pays, in whichever order', () => {
    given(...secured)
      .when(paymentStarted())
      .then(request)
    given(placed, teapotsReserved, cupReserved, paymentStarted()).when(stockSecured).then(request)
    given(placed).when(paymentStarted()).then()
    given(placed, teapotsReserved, cupReserved).when(stockSecured).then()
    given(...secured, words.cancelled)
      .when(paymentStarted())
      .then()
  })

  test('that is authorised confirms the order', () => {
    given(...secured, paymentStarted())
      .when(authorised, paymentEvents, paymentId)
      .then(ask(order, id, 'ConfirmOrder', { paymentId }))
  })

  test('that is authorised for an order that has ended, or that has failed before, is let go', () => {
    given(...secured, paymentStarted(), expired)
      .when(authorised, paymentEvents, paymentId)
      .then(cancelPayment)
    given(...secured, paymentStarted(), words.paymentFailed())
      .when(authorised, paymentEvents, paymentId)
      .then(cancelPayment)
  })

  test('that was taken long since is not let go when its authorisation is seen again', () => {
    given(...owedAndPaid)
      .when(authorised, paymentEvents, paymentId)
      .then()
  })

  test('is taken when the order is confirmed', () => {
    given(...secured, paymentStarted())
      .when(confirmed)
      .then(capturePayment)
    given(...owed, words.paymentFailed(), paymentStarted('payment-2'))
      .when(authorised, paymentEvents, 'payment-2')
      .then(ask(payment, 'payment-2', 'CapturePayment', {}))
  })

  test('that is taken makes the order paid', () => {
    given(...owed)
      .when(captured, paymentEvents, paymentId)
      .then(ask(order, id, 'RecordPayment', { paymentId, amount: total }))
  })

  test('that fails is recorded', () => {
    given(...secured, paymentStarted())
      .when(ofPayment.event('PaymentFailed', { orderId: id, ...failure }), paymentEvents, paymentId)
      .then(ask(order, id, 'RecordPaymentFailure', { paymentId, ...failure }))
  })

  test('that cannot be taken is recorded and let go', () => {
    given(...owed)
      .when(ofPayment.event('CaptureFailed', { orderId: id, ...failure }), paymentEvents, paymentId)
      .then(ask(order, id, 'RecordPaymentFailure', { paymentId, ...failure }), cancelPayment)
  })
})

describe('the end of an order', () => {
  test('releases all that was asked for', () => {
    given(placed)
      .when(rejected)
      .then(...releaseAll)
    given(placed, teapotsReserved)
      .when(expired)
      .then(...releaseAll)
  })

  test('lets go of the payment that is under way', () => {
    given(...secured, paymentStarted())
      .when(expired)
      .then(...releaseAll, cancelPayment)
    given(...owed)
      .when(cancelled)
      .then(...releaseAll, cancelPayment)
  })

  test('leaves what was taken to the refund', () => {
    given(...owedAndPaid)
      .when(cancelled)
      .then(...releaseAll)
  })
})

describe('a shipment', () => {
  test('leaves the stock, by SKU', () => {
    given(...owed)
      .when(shipped('s-1', ...words.all))
      .then(commit(teapots, 2, 's-1'), commit(cup, 1, 's-1'))
    given(...owed)
      .when(shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .then(commit(teapots, 1, 's-1'))
  })

  test('of an imported order leaves no stock that was never reserved', () => {
    given(placed, words.event('OrderConfirmed', {}), paid)
      .when(shipped('s-1', ...words.all))
      .then()
  })

  test('that is the last releases what was paid back before it', () => {
    given(...owedAndPaid, words.refundRequested({ teapots: 1 }), words.refunded({ teapots: 1 }))
      .when(shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .then(commit(teapots, 1, 's-1'), release(teapots))
  })
})

describe('a refund', () => {
  const request = words.refundRequested({ teapots: 1 })

  test('goes back through the payment', () => {
    given(...owedAndPaid)
      .when(request)
      .then(ask(payment, paymentId, 'RefundPayment', { refundId: 'refund-1', amount: 2_500 }))
  })

  test('of what was paid elsewhere is paid back there', () => {
    const { paymentId: _, ...data } = request.data
    given(...owedAndPaid)
      .when({ ...request, data })
      .then(ask(order, id, 'RecordRefund', { refundId: 'refund-1' }))
  })

  test('that is done asks for nothing when it is seen again', () => {
    const state = [...owedAndPaid, request, words.refunded({ teapots: 1 })].reduce(order.evolve, order.initial)
    expect(fulfilOrder.react(recorded(orderEvents, id, request), state)).toStrictEqual([])
  })

  test('that is paid is recorded, unless the payment made it by itself', () => {
    const refunded = ofPayment.event('PaymentRefunded', {
      orderId: id,
      refundId: 'refund-1',
      amount: 1,
      currency: 'EUR',
    })
    given(...owedAndPaid, request)
      .when(refunded, paymentEvents, paymentId)
      .then(ask(order, id, 'RecordRefund', { refundId: 'refund-1' }))
    given(...owedAndPaid)
      .when(refunded, paymentEvents, paymentId)
      .then()
  })

  test('that fails is recorded', () => {
    given(...owedAndPaid, request)
      .when(
        ofPayment.event('RefundFailed', { orderId: id, refundId: 'refund-1', ...failure }),
        paymentEvents,
        paymentId,
      )
      .then(ask(order, id, 'RecordRefundFailure', { refundId: 'refund-1', ...failure }))
  })

  test('that is not of the order is left to the payment, whatever its id', () => {
    const own = { orderId: id, refundId: 'refund-1' }
    const failed = ofPayment.event('RefundFailed', { ...own, ...failure })
    const done = ofPayment.event('PaymentRefunded', { ...own, ...money })
    given(...owedAndPaid)
      .when(failed, paymentEvents, paymentId)
      .then()
    given(...owedAndPaid, request)
      .when(failed, paymentEvents, 'payment-0')
      .then()
    given(...owedAndPaid, request)
      .when(done, paymentEvents, 'payment-0')
      .then()
  })

  test('of what stays in the house releases it, once all else has left', () => {
    const request2 = words.refundRequested({ cups: 1 })
    given(...owedAndPaid, request2)
      .when(words.refunded({ cups: 1 }))
      .then(release(cup))
    given(...owedAndPaid, request)
      .when(words.refunded({ teapots: 1 }))
      .then()
    given(...owedAndPaid, shipped('s-1', pieces('TEAPOT-BLUE', 1)), request)
      .when(words.refunded({ teapots: 1 }))
      .then(commit(teapots, 1, 's-1'), release(teapots))
  })

  test('whose failure may leave something to ship releases nothing yet', () => {
    given(
      ...owedAndPaid,
      words.refundRequested({ cups: 1 }),
      words.refundRequested({ teapots: 2, refundId: 'refund-2' }),
    )
      .when(words.refunded({ cups: 1 }))
      .then()
    given(
      ...owedAndPaid,
      words.refundRequested({ cups: 1 }),
      words.refundRequested({ teapots: 2, refundId: 'refund-2' }),
      words.refunded({ cups: 1 }),
    )
      .when(words.refundFailed('refund-2'))
      .then(release(cup))
  })
})
