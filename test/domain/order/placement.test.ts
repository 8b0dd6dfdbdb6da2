import { describe, expect, test } from 'vitest'
import { orderNumber } from '../../../src/domain/order/number.ts'
import { wholeRefundId } from '../../../src/domain/payment/state.ts'
import { derivedId } from '../../../src/engine/streams.ts'
import { placement } from '../../projections/order-events.ts'
import * as words from './vocabulary.ts'

const { given, event, id } = words
const { placed, teapotsReserved, cupReserved, stockSecured, paymentStarted, confirmed, paid } = words
const { secured, owed, owedAndPaid, rejected, expired, completed } = words
const reason = 'Changed their mind'
const customer = { actor: { kind: 'customer', id: 'ada' } } as const

describe('the number of an order', () => {
  test('can be read out, and follows from its id', () => {
    expect(orderNumber('order-1')).toMatch(/^D-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(orderNumber('order-1')).toBe(orderNumber('order-1'))
    expect(orderNumber('order-1')).not.toBe(orderNumber('order-2'))
  })
})

describe('placing', () => {
  const { number: _, placedAt, ...command } = { ...placement(), cartId: 'cart-1' }

  test('gives the order its number and its time', () => {
    given()
      .when('PlaceOrder', command, { at: '2026-01-15T09:30:00Z' })
      .then(event('OrderPlaced', { ...placement(), number: orderNumber(id), placedAt }))
  })
})

describe('its stock', () => {
  const reservation = (sku: string, quantity: number) => ({ sku, reservationId: `${id}:${sku}:1`, quantity })

  test('is secured when all of it is reserved', () => {
    given(placed)
      .when('RecordReservation', reservation('TEAPOT-BLUE', 2))
      .then(teapotsReserved)
      .when('RecordReservation', reservation('CUP-RED', 1))
      .then(cupReserved, stockSecured)
  })

  test('is that of all lines of one SKU together', () => {
    const [line] = placement().lines
    if (line === undefined) throw new Error('An order has lines')
    const lines = [
      { ...line, lineId: '1' },
      { ...line, lineId: '2' },
    ]
    const reserved = event('OrderStockReserved', reservation('TEAPOT-BLUE', 4))
    given(event('OrderPlaced', placement({ lines })))
      .when('RecordReservation', reservation('TEAPOT-BLUE', 4))
      .then(reserved, stockSecured)
  })

  test('is not taken for an order that has ended, or for what was not asked for', () => {
    given(placed, expired).when('RecordReservation', reservation('TEAPOT-BLUE', 2)).thenNothing()
    given(placed, rejected).when('RecordReservation', reservation('TEAPOT-BLUE', 2)).thenNothing()
    given(placed).when('RecordReservation', reservation('SAUCER', 2)).thenNothing()
  })

  test('can be out', () => {
    given(placed, teapotsReserved).when('RejectOrder', { sku: 'CUP-RED', available: 0 }).then(rejected)
    given(...owed)
      .when('RejectOrder', { sku: 'CUP-RED', available: 0 })
      .thenNothing()
    given(placed, expired).when('RejectOrder', { sku: 'CUP-RED', available: 0 }).thenNothing()
  })
})

describe('confirming', () => {
  test('needs the stock and the payment that is under way', () => {
    given(...secured, paymentStarted())
      .when('ConfirmOrder', { paymentId: 'payment-1' })
      .then(confirmed)
    given(placed, paymentStarted()).when('ConfirmOrder', { paymentId: 'payment-1' }).thenNothing()
    given(...secured, paymentStarted())
      .when('ConfirmOrder', { paymentId: 'payment-2' })
      .thenNothing()
    given(...secured, paymentStarted(), words.paymentFailed())
      .when('ConfirmOrder', { paymentId: 'payment-1' })
      .thenNothing()
    given(...secured, paymentStarted(), expired)
      .when('ConfirmOrder', { paymentId: 'payment-1' })
      .thenNothing()
  })
})

describe('expiring', () => {
  const dueAt = placement().expiresAt

  test('ends what is still pending', () => {
    given(placed).when('ExpireOrder', { dueAt }).then(expired)
    given(...owed)
      .when('ExpireOrder', { dueAt })
      .thenNothing()
    given(placed, rejected).when('ExpireOrder', { dueAt }).thenNothing()
  })

  test('ends nothing at a time that is not its own', () => {
    given(placed).when('ExpireOrder', { dueAt: '2026-01-15T09:59:59.999Z' }).thenNothing()
  })
})

describe('cancelling', () => {
  const whole = { teapots: 2, cups: 1, shipping: true, reason, refundId: wholeRefundId('payment-1') }

  test('ends an order of which nothing was shipped', () => {
    given(placed)
      .when('CancelOrder', { reason })
      .then(event('OrderCancelled', { by: 'staff', reason }))
    given(...owed)
      .when('CancelOrder', { reason }, customer)
      .then(event('OrderCancelled', { by: 'customer', reason }))
  })

  test('gives back what was taken', () => {
    given(...owedAndPaid)
      .when('CancelOrder', { reason })
      .then(event('OrderCancelled', { by: 'staff', reason }), words.refundRequested(whole))
  })

  test('gives back only what is not on its way already', () => {
    given(...owedAndPaid, words.refundRequested({ teapots: 1, shipping: true }))
      .when('CancelOrder', { reason })
      .then(
        event('OrderCancelled', { by: 'staff', reason }),
        words.refundRequested({ ...whole, teapots: 1, shipping: false }),
      )
    given(...owedAndPaid, words.refundRequested({ teapots: 2, cups: 1, shipping: true }))
      .when('CancelOrder', { reason })
      .then(event('OrderCancelled', { by: 'staff', reason }))
  })

  test('is too late for what has left the house, and for what has ended', () => {
    given(...owed, words.shipped('s-1', words.pieces('CUP-RED', 1)))
      .when('CancelOrder', { reason })
      .thenRejected('order-shipped')
    given(...owedAndPaid, words.shipped('s-1', ...words.all), words.delivered('s-1'), completed)
      .when('CancelOrder', { reason })
      .thenRejected('order-ended')
    given(placed, rejected).when('CancelOrder', { reason }).thenRejected('order-ended')
    given(placed, expired).when('CancelOrder', { reason }).thenNothing()
    given().when('CancelOrder', { reason }).thenRejected('order-not-found')
  })
})

describe('importing', () => {
  const { cartId: _cart, expiresAt: _expiry, placedAt: _placed, ...contents } = placement({ number: '536365' })
  const history = { at: '2010-12-01T08:26:00Z', imported: true }
  const at = '2010-12-01T08:26:00.000Z'
  const { paymentId: _payment, ...sale } = paid.data
  const events = [
    event('OrderPlaced', { ...contents, placedAt: at, expiresAt: at }),
    event('OrderConfirmed', {}),
    { type: 'OrderPaid', data: { ...sale, placedAt: at, external: 'online-retail' } },
  ]
  const order = { ...contents, external: 'online-retail' }
  const shipmentId = derivedId('imported-shipment', id)

  test('takes an order as it was', () => {
    given()
      .when('ImportOrder', { ...order, shipped: false }, history)
      .then(...events)
    given()
      .when('ImportOrder', { ...order, shipped: true }, history)
      .then(...events, words.shipped(shipmentId, ...words.all), words.delivered(shipmentId), completed)
  })

  test('takes no amounts that do not hold', () => {
    const totals = { ...contents.totals, total: 1 }
    given()
      .when('ImportOrder', { ...order, totals, shipped: true }, history)
      .thenRejected('amounts-wrong')
    const lines = [...contents.lines, ...contents.lines]
    given()
      .when('ImportOrder', { ...order, lines, shipped: true }, history)
      .thenRejected('line-not-unique')
  })

  test('lets what was not shipped be shipped from here, and be refunded', () => {
    const imported = given(...events)
    imported.when('ShipOrder', { shipmentId: 's-1' }).then(words.shipped('s-1', ...words.all))
    const { paymentId: _gateway, ...byHand } = words.refundRequested({ teapots: 1 }).data
    imported
      .when('RefundOrder', { refundId: 'refund-1', lines: [words.pieces('TEAPOT-BLUE', 1)], reason: 'Broken spout' })
      .then({ type: 'OrderRefundRequested', data: byHand })
    imported
      .when(
        'ImportRefund',
        { refundId: 'refund-1', lines: [words.pieces('TEAPOT-BLUE', 1)], reason: 'Broken spout' },
        history,
      )
      .then({ type: 'OrderRefundRequested', data: byHand }, { type: 'OrderRefunded', data: byHand })
  })
})
