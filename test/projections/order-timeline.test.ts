import { expect, test } from 'vitest'
import { orderEvents } from '../../src/domain/order/events.ts'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { stockItemEvents } from '../../src/domain/stock-item.ts'
import { orderTimeline, timelineQueries } from '../../src/projections/order-timeline.ts'
import { asCustomer, asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { firstInstant } from '../../src/testing/recording.ts'
import { oneTeapotBack, placement } from './order-events.ts'

const { given } = readModel(orderTimeline)

const [getOrderTimeline] = timelineQueries
const first = happenings(orderEvents, 'order-1', { person: 'ada', actor: { kind: 'customer', id: 'ada' } })
const gateway = happenings(paymentEvents, 'payment-1')
const teapot = happenings(stockItemEvents, 'TEAPOT-BLUE', { actor: { kind: 'process', id: 'fulfil-order' } })
const requestedAt = firstInstant
const other = happenings(orderEvents, 'order-2', { person: 'bob' })

const shop = given(
  first('OrderPlaced', placement()),
  other('OrderPlaced', placement({ customerId: 'bob' })),
  teapot('StockReceived', { sku: 'TEAPOT-BLUE', quantity: 9, reference: 'DN-1' }),
  teapot('StockReserved', { sku: 'TEAPOT-BLUE', reservationId: 'order-1:TEAPOT-BLUE:1', quantity: 2, requestedAt }),
  teapot('StockReserved', { sku: 'TEAPOT-BLUE', reservationId: 'order-2:TEAPOT-BLUE:1', quantity: 2, requestedAt }),
  teapot('StockReserved', { sku: 'TEAPOT-BLUE', reservationId: 'by-hand', quantity: 1, requestedAt }),
  first('OrderPaymentStarted', {
    paymentId: 'payment-1',
    gateway: 'sandbox',
    amount: 6_390,
    currency: 'EUR',
    token: 'tok_secret',
  }),
  gateway('PaymentPending', {
    orderId: 'order-1',
    reference: 'pay_1',
    nextAction: { kind: 'redirect', url: 'https://gateway.example/secret' },
  }),
  gateway('PaymentAuthorised', { orderId: 'order-1', reference: 'pay_1', amount: 6_390, currency: 'EUR' }),
  first(
    'OrderShipped',
    { shipmentId: 'shipment-1', lines: [{ lineId: 'TEAPOT-BLUE', quantity: 2 }], carrier: 'DHL' },
    { actor: { kind: 'staff', id: 'key-1' } },
  ),
  first('OrderRefunded', oneTeapotBack()),
)
const ask = (principal: ReturnType<typeof asCustomer>, parameters = {}) =>
  shop.ask(getOrderTimeline, { orderId: 'order-1', ...parameters }, { principal })

test('tells what happened to an order, its payments and its reservations, in order', async () => {
  await shop.documents()
  expect(await ask(asCustomer('ada'))).toMatchObject({
    items: [
      {
        at: '2026-01-15T09:30:00.000Z',
        title: 'The order was placed',
        details: { number: 'D-7KQ4-M2XA', total: 6_390, currency: 'EUR', pieces: 3 },
      },
      { type: 'StockReserved', details: { sku: 'TEAPOT-BLUE', quantity: 2 } },
      { type: 'OrderPaymentStarted', details: { paymentId: 'payment-1', amount: 6_390 } },
      { type: 'PaymentPending', details: { paymentId: 'payment-1' } },
      { type: 'PaymentAuthorised', details: { amount: 6_390 } },
      { title: 'Goods were shipped', details: { shipmentId: 'shipment-1', carrier: 'DHL', pieces: 2 } },
      { type: 'OrderRefunded', details: { refundId: 'refund-1', total: 2_500, pieces: 1, reason: 'Broken spout' } },
    ],
    next: null,
  })
})

test('only staff is told who did it', async () => {
  const actors = [
    { kind: 'customer', id: 'ada' },
    { kind: 'process', id: 'fulfil-order' },
    { kind: 'customer', id: 'ada' },
    { kind: 'system', id: 'test' },
    { kind: 'system', id: 'test' },
    { kind: 'staff', id: 'key-1' },
    { kind: 'customer', id: 'ada' },
  ]
  expect(await ask(asStaff('orders'))).toMatchObject({ items: actors.map((by) => ({ by })) })
  expect(await ask(asCustomer('ada'))).toMatchObject({ items: actors.map(() => ({ by: null })) })
})

test('says nothing that is secret or personal', async () => {
  for (const principal of [asCustomer('ada'), asStaff('orders')]) {
    expect(JSON.stringify(await ask(principal))).not.toMatch(/secret|sealed|pay_1|example\.com|London/)
  }
  expect(JSON.stringify(await shop.documents())).not.toMatch(/secret|sealed|example\.com|London/)
})

test('does not exist for others, nor for an order that does not', async () => {
  expect(await ask(asCustomer('bob'))).toBeUndefined()
  expect(await ask(asStaff('orders'), { orderId: 'order-9' })).toBeUndefined()
})

test('comes in pages', async () => {
  const page = await ask(asCustomer('ada'), { limit: '2' })
  expect(page).toMatchObject({ items: [{ type: 'OrderPlaced' }, { type: 'StockReserved' }], next: expect.any(String) })
})
