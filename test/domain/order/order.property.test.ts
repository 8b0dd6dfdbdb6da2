import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OrderLine } from '../../../src/domain/order/contents.ts'
import type { OrderEvent } from '../../../src/domain/order/events.ts'
import { order } from '../../../src/domain/order/order.ts'
import {
  evolve,
  fulfilmentStateOf,
  initial,
  isEnded,
  type Order,
  paymentStateOf,
} from '../../../src/domain/order/state.ts'
import { includedTax, priceLine, totalsOf } from '../../../src/domain/pricing.ts'
import { Rejection } from '../../../src/engine/errors.ts'
import type { EventData } from '../../../src/engine/event-store.ts'
import type { DomainEvent } from '../../../src/engine/events.ts'

/** Whatever is asked of an order in whatever order, each thing twice: its amounts hold. */

interface Sent {
  readonly type: string
  readonly data: EventData
}

const expiresAt = '2026-01-15T10:00:00.000Z'
const currency = 'EUR'

const line = fc
  .record({
    unitPrice: fc.nat(10_000),
    quantity: fc.integer({ min: 1, max: 6 }),
    taxRate: fc.constantFrom(0, 700, 1_900, 5_555),
    sku: fc.constantFrom('A', 'B'),
  })
  .map((given) => ({ ...given, ...priceLine(given), productId: 'teapot', title: 'Teapot', categoryIds: ['kitchen'] }))
const lines = fc
  .array(line, { minLength: 1, maxLength: 3 })
  .map((all): OrderLine[] => all.map((each, number) => ({ ...each, lineId: String(number) })))

function placeOrder(all: readonly OrderLine[], shippingPrice: number): Sent {
  const shipping = {
    method: 'standard',
    title: 'Standard',
    amount: shippingPrice,
    taxRate: 1_900,
    tax: includedTax(shippingPrice, 1_900),
  }
  const personal = { email: null, shippingAddress: null }
  const terms = { customerId: 'ada', buyer: 'guest', currency, language: 'en', country: 'DE', cartId: 'cart-1' }
  const data = { ...terms, ...personal, lines: all, shipping, totals: totalsOf(all, shipping), expiresAt }
  return { type: 'PlaceOrder', data }
}

const paymentId = fc.constantFrom('p-1', 'p-2')
const refundId = fc.constantFrom('r-1', 'r-2', 'r-3', 'r-4', 'r-5')
const shipmentId = fc.constantFrom('s-1', 's-2', 's-3')
const selection = fc.array(
  fc.record({ lineId: fc.constantFrom('0', '1', '2'), quantity: fc.integer({ min: 1, max: 4 }) }),
  { minLength: 1, maxLength: 3 },
)
const reason = fc.constant('Because')
const failure = { code: fc.constant('declined'), reason }
const commandOf = {
  pay: sending('PayOrder', fc.record({ paymentId, gateway: fc.constant('sandbox'), token: fc.constant(null) })),
  confirm: sending('ConfirmOrder', fc.record({ paymentId })),
  recordPayment: sending('RecordPayment', fc.record({ paymentId })),
  recordPaymentFailure: sending('RecordPaymentFailure', fc.record({ paymentId, ...failure })),
  cancel: sending('CancelOrder', fc.record({ reason })),
  expire: sending('ExpireOrder', fc.record({ dueAt: fc.constant(expiresAt) })),
  ship: sending('ShipOrder', fc.record({ shipmentId, lines: selection }, { requiredKeys: ['shipmentId'] })),
  deliver: sending('DeliverShipment', fc.record({ shipmentId })),
  refund: sending('RefundOrder', fc.record({ refundId, lines: selection, shipping: fc.boolean(), reason })),
  recordRefund: sending('RecordRefund', fc.record({ refundId })),
  recordRefundFailure: sending('RecordRefundFailure', fc.record({ refundId, ...failure })),
}

function sending(type: keyof typeof order.commands, data: fc.Arbitrary<EventData>): fc.Arbitrary<Sent> {
  return data.map((content) => ({ type, data: content }))
}

const anything = fc.oneof(...Object.values(commandOf))
const { ship, deliver, refund, recordRefund, recordRefundFailure, cancel } = commandOf
const afterSale = fc.oneof(ship, deliver, refund, refund, recordRefund, recordRefund, recordRefundFailure, cancel)

function reservations(all: readonly OrderLine[]): Sent[] {
  return ['A', 'B'].flatMap((sku) => {
    const quantity = all.filter((each) => each.sku === sku).reduce((sum, each) => sum + each.quantity, 0)
    const data = { sku, reservationId: `order-1:${sku}:1`, quantity }
    return quantity > 0 ? [{ type: 'RecordReservation', data }] : []
  })
}

/** Half of the orders are paid for before anything else happens, so that not all is refused. */
const history = fc.record({ lines, shippingPrice: fc.constantFrom(0, 490) }).chain(({ lines: all, shippingPrice }) => {
  const start = [placeOrder(all, shippingPrice), ...reservations(all)]
  const total = totalsOf(all, { amount: shippingPrice, tax: 0 }).total
  const sale: Sent[] = [
    { type: 'PayOrder', data: { paymentId: 'p-1', gateway: 'sandbox', token: null } },
    { type: 'ConfirmOrder', data: { paymentId: 'p-1' } },
    { type: 'RecordPayment', data: { paymentId: 'p-1', amount: total } },
  ]
  return fc
    .oneof(
      fc.array(anything, { maxLength: 30 }),
      fc.array(afterSale, { maxLength: 30 }).map((rest) => [...sale, ...rest]),
    )
    .map((rest) => [...start, ...rest.map((each) => withAmount(each, total))])
})

function withAmount(sent: Sent, amount: number): Sent {
  return sent.type === 'RecordPayment' ? { ...sent, data: { ...sent.data, amount } } : sent
}

function isOrderEvent(event: DomainEvent): event is OrderEvent {
  return order.events.byType.has(event.type)
}

function decide(state: Order, { type, data }: Sent): readonly OrderEvent[] {
  const context = {
    id: 'order-1',
    at: '2026-01-15T09:30:00.000Z',
    actor: { kind: 'staff', id: 'staff-1' },
    imported: false,
    facts: {},
  } as const
  try {
    const events = order.decisions.get(type)?.decide(data, state, context) ?? []
    for (const event of events) order.events.byType.get(event.type)?.schema.parse(event.data)
    return events.filter(isOrderEvent)
  } catch (error) {
    if (error instanceof Rejection) return []
    throw error
  }
}

function run(sent: readonly Sent[]): { readonly state: Order; readonly events: readonly OrderEvent[] } {
  let state: Order = initial
  const all: OrderEvent[] = []
  for (const each of sent) {
    const events = decide(state, each)
    state = events.reduce(evolve, state)
    all.push(...events)
    expect(decide(state, each), `${each.type} again`).toStrictEqual([])
  }
  return { state, events: all }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

test('what was placed sums up, and what is given back is what was paid, each piece once', () => {
  fc.assert(
    fc.property(history, (sent) => {
      const { state, events } = run(sent)
      const [placed] = events.flatMap((event) => (event.type === 'OrderPlaced' ? [event.data] : []))
      if (placed === undefined) throw new Error('The first command places the order')
      expect(sum(placed.lines.map(({ amount }) => amount)) + placed.shipping.amount).toBe(placed.totals.total)
      expect(sum(placed.lines.map(({ tax }) => tax)) + placed.shipping.tax).toBe(placed.totals.tax)

      const paid = events.flatMap((event) => (event.type === 'OrderPaid' ? [event.data] : []))
      expect(paid.length).toBeLessThanOrEqual(1)
      const refunded = events.flatMap((event) => (event.type === 'OrderRefunded' ? [event.data] : []))
      expect(new Set(refunded.map((refund) => refund.refundId)).size).toBe(refunded.length)
      expect(sum(refunded.map((refund) => refund.total))).toBeLessThanOrEqual(sum(paid.map(({ amount }) => amount)))
      for (const refund of refunded) {
        expect(sum(refund.lines.map(({ amount }) => amount)) + refund.shipping.amount).toBe(refund.total)
      }
      expect(sum(refunded.map(({ shipping }) => shipping.amount))).toBeLessThanOrEqual(placed.shipping.amount)
      for (const { lineId, quantity, amount, tax } of placed.lines) {
        const back = refunded.flatMap((refund) => refund.lines.filter((each) => each.lineId === lineId))
        const pieces = sum(back.map((each) => each.quantity))
        expect(pieces).toBeLessThanOrEqual(quantity)
        if (pieces < quantity) expect(sum(back.map((each) => each.tax))).toBeLessThanOrEqual(tax)
        else {
          expect(sum(back.map((each) => each.amount))).toBe(amount)
          expect(sum(back.map((each) => each.tax))).toBe(tax)
        }
      }
      const isAllBack = paid.length > 0 && sum(refunded.map(({ total }) => total)) === placed.totals.total
      if (isAllBack && placed.totals.total > 0) expect(paymentStateOf(state)).toBe('refunded')
    }),
    { numRuns: 500 },
  )
})

test('no more is shipped than was ordered, nor is what was given back before', () => {
  fc.assert(
    fc.property(history, (sent) => {
      const { state, events } = run(sent)
      const shipments = events.flatMap((event) => (event.type === 'OrderShipped' ? event.data.lines : []))
      for (const [lineId, { line: ordered, shipped, delivered, unitsLeft }] of state.lines) {
        const inShipments = shipments.filter((each) => each.lineId === lineId)
        expect(sum(inShipments.map(({ quantity }) => quantity))).toBe(shipped)
        expect(shipped).toBeLessThanOrEqual(ordered.quantity)
        expect(delivered).toBeLessThanOrEqual(shipped)
        for (const [group, left] of unitsLeft.entries()) {
          expect(left).toBeGreaterThanOrEqual(0)
          expect(left).toBeLessThanOrEqual(ordered.unitTaxes[group]?.units ?? 0)
        }
      }
      if (state.status === 'completed') {
        expect(state.paid).toBeDefined()
        expect(['delivered', 'unfulfilled']).toContain(fulfilmentStateOf(state))
      }
      if (isEnded(state)) expect(state.shipments.size).toBe(0)
    }),
    { numRuns: 500 },
  )
})
