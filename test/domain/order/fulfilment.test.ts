import { describe, expect, test } from 'vitest'
import { fulfilmentState, type LinePieces, paymentState } from '../../../src/domain/order/standing.ts'
import { placement, teapots } from '../../projections/order-events.ts'
import * as words from './vocabulary.ts'

const { given, placed, owed, owedAndPaid, shipped, delivered, completed, pieces, all } = words

describe('shipping', () => {
  test('takes all that is left, unless lines are named', () => {
    given(...owedAndPaid)
      .when('ShipOrder', { shipmentId: 's-1', lines: [pieces('TEAPOT-BLUE', 1)] })
      .then(shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .when('ShipOrder', { shipmentId: 's-2' })
      .then(shipped('s-2', pieces('TEAPOT-BLUE', 1), pieces('CUP-RED', 1)))
      .when('ShipOrder', { shipmentId: 's-3' })
      .thenRejected('nothing-to-ship')
  })

  test('keeps carrier and tracking code', () => {
    given(...owed)
      .when('ShipOrder', { shipmentId: 's-1', carrier: 'DHL', trackingCode: 'JD0146' })
      .then(words.event('OrderShipped', { shipmentId: 's-1', lines: all, carrier: 'DHL', trackingCode: 'JD0146' }))
  })

  test('takes no more than is left', () => {
    given(...owed, shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .when('ShipOrder', { shipmentId: 's-2', lines: [pieces('TEAPOT-BLUE', 1), pieces('TEAPOT-BLUE', 1)] })
      .thenRejected('too-many-shipped', { lineId: 'TEAPOT-BLUE', left: 1 })
    given(...owed)
      .when('ShipOrder', { shipmentId: 's-1', lines: [pieces('SAUCER', 1)] })
      .thenRejected('line-not-found', { lineId: 'SAUCER' })
  })

  test('leaves what is paid back before it leaves the house', () => {
    given(...owedAndPaid, words.refundRequested({ teapots: 1 }))
      .when('ShipOrder', { shipmentId: 's-1' })
      .then(shipped('s-1', pieces('TEAPOT-BLUE', 1), pieces('CUP-RED', 1)))
    given(...owedAndPaid, words.refundRequested({ teapots: 1 }), words.refundFailed())
      .when('ShipOrder', { shipmentId: 's-1' })
      .then(shipped('s-1', ...all))
  })

  test('knows a shipment by its id', () => {
    given(...owed, shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .when('ShipOrder', { shipmentId: 's-1', lines: [pieces('TEAPOT-BLUE', 2)] })
      .thenRejected('shipment-exists', { shipmentId: 's-1' })
    given(...owed, shipped('s-1', pieces('TEAPOT-BLUE', 1)))
      .when('ShipOrder', { shipmentId: 's-1', carrier: 'DHL' })
      .thenRejected('shipment-exists')
  })

  test('is for what the shop owes', () => {
    const ship = { shipmentId: 's-1' }
    given(placed).when('ShipOrder', ship).thenRejected('order-not-confirmed')
    given(placed, words.expired).when('ShipOrder', ship).thenRejected('order-ended')
    given(...owed, words.cancelled)
      .when('ShipOrder', ship)
      .thenRejected('order-ended')
    given(...owed, words.paymentFailed())
      .when('ShipOrder', ship)
      .thenRejected('order-not-paid')
    given().when('ShipOrder', ship).thenRejected('order-not-found')
  })

  test('has a bound', () => {
    const many = words.event('OrderPlaced', placement({ lines: [{ ...teapots, quantity: 1_001 }] }))
    const shipments = Array.from({ length: 1_000 }, (_, number) => shipped(`s-${number}`, pieces('TEAPOT-BLUE', 1)))
    given(many, words.paymentStarted(), words.confirmed, ...shipments)
      .when('ShipOrder', { shipmentId: 'one-more' })
      .thenRejected('too-many-shipments')
  })
})

describe('delivering', () => {
  test('everything completes an order that is paid', () => {
    given(...owedAndPaid, shipped('s-1', pieces('TEAPOT-BLUE', 2)), shipped('s-2', pieces('CUP-RED', 1)))
      .when('DeliverShipment', { shipmentId: 's-2' })
      .then(delivered('s-2'))
      .when('DeliverShipment', { shipmentId: 's-1' })
      .then(delivered('s-1'), completed)
  })

  test('waits for the money, and for what is left', () => {
    given(...owed, shipped('s-1', ...all))
      .when('DeliverShipment', { shipmentId: 's-1' })
      .then(delivered('s-1'))
    given(...owedAndPaid, shipped('s-1', pieces('TEAPOT-BLUE', 2)))
      .when('DeliverShipment', { shipmentId: 's-1' })
      .then(delivered('s-1'))
  })

  test('waits for a refund whose failure would leave something to ship', () => {
    const before = [...owedAndPaid, shipped('s-1', pieces('TEAPOT-BLUE', 2)), words.refundRequested({ cups: 1 })]
    given(...before)
      .when('DeliverShipment', { shipmentId: 's-1' })
      .then(delivered('s-1'))
      .when('RecordRefundFailure', { refundId: 'refund-1', ...words.failure })
      .then(words.refundFailed())
      .when('ShipOrder', { shipmentId: 's-2' })
      .then(shipped('s-2', pieces('CUP-RED', 1)))
  })

  test('does not wait for a refund of what has arrived', () => {
    given(...owedAndPaid, shipped('s-1', ...all), words.refundRequested({ cups: 1 }))
      .when('DeliverShipment', { shipmentId: 's-1' })
      .then(delivered('s-1'), completed)
  })

  test('is of a shipment that exists', () => {
    given(...owed)
      .when('DeliverShipment', { shipmentId: 's-1' })
      .thenRejected('shipment-not-found')
    given().when('DeliverShipment', { shipmentId: 's-1' }).thenRejected('order-not-found')
  })
})

describe('how far an order is paid', () => {
  const parts = { started: false, authorised: false, refunded: 0 }
  test.each([
    ['not-paid', parts],
    ['payment-started', { ...parts, started: true }],
    ['authorised', { ...parts, started: true, authorised: true }],
    ['captured', { ...parts, paid: 100 }],
    ['captured', { ...parts, paid: 0 }],
    ['partly-refunded', { ...parts, paid: 100, refunded: 99 }],
    ['refunded', { ...parts, paid: 100, refunded: 100 }],
  ])('is %s', (state, given) => {
    expect(paymentState(given)).toBe(state)
  })
})

describe('how far an order is fulfilled', () => {
  const line = (quantity: number, shippedPieces: number, deliveredPieces: number, refunded = 0): LinePieces => ({
    quantity,
    shipped: shippedPieces,
    delivered: deliveredPieces,
    refunded,
  })
  test.each<[string, LinePieces[]]>([
    ['unfulfilled', [line(2, 0, 0), line(1, 0, 0)]],
    ['partly-shipped', [line(2, 1, 0), line(1, 1, 0)]],
    ['shipped', [line(2, 2, 0), line(1, 1, 0)]],
    ['shipped', [line(2, 1, 0, 1), line(1, 1, 0)]],
    ['partly-delivered', [line(2, 2, 2), line(1, 1, 0)]],
    ['partly-delivered', [line(2, 1, 1), line(1, 1, 1)]],
    ['delivered', [line(2, 2, 2), line(1, 1, 1)]],
    ['delivered', [line(2, 2, 2, 2), line(1, 1, 1)]],
    ['delivered', [line(2, 2, 2), line(1, 0, 0, 1)]],
    ['unfulfilled', [line(2, 0, 0, 2)]],
  ])('is %s', (state, lines) => {
    expect(fulfilmentState(lines)).toBe(state)
  })
})
