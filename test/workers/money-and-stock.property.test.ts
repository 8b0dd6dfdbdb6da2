import fc from 'fast-check'
import { expect, test } from 'vitest'
import { order } from '../../src/domain/order/order.ts'
import { isEnded, leftOf } from '../../src/domain/order/state.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import type { Ask } from '../../src/engine/command.ts'
import { placement } from '../projections/order-events.ts'
import { type Manner, simulatedGateway, type Trouble } from './simulated-gateway.ts'
import { type Simulation, simulate } from './simulation.ts'

/**
 * Whatever the order of callbacks, cancellations, timers, crashes and lost answers: in the end no money is held, what
 * is taken belongs to a confirmed order, and an order that ended has nothing reserved.
 */

const orderId = 'order-1'
const { number: _, placedAt: _placed, ...contents } = { ...placement(), email: null, shippingAddress: null }
const { total } = contents.totals

/** What somebody asks of the order. */
type Wish = Pick<Ask, 'type' | 'data'>
const toOrder = (type: string, data: Ask['data']): Wish => ({ type, data })

const paying = (paymentId: string) => toOrder('PayOrder', { paymentId, gateway: 'sandbox', token: 'tok_4242' })
const lineId = fc.constantFrom('TEAPOT-BLUE', 'CUP-RED')
const selection = fc.array(fc.record({ lineId, quantity: fc.constantFrom(1, 2) }), { minLength: 1, maxLength: 2 })
const id = (prefix: string) => fc.constantFrom(1, 2, 3).map((number) => `${prefix}-${number}`)
const person = fc.oneof(
  { weight: 4, arbitrary: id('payment').map(paying) },
  { weight: 1, arbitrary: fc.constant(toOrder('CancelOrder', { reason: 'Changed their mind' })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ shipmentId: id('shipment'), lines: selection }, { requiredKeys: ['shipmentId'] })
      .map((data) => toOrder('ShipOrder', data)),
  },
  { weight: 1, arbitrary: id('shipment').map((shipmentId) => toOrder('DeliverShipment', { shipmentId })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ refundId: id('refund'), lines: selection, shipping: fc.boolean() })
      .map((data) => toOrder('RefundOrder', { ...data, reason: 'Broken spout' })),
  },
)

const manner = fc.constantFrom<Manner>('succeeds', 'succeeds', 'succeeds', 'pending', 'pending', 'refused')
const trouble = fc.constantFrom<Trouble>('none', 'none', 'none', 'unreachable', 'answer-lost')
const move = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('step'), number: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('callback'), number: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('person'), number: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('shopper', 'bank'), number: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash', 'crash', 'crash', 'timer'), number: fc.nat(9) }) },
)
const scenario = fc.record({
  authorise: manner,
  capture: manner,
  cancelsWaiting: fc.boolean(),
  /** What the shopper decides in the end, and how captures that were left open end. */
  isApproved: fc.boolean(),
  isTaken: fc.boolean(),
  troubles: fc.array(trouble, { maxLength: 12 }),
  stock: fc.record({ teapots: fc.constantFrom(5, 5, 2, 1), cups: fc.constantFrom(5, 5, 1, 0) }),
  people: fc.array(person, { maxLength: 12, size: 'max' }).map((others) => [paying('payment-1'), ...others]),
  moves: fc.array(move, { maxLength: 160, size: 'max' }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never

async function play({
  authorise,
  capture,
  cancelsWaiting,
  isApproved,
  isTaken,
  troubles,
  stock,
  people,
  moves,
}: Scenario) {
  let calls = 0
  const gateway = simulatedGateway({ authorise, capture, cancelsWaiting, trouble: () => troubles[calls++] ?? 'none' })
  const simulation = simulate(gateway)
  const receive = (sku: string, quantity: number): Ask => ({
    decider: stockItem,
    target: sku,
    type: 'ReceiveStock',
    data: { quantity, reference: 'DN-1' },
  })
  await simulation.send(receive('TEAPOT-BLUE', stock.teapots))
  if (stock.cups > 0) await simulation.send(receive('CUP-RED', stock.cups))
  const send = (wish: Wish) => simulation.send({ decider: order, target: orderId, ...wish })
  await send(toOrder('PlaceOrder', contents))

  const toSend = [...people]
  let delivered = 0
  for (const { kind, number } of moves) {
    const [next] = kind === 'person' ? toSend.splice(0, 1) : []
    if (next) await send(next)
    const notice = kind === 'callback' ? gateway.notices[number % Math.max(1, gateway.notices.length)] : undefined
    if (notice) await simulation.callBack(notice)
    if (kind === 'shopper') gateway.approve(number > 0)
    if (kind === 'bank') gateway.finishCaptures(number > 0)
    if (kind === 'crash') simulation.crash(number)
    if (kind === 'step' || kind === 'timer') {
      const choices = (await simulation.choices()).filter(({ isTimer }) => isTimer === (kind === 'timer'))
      await choices[number % Math.max(1, choices.length)]?.take()
    }
  }

  // In the end everything that can happen does: what is under way, what the gateway has to say, the wishes, the time.
  troubles.length = 0
  for (let quiet = false; !quiet; ) {
    await settle(simulation, false)
    gateway.finishCaptures(isTaken)
    quiet = delivered === gateway.notices.length
    while (delivered < gateway.notices.length) {
      const notice = gateway.notices[delivered++]
      if (notice) await simulation.callBack(notice)
    }
    const wish = quiet ? toSend.shift() : undefined
    if (wish) {
      quiet = false
      await send(wish)
    }
    if (quiet) {
      gateway.approve(isApproved)
      quiet = delivered === gateway.notices.length && !(await settle(simulation, true))
    }
  }
  return { gateway, simulation }
}

/** Takes steps until there are none; says whether there were any. */
async function settle(simulation: Simulation, withTimers: boolean): Promise<boolean> {
  for (let steps = 0; steps < 2_000; steps++) {
    const [next] = (await simulation.choices()).filter(({ isTimer }) => withTimers || !isTimer)
    if (next === undefined) return steps > 0
    await next.take()
  }
  throw new Error('The shop never comes to rest')
}

test('no money stays held or taken, and no stock reserved, but for an order that is owed', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { gateway, simulation } = await play({ ...given, troubles: [...given.troubles] })
      const { state } = await simulation.handler.fold(order, orderId)
      const { state: teapots } = await simulation.handler.fold(stockItem, 'TEAPOT-BLUE')
      const { state: cups } = await simulation.handler.fold(stockItem, 'CUP-RED')
      const money = gateway.money()

      expect(simulation.deadLetters).toStrictEqual([])
      expect(state.status).not.toBe('pending')
      expect(money.held).toBe(0)
      expect([...state.refunds.values()].filter(({ status }) => status === 'requested')).toStrictEqual([])
      if (isEnded(state)) {
        expect(money.taken).toBe(0)
        expect({ teapots: teapots.reserved, cups: cups.reserved }).toStrictEqual({ teapots: 0, cups: 0 })
        expect({ teapots: teapots.onHand, cups: cups.onHand }).toEqual(given.stock)
        return
      }
      const refunded = [...state.refunds.values()]
        .filter(({ status }) => status === 'refunded')
        .flatMap(({ units, isWithShipping }) => [
          ...units.map((taken) => (state.lines.get(taken.lineId)?.line.unitPrice ?? 0) * (taken.units[0] ?? 0)),
          isWithShipping ? 490 : 0,
        ])
        .reduce((sum, amount) => sum + amount, 0)
      expect(money.taken).toBe(state.paid ? total - refunded : 0)
      for (const [lineId, item, received] of [
        ['TEAPOT-BLUE', teapots, given.stock.teapots],
        ['CUP-RED', cups, given.stock.cups],
      ] as const) {
        const line = state.lines.get(lineId)
        if (line === undefined) throw new Error(`The order has a line ${lineId}`)
        expect(item.onHand).toBe(received - line.shipped)
        expect(item.reserved).toBe(leftOf(line) === 0 ? 0 : line.line.quantity - line.shipped)
      }
    }),
    { numRuns: 300 },
  )
})
