import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { orderEvents } from '../../src/domain/order/events.ts'
import { order } from '../../src/domain/order/order.ts'
import { fulfilmentStateOf, type Order as OrderState, paymentStateOf } from '../../src/domain/order/state.ts'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { Rejection } from '../../src/engine/errors.ts'
import { orderQueries } from '../../src/projections/order-queries.ts'
import { orders } from '../../src/projections/orders.ts'
import { asCustomer, asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import type { Happening } from '../../src/testing/recording.ts'
import { cup, oneTeapotBack, payment, placement, teapots } from './order-events.ts'

const { given } = readModel(orders)

const [getOrder, listOwnOrders, listOrders] = orderQueries
const first = happenings(orderEvents, 'order-1', { person: 'ada' })
const gateway = happenings(paymentEvents, 'payment-1')
const staff = { principal: asStaff('orders') }

const placed = first('OrderPlaced', placement())
const started = first('OrderPaymentStarted', {
  paymentId: 'payment-1',
  gateway: 'sandbox',
  amount: 6_390,
  currency: 'EUR',
  token: 'tok_1',
})
const confirmed = first('OrderConfirmed', { paymentId: 'payment-1' })
const paid = first('OrderPaid', payment())
const shipped = first('OrderShipped', {
  shipmentId: 'shipment-1',
  lines: [{ lineId: 'TEAPOT-BLUE', quantity: 1 }],
  carrier: 'DHL',
})

async function orderAfter(...events: readonly Happening[]) {
  const shop = given(placed, ...events)
  await shop.documents()
  return z.looseObject({}).parse(await shop.ask(getOrder, { orderId: 'order-1' }, staff))
}

describe('an order', () => {
  test('is as it was placed', async () => {
    const { unitTaxes: _1, categoryIds: _2, ...teapotLine } = teapots
    const { unitTaxes: _3, categoryIds: _4, ...cupLine } = cup
    const { cartId: _5, lines: _6, ...contents } = placement()
    expect(await orderAfter()).toEqual({
      ...contents,
      id: 'order-1',
      lines: [teapotLine, cupLine].map((line) => ({ ...line, shipped: 0, delivered: 0, refunded: 0 })),
      units: 3,
      status: 'pending',
      endReason: null,
      endNote: null,
      paymentStatus: 'not-paid',
      paid: null,
      refunded: 0,
      payment: null,
      fulfilmentStatus: 'unfulfilled',
      shipments: [],
      refunds: [],
      refundStatus: 'none',
      revision: 0,
    })
  })

  test('that ends while it is paid waits for no payment any more', async () => {
    expect(await orderAfter(started, first('OrderExpired', {}))).toMatchObject({
      status: 'cancelled',
      paymentStatus: 'not-paid',
    })
  })

  test('that ends lets go of its payment, and says what becomes of it after all', async () => {
    const redirect = { kind: 'redirect', url: 'https://gateway.example/pay' } as const
    const pending = gateway('PaymentPending', { orderId: 'order-1', reference: 'pay_1', nextAction: redirect })
    const outOfStock = first('OrderRejected', { code: 'out-of-stock', sku: 'CUP-RED', available: 0 })
    const ends = [first('OrderExpired', {}), first('OrderCancelled', { by: 'customer', reason: 'No' }), outOfStock]
    for (const end of ends) {
      const cancelled = { payment: { paymentId: 'payment-1', status: 'cancelled', nextAction: null } }
      expect(await orderAfter(started, pending, end)).toMatchObject(cancelled)
      expect(await orderAfter(started, end, pending)).toMatchObject(cancelled)
      expect(await orderAfter(end)).toMatchObject({ payment: null })
      const failed = first('OrderPaymentFailed', { paymentId: 'payment-1', code: 'card-declined', reason: 'Declined' })
      expect(await orderAfter(started, end, failed)).toMatchObject({ payment: { status: 'failed' } })
      expect(await orderAfter(started, failed, end)).toMatchObject({ payment: { status: 'failed' } })
      expect(await orderAfter(started, end, paid)).toMatchObject({ payment: { status: 'captured' } })
      expect(await orderAfter(started, paid, end)).toMatchObject({ payment: { status: 'captured' } })
    }
  })

  test('says what the shopper has to do to pay, as long as the gateway waits for it', async () => {
    const redirect = { kind: 'redirect', url: 'https://gateway.example/pay' } as const
    const pending = gateway('PaymentPending', { orderId: 'order-1', reference: 'pay_1', nextAction: redirect })
    expect(await orderAfter(started, pending)).toMatchObject({
      paymentStatus: 'payment-started',
      payment: { paymentId: 'payment-1', status: 'started', nextAction: redirect },
      revision: 1,
    })
    const authorised = gateway('PaymentAuthorised', {
      orderId: 'order-1',
      reference: 'pay_1',
      amount: 6_390,
      currency: 'EUR',
    })
    expect(await orderAfter(started, pending, authorised)).toMatchObject({ payment: { nextAction: null } })
  })

  test('says why a payment failed, and shows the one that is tried next', async () => {
    const failed = first('OrderPaymentFailed', { paymentId: 'payment-1', code: 'card-declined', reason: 'Declined' })
    expect(await orderAfter(started, failed)).toMatchObject({
      paymentStatus: 'not-paid',
      payment: { status: 'failed', failure: { code: 'card-declined', reason: 'Declined' } },
    })
    const again = first('OrderPaymentStarted', {
      paymentId: 'payment-2',
      gateway: 'sandbox',
      amount: 6_390,
      currency: 'EUR',
      token: 'tok_2',
    })
    const late = gateway('PaymentFailed', { orderId: 'order-1', code: 'expired', reason: 'Too late' })
    expect(await orderAfter(started, failed, again, late)).toMatchObject({
      paymentStatus: 'payment-started',
      payment: { paymentId: 'payment-2', status: 'started', failure: null },
    })
  })

  test('is shipped and delivered in parts', async () => {
    expect(await orderAfter(started, confirmed, paid, shipped)).toMatchObject({
      status: 'confirmed',
      paymentStatus: 'captured',
      paid: 6_390,
      payment: { status: 'captured' },
      fulfilmentStatus: 'partly-shipped',
      lines: [
        { shipped: 1, delivered: 0 },
        { shipped: 0, delivered: 0 },
      ],
      shipments: [{ shipmentId: 'shipment-1', carrier: 'DHL', trackingCode: null, deliveredAt: null }],
    })
    const delivered = first('OrderDelivered', { shipmentId: 'shipment-1' })
    expect(await orderAfter(started, confirmed, paid, shipped, delivered)).toMatchObject({
      fulfilmentStatus: 'partly-delivered',
      lines: [{ shipped: 1, delivered: 1 }, { delivered: 0 }],
      shipments: [{ deliveredAt: '2026-01-15T09:35:00.000Z' }],
    })
  })

  test('shows what is paid back, on its way or not', async () => {
    const requested = first('OrderRefundRequested', oneTeapotBack())
    const before = [started, confirmed, paid, requested]
    expect(await orderAfter(...before)).toMatchObject({
      paymentStatus: 'captured',
      refunded: 0,
      lines: [{ refunded: 1 }, { refunded: 0 }],
      refunds: [{ refundId: 'refund-1', status: 'requested', total: 2_500 }],
      refundStatus: 'requested',
    })
    expect(await orderAfter(...before, first('OrderRefunded', oneTeapotBack()))).toMatchObject({
      paymentStatus: 'partly-refunded',
      refunded: 2_500,
      lines: [{ refunded: 1 }, { refunded: 0 }],
      refunds: [{ status: 'refunded' }],
    })
    const failed = first('OrderRefundFailed', { refundId: 'refund-1', code: 'closed', reason: 'Account closed' })
    expect(await orderAfter(...before, failed)).toMatchObject({
      refunded: 0,
      lines: [{ refunded: 0 }, { refunded: 0 }],
      refunds: [{ status: 'failed' }],
      refundStatus: 'failed',
    })
    expect(await orderAfter(...before, failed, first('OrderRefunded', oneTeapotBack()))).toMatchObject({
      refunded: 2_500,
      lines: [{ refunded: 1 }, { refunded: 0 }],
      refunds: [{ status: 'refunded' }],
    })
  })

  test.each([
    ['OrderExpired', first('OrderExpired', {}), 'cancelled', 'expired'],
    ['OrderCancelled', first('OrderCancelled', { by: 'staff', reason: 'Fraud' }), 'cancelled', 'cancelled-by-staff'],
    [
      'OrderRejected',
      first('OrderRejected', { code: 'out-of-stock', sku: 'CUP-RED', available: 0 }),
      'rejected',
      'out-of-stock',
    ],
  ])('says why it ended: %s', async (_type, event, status, endReason) => {
    expect(await orderAfter(event)).toMatchObject({ status, endReason, revision: 1 })
  })

  test('is seen by its customer and by staff, and by nobody else', async () => {
    const shop = given(placed)
    const ask = (principal: ReturnType<typeof asCustomer>) => shop.ask(getOrder, { orderId: 'order-1' }, { principal })
    expect(await ask(asCustomer('ada'))).toMatchObject({ id: 'order-1', email: 'ada@example.com' })
    expect(await ask(asCustomer('eve'))).toBeUndefined()
    await expect(ask(asStaff('stock'))).rejects.toThrow('forbidden')
    expect(await shop.ask(getOrder, { orderId: 'order-9' }, staff)).toBeUndefined()
  })

  test('does without a person that the system it came from did not tell', async () => {
    const { email: _email, shippingAddress: _address, ...contents } = placement()
    const imported = happenings(orderEvents, 'order-1', { person: 'ada' })('OrderPlaced', contents)
    const answer = await given(imported).ask(getOrder, { orderId: 'order-1' }, staff)
    expect(answer).toMatchObject({ email: null, shippingAddress: null, totals: { total: 6_390 } })
  })

  test('does without its person once that one is forgotten', async () => {
    const shop = given(placed)
    const answer = await shop.ask(getOrder, { orderId: 'order-1' }, { ...staff, forgotten: ['ada'] })
    expect(answer).toMatchObject({ email: null, shippingAddress: null, totals: { total: 6_390 } })
  })
})

test('an order that ended and could not be paid back is found, until it is', async () => {
  const all = { ...oneTeapotBack(), refundId: 'refund-2', total: 6_390 }
  const before = [placed, started, confirmed, paid, first('OrderCancelled', { by: 'staff', reason: 'Fraud' })]
  const failed = first('OrderRefundFailed', { refundId: 'refund-2', code: 'closed', reason: 'Account closed' })
  const notPaidBack = [...before, first('OrderRefundRequested', all), failed]
  const found = (...events: readonly Happening[]) => given(...events).ask(listOrders, { refundStatus: 'failed' }, staff)
  expect(await found(...before)).toMatchObject({ items: [] })
  expect(await found(...notPaidBack)).toMatchObject({
    items: [{ id: 'order-1', status: 'cancelled', paymentStatus: 'captured', refundStatus: 'failed' }],
  })
  const again = { ...all, refundId: 'refund-3' }
  expect(await found(...notPaidBack, first('OrderRefundRequested', again))).toMatchObject({ items: [] })
  expect(
    await found(...notPaidBack, first('OrderRefundRequested', again), first('OrderRefunded', again)),
  ).toMatchObject({ items: [] })
})

describe('lists of orders', () => {
  const other = (id: string, changes: Parameters<typeof placement>[0]) =>
    happenings(orderEvents, id, { person: changes?.customerId ?? 'ada' })('OrderPlaced', placement(changes))
  const shop = given(
    placed,
    confirmed,
    other('order-2', { customerId: 'bob', number: 'D-2222-BBBB', lines: [cup], placedAt: '2026-01-16T10:00:00.000Z' }),
    other('order-3', { number: 'D-3333-CCCC', placedAt: '2026-01-17T10:00:00.000Z' }),
    other('order-4', {
      number: 'D-4444-DDDD',
      lines: [{ ...cup, sku: 'POT-1', title: 'Théière bleue' }],
      placedAt: '2026-01-17T10:00:00.000Z',
    }),
  )
  const Page = z.object({ items: z.array(z.looseObject({ id: z.string() })), next: z.string().nullable() })
  async function ids(parameters: Readonly<Record<string, string>>): Promise<readonly string[]> {
    return Page.parse(await shop.ask(listOrders, parameters, staff)).items.map(({ id }) => id)
  }

  test("a shopper's own come the newest first", async () => {
    const answer = Page.parse(await shop.ask(listOwnOrders, {}, { principal: asCustomer('ada') }))
    expect(answer.items.map(({ id }) => id)).toEqual(['order-4', 'order-3', 'order-1'])
    const pending = await shop.ask(listOwnOrders, { status: 'confirmed' }, { principal: asCustomer('ada') })
    expect(pending).toMatchObject({ items: [{ id: 'order-1' }] })
  })

  test.each([
    ['nothing in particular', {}, ['order-4', 'order-3', 'order-2', 'order-1']],
    ['state', { status: 'confirmed' }, ['order-1']],
    ['payment state', { paymentStatus: 'not-paid', status: 'pending' }, ['order-4', 'order-3', 'order-2']],
    ['fulfilment state', { fulfilmentStatus: 'unfulfilled', customerId: 'bob' }, ['order-2']],
    ['customer', { customerId: 'ada' }, ['order-4', 'order-3', 'order-1']],
    ['time', { placedFrom: '2026-01-16T11:00:00+01:00', placedTo: '2026-01-16T10:00:00Z' }, ['order-2']],
    ['number', { q: 'd-7kq4' }, ['order-1']],
    ['SKU', { q: 'POT-1' }, ['order-4']],
    ['beginnings of words', { q: 'tea' }, ['order-3', 'order-1']],
    ['several words', { q: 'teapot bl' }, ['order-3', 'order-1']],
    ['a word without its accents', { q: 'theiere' }, ['order-4']],
    ['words and more', { q: 'red', customerId: 'ada', status: 'pending' }, ['order-3']],
    ['words and time', { q: 'cup', placedTo: '2026-01-16T23:00:00Z' }, ['order-2', 'order-1']],
    ['words that no order has together', { q: 'teapot theiere' }, []],
    ['no words', { q: '!?' }, []],
  ])('staff find them by %s', async (_what, parameters, expected) => {
    expect(await ids(parameters)).toEqual(expected)
  })

  test('what is found by words comes in pages, each order once', async () => {
    const seen: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const more = cursor === undefined ? {} : { cursor }
      const answer = Page.parse(await shop.ask(listOrders, { q: 'b', limit: '1', ...more }, staff))
      seen.push(...answer.items.map(({ id }) => id))
      cursor = answer.next
    }
    expect(seen).toEqual(['order-4', 'order-3', 'order-2', 'order-1'])
  })

  test('personal data is no way to find an order', async () => {
    expect(await ids({ q: 'ada' })).toEqual([])
    expect(await ids({ q: 'London' })).toEqual([])
  })
})

test('the states of an order are those of the aggregate, whatever happens to it', async () => {
  const { cartId: _cartId, number: _number, placedAt: _placedAt, ...contents } = placement()
  const quantity = fc.integer({ min: 1, max: 2 })
  const lines = fc.array(fc.record({ lineId: fc.constantFrom('TEAPOT-BLUE', 'CUP-RED'), quantity }), {
    minLength: 1,
    maxLength: 2,
  })
  const named = (prefix: string) => fc.integer({ min: 1, max: 3 }).map((number) => `${prefix}-${number}`)
  const of = (type: string, data: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
    fc.record({ type: fc.constant(type), data: fc.record(data) })
  const reason = fc.constant('Because')
  const code = fc.constant('declined')
  const commands = fc.oneof(
    of('RecordReservation', {
      sku: fc.constantFrom('TEAPOT-BLUE', 'CUP-RED'),
      reservationId: fc.constant('r'),
      quantity,
    }),
    of('PayOrder', { paymentId: named('payment'), gateway: fc.constant('sandbox'), token: fc.constant(null) }),
    of('ConfirmOrder', { paymentId: named('payment') }),
    of('RecordPayment', { paymentId: named('payment'), amount: fc.constant(6_390) }),
    of('RecordPaymentFailure', { paymentId: named('payment'), code, reason }),
    of('ExpireOrder', { dueAt: fc.constant(contents.expiresAt) }),
    of('CancelOrder', { reason }),
    of('ShipOrder', { shipmentId: named('shipment'), lines }),
    of('DeliverShipment', { shipmentId: named('shipment') }),
    of('RefundOrder', { refundId: named('refund'), lines, shipping: fc.boolean(), reason }),
    of('RecordRefund', { refundId: named('refund') }),
    of('RecordRefundFailure', { refundId: named('refund'), code, reason }),
  )
  const secured = [
    { type: 'RecordReservation', data: { sku: 'TEAPOT-BLUE', reservationId: 'r', quantity: 2 } },
    { type: 'RecordReservation', data: { sku: 'CUP-RED', reservationId: 'r', quantity: 1 } },
    { type: 'PayOrder', data: { paymentId: 'payment-1', gateway: 'sandbox', token: null } },
    { type: 'ConfirmOrder', data: { paymentId: 'payment-1' } },
  ]
  const paying = { type: 'RecordPayment', data: { paymentId: 'payment-1', amount: 6_390 } }
  const imported = {
    type: 'ImportOrder',
    data: { ...contents, number: '536365', external: 'elsewhere', shipped: false },
  }
  const placing = { type: 'PlaceOrder', data: { ...contents, cartId: 'cart-1' } }
  const beginnings = fc.constantFrom(
    [placing],
    [placing, ...secured],
    [placing, ...secured, paying],
    [imported],
    [{ ...imported, data: { ...imported.data, shipped: true } }],
  )

  await fc.assert(
    fc.asyncProperty(beginnings, fc.array(commands, { maxLength: 15 }), async (beginning, more) => {
      let state: OrderState = order.initial
      const happened: Happening[] = []
      for (const { type, data } of [...beginning, ...more]) {
        for (const event of decided(state, type, data)) {
          state = order.evolve(state, event)
          happened.push({ definitions: orderEvents, id: 'order-1', ...event, circumstances: { person: 'ada' } })
        }
      }
      const { orders: documents } = await given(...happened).documents()
      expect(documents?.['order-1']).toMatchObject({
        status: state.status,
        paymentStatus: paymentStateOf(state),
        fulfilmentStatus: fulfilmentStateOf(state),
        lines: [...state.lines.values()].map(({ shipped, delivered, unitsLeft, line }) => ({
          lineId: line.lineId,
          shipped,
          delivered,
          refunded: line.quantity - unitsLeft.reduce((sum, units) => sum + units, 0),
        })),
        revision: happened.length - 1,
      })
    }),
    { numRuns: 100 },
  )

  function decided(state: OrderState, type: string, data: Readonly<Record<string, unknown>>) {
    try {
      const context = {
        id: 'order-1',
        at: contents.expiresAt.replace('10:00', '09:45'),
        actor: { kind: 'staff', id: 'key-1' },
        imported: false,
        facts: {},
      } as const
      return order.decisions.get(type)?.decide(data, state, context) ?? []
    } catch (error) {
      if (error instanceof Rejection) return []
      throw error
    }
  }
})
