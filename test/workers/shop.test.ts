import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { cart } from '../../src/domain/cart/cart.ts'
import { gatewayCallback } from '../../src/domain/gateway-callback.ts'
import { order } from '../../src/domain/order/order.ts'
import { fulfilmentStateOf, type Order, paymentStateOf } from '../../src/domain/order/state.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { product } from '../../src/domain/product.ts'
import { shippingMethod } from '../../src/domain/shipping-method.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import { taxRates } from '../../src/domain/tax-rates.ts'
import type { CommandSchemas, Decider } from '../../src/engine/decider.ts'
import { buildHere, type Definitions, defaultLimits, type Ports, startEngine } from '../../src/engine/engine.ts'
import type { EventData } from '../../src/engine/event-store.ts'
import { personalData } from '../../src/engine/personal-data.ts'
import { derivedId } from '../../src/engine/streams.ts'
import { authorisePayment } from '../../src/workers/authorise-payment.ts'
import { cancelPayment } from '../../src/workers/cancel-payment.ts'
import { capturePayment } from '../../src/workers/capture-payment.ts'
import { expireOrder } from '../../src/workers/expire-order.ts'
import { fulfilOrder } from '../../src/workers/fulfil-order.ts'
import { placeOrder } from '../../src/workers/place-order.ts'
import { refundPayment } from '../../src/workers/refund-payment.ts'
import { settlePayment } from '../../src/workers/settle-payment.ts'
import { manualClock } from '../manual-clock.ts'
import { type GatewayBehaviour, simulatedGateway } from './simulated-gateway.ts'

/** The whole way of an order, on the engine that the shop runs on. */

const cartId = 'cart-1'
const orderId = derivedId('order', cartId)
const paymentWindowMs = 30 * 60_000

function newPorts(): Ports & { readonly clock: ReturnType<typeof manualClock> } {
  const clock = manualClock()
  return {
    store: memoryEventStore(),
    readStore: memoryReadStore(),
    queue: memoryJobQueue({ clock }),
    vault: memoryKeyVault(),
    clock,
  }
}

async function start(behaviour: Partial<GatewayBehaviour> = {}, ports = newPorts()) {
  const gateway = simulatedGateway({
    authorise: 'succeeds',
    capture: 'succeeds',
    cancelsWaiting: true,
    trouble: () => 'none',
    ...behaviour,
  })
  const gateways = new Map([[gateway.name, gateway]])
  const personal = personalData(ports.vault)
  const definitions: Definitions = {
    aggregates: [product, shippingMethod, taxRates, stockItem, cart, order, payment, gatewayCallback],
    projections: [],
    processes: [placeOrder({ paymentWindowMs }), fulfilOrder, settlePayment],
    jobs: [
      authorisePayment(gateways, personal.open),
      capturePayment(gateways),
      cancelPayment(gateways),
      refundPayment(gateways),
      expireOrder,
    ],
  }
  const failures: unknown[] = []
  const run = () =>
    startEngine(definitions, ports, {
      limits: defaultLimits,
      builder: buildHere(definitions, ports),
      works: true,
      onFailure: (error) => failures.push(error),
    })
  let engine = await run()
  onTestFinished(() => engine.stop())

  let sent = 0
  async function send(decider: Decider, target: string, type: string, data: EventData): Promise<void> {
    const commands: CommandSchemas = decider.commands
    const parsed = commands[type]?.parse(data)
    if (parsed === undefined) throw new Error(`Nobody decides ${type}`)
    const sealed = await personal.seal(commands[type] ?? gatewayCallback.commands.RecordCallback, parsed, () => 'ada')
    const actor = { kind: 'customer', id: 'ada' } as const
    await engine.handler.handle({
      decider,
      target,
      type,
      data: sealed,
      id: `p-${sent++}`,
      actor,
      correlationId: 'test',
    })
  }
  const toOrder = (type: keyof typeof order.commands, data: EventData) => send(order, orderId, type, data)
  const orderNow = async () => (await engine.handler.fold(order, orderId)).state
  const stockNow = async () => {
    const { onHand, reserved } = (await engine.handler.fold(stockItem, 'TEAPOT-BLUE')).state
    return { onHand, reserved }
  }

  return {
    gateway,
    failures,
    ports,
    send,
    toOrder,
    orderNow,
    stockNow,
    pay: (paymentId = 'payment-1') => toOrder('PayOrder', { paymentId, gateway: 'sandbox', token: 'tok_4242' }),
    reaches: (isReached: (state: Order) => boolean) =>
      expect.poll(async () => isReached(await orderNow()), { interval: 2 }).toBe(true),
    async callBack(index: number) {
      const notice = gateway.notices.at(index)
      if (notice === undefined) throw new Error('The gateway has nothing to say')
      await send(gatewayCallback, `sandbox.${notice.noticeId}`, 'RecordCallback', { ...notice, gateway: 'sandbox' })
    },
    /** Moves the time on until the order is as it should be. */
    async after(ms: number, isReached: (state: Order) => boolean) {
      await ports.clock.advance(ms)
      await expect
        .poll(
          async () => {
            await ports.clock.advance(1)
            return isReached(await orderNow())
          },
          { interval: 2 },
        )
        .toBe(true)
    },
    /** Everything has been reacted to. */
    async rests() {
      await expect
        .poll(
          async () => {
            const { position } = await ports.store.head()
            return engine.processes.status().every((status) => status.position === position && status.underWay === 0)
          },
          { interval: 2 },
        )
        .toBe(true)
    },
    async restart(fromTheBeginning: boolean) {
      await engine.stop()
      const checkpoint = { logId: ports.store.logId, position: 0, eventId: '' }
      if (fromTheBeginning) {
        for (const { name } of definitions.processes) await ports.store.saveCheckpoint(name, checkpoint)
      }
      engine = await run()
    },
  }
}

async function checkedOut(behaviour?: Partial<GatewayBehaviour>, stock = 5) {
  const shop = await start(behaviour)
  const { send } = shop
  await send(taxRates, 'DE', 'SetTaxRate', { taxCategory: 'standard', rate: 1_900 })
  await send(shippingMethod, 'standard', 'OfferShippingMethod', { titles: { en: 'Standard' }, prices: { EUR: 490 } })
  await send(product, 'teapot', 'CreateProduct', {
    slug: 'teapot',
    texts: { en: { title: 'Teapot', description: '' } },
    variants: [{ sku: 'TEAPOT-BLUE', prices: { EUR: 2_500 } }],
    publish: true,
  })
  await send(stockItem, 'TEAPOT-BLUE', 'ReceiveStock', { quantity: stock, reference: 'DN-1' })
  await send(cart, cartId, 'OpenCart', { customerId: 'ada', buyer: 'member', currency: 'EUR' })
  await send(cart, cartId, 'AddCartLine', { productId: 'teapot', sku: 'TEAPOT-BLUE', quantity: 2 })
  await send(cart, cartId, 'SetCartAddress', {
    country: 'DE',
    email: 'ada@example.com',
    shippingAddress: { name: 'Ada Lovelace', line1: 'Seestr. 1', city: 'Berlin', postalCode: '10115' },
  })
  await send(cart, cartId, 'ChooseCartShipping', { method: 'standard' })
  await send(cart, cartId, 'CheckOut', { expectedTotal: 5_490 })
  return shop
}

const isPaid = (state: Order) => state.paid !== undefined
const isSecured = (state: Order) => state.stockSecured
const isCancelled = (state: Order) => state.status === 'cancelled'
const nothing = { held: 0, taken: 0 }

describe('an order', () => {
  test('is placed, secured, paid, shipped and delivered', async () => {
    const shop = await checkedOut()
    await shop.reaches(isSecured)
    expect(await shop.stockNow()).toStrictEqual({ onHand: 5, reserved: 2 })
    await shop.pay()
    await shop.reaches(isPaid)
    expect(shop.gateway.money()).toStrictEqual({ held: 0, taken: 5_490 })
    await shop.toOrder('ShipOrder', { shipmentId: 's-1' })
    await shop.toOrder('DeliverShipment', { shipmentId: 's-1' })
    await expect.poll(shop.stockNow, { interval: 2 }).toStrictEqual({ onHand: 3, reserved: 0 })
    const state = await shop.orderNow()
    expect([state.status, paymentStateOf(state), fulfilmentStateOf(state)]).toStrictEqual([
      'completed',
      'captured',
      'delivered',
    ])
    expect(shop.failures).toStrictEqual([])
  })

  test('can be paid before its stock is reserved, through a gateway that calls back', async () => {
    const shop = await checkedOut({ authorise: 'pending', capture: 'pending' })
    await shop.reaches(({ status }) => status === 'pending')
    await shop.pay()
    await expect
      .poll(
        async () => {
          shop.gateway.approve(true)
          return shop.gateway.notices.length
        },
        { interval: 2 },
      )
      .toBe(1)
    await shop.callBack(0)
    await shop.reaches(({ status }) => status === 'confirmed')
    await expect
      .poll(
        async () => {
          shop.gateway.finishCaptures(true)
          return shop.gateway.notices.length
        },
        { interval: 2 },
      )
      .toBe(2)
    await shop.callBack(1)
    await shop.callBack(1)
    await shop.callBack(0)
    await shop.reaches(isPaid)
    await shop.rests()
    expect(shop.gateway.money()).toStrictEqual({ held: 0, taken: 5_490 })
    expect(shop.failures).toStrictEqual([])
  })

  test('is rejected where there is too little stock', async () => {
    const shop = await checkedOut({}, 1)
    await shop.reaches(({ status }) => status === 'rejected')
    await shop.rests()
    expect(await shop.stockNow()).toStrictEqual({ onHand: 1, reserved: 0 })
  })

  test('that nobody pays expires, and its stock can be sold again', async () => {
    const shop = await checkedOut()
    await shop.reaches(isSecured)
    await shop.rests()
    await shop.ports.clock.advance(paymentWindowMs - 1_000)
    expect((await shop.orderNow()).status).toBe('pending')
    await shop.after(1_000, isCancelled)
    await shop.rests()
    expect((await shop.orderNow()).endReason).toBe('expired')
    expect(await shop.stockNow()).toStrictEqual({ onHand: 5, reserved: 0 })
  })

  test('that is cancelled before the money is taken lets it go', async () => {
    const shop = await checkedOut({ capture: 'pending' })
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.reaches(({ status }) => status === 'confirmed')
    await shop.toOrder('CancelOrder', { reason: 'Changed my mind' })
    shop.gateway.finishCaptures(false)
    await expect
      .poll(
        async () => {
          shop.gateway.finishCaptures(false)
          if (shop.gateway.notices.at(-1)?.kind === 'capture-refused') await shop.callBack(-1)
          await shop.ports.clock.advance(60_000)
          return shop.gateway.money()
        },
        { interval: 2 },
      )
      .toStrictEqual(nothing)
    await shop.rests()
    expect(await shop.stockNow()).toStrictEqual({ onHand: 5, reserved: 0 })
  })

  test('that is cancelled after the money was taken pays it back', async () => {
    const shop = await checkedOut()
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.reaches(isPaid)
    await shop.toOrder('CancelOrder', { reason: 'Changed my mind' })
    await shop.reaches((state) => paymentStateOf(state) === 'refunded')
    await shop.rests()
    expect(shop.gateway.money()).toStrictEqual(nothing)
    expect(await shop.stockNow()).toStrictEqual({ onHand: 5, reserved: 0 })
    expect(shop.failures).toStrictEqual([])
  })

  test('pays back what is taken after it expired', async () => {
    const shop = await checkedOut({ authorise: 'pending', cancelsWaiting: false })
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.rests()
    await shop.after(paymentWindowMs, isCancelled)
    await shop.rests()
    // The gateway held the money and took it by itself, and says so only now.
    shop.gateway.approve(true)
    const { paymentId, reference, amount, currency } = shop.gateway.notices.at(0) ?? { paymentId: '' }
    await shop.gateway.capture({
      paymentId,
      reference: reference ?? '',
      amount: amount ?? 0,
      currency: currency ?? '',
      idempotencyKey: 'own',
    })
    await shop.callBack(1)
    await shop.callBack(0)
    await shop.reaches((state) => paymentStateOf(state) === 'refunded')
    await shop.rests()
    expect(shop.gateway.money()).toStrictEqual(nothing)
    expect(await shop.stockNow()).toStrictEqual({ onHand: 5, reserved: 0 })
    expect(shop.failures).toStrictEqual([])
  })

  test('is refunded in parts, and what stays in the house is released', async () => {
    const shop = await checkedOut()
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.reaches(isPaid)
    const oneTeapot = { refundId: 'refund-1', lines: [{ lineId: 'TEAPOT-BLUE', quantity: 1 }], reason: 'One is enough' }
    await shop.toOrder('RefundOrder', oneTeapot)
    await shop.reaches((state) => paymentStateOf(state) === 'partly-refunded')
    expect(shop.gateway.money().taken).toBe(2_990)
    await shop.toOrder('ShipOrder', { shipmentId: 's-1' })
    await expect.poll(shop.stockNow, { interval: 2 }).toStrictEqual({ onHand: 4, reserved: 0 })
    await shop.toOrder('DeliverShipment', { shipmentId: 's-1' })
    expect((await shop.orderNow()).status).toBe('completed')
  })

  test('can be paid again when a payment is refused', async () => {
    const shop = await checkedOut({ authorise: 'refused' })
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.reaches(({ payments }) => payments.get('payment-1')?.status === 'failed')
    await shop.pay('payment-2')
    await shop.reaches(({ payments }) => payments.get('payment-2')?.status === 'failed')
    expect((await shop.orderNow()).status).toBe('pending')
    expect(shop.gateway.money()).toStrictEqual(nothing)
  })

  test('is not changed when its processes see all of its events again', async () => {
    const shop = await checkedOut()
    await shop.reaches(isSecured)
    await shop.pay()
    await shop.reaches(isPaid)
    await shop.toOrder('ShipOrder', { shipmentId: 's-1', lines: [{ lineId: 'TEAPOT-BLUE', quantity: 1 }] })
    await shop.rests()
    const before = [await shop.ports.store.head(), await shop.stockNow(), shop.gateway.money()]
    await shop.restart(true)
    await shop.rests()
    expect([await shop.ports.store.head(), await shop.stockNow(), shop.gateway.money()]).toStrictEqual(before)
    expect(shop.failures).toStrictEqual([])
  })
})
