import { describe, expect, test } from 'vitest'
import { checkOut, fillCart, guest, pay, type ShopClient, type Shopper, stock } from '../integration/shop-client.ts'
import { eventsIn } from './files.ts'
import { ownDirectory, patiently, startGateway, startShop } from './real-shop.ts'

const cards = {
  succeeds: '4242424242424242',
  pending: '4000000000001000',
  twice: '4000000000001026',
  outOfOrder: '4000000000001034',
  neverCallsBack: '4000000000001042',
  fails: '4000000000001059',
  hangs: '4000000000001067',
}

async function order(shop: ShopClient, shopper: Shopper): Promise<string> {
  return await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
}

/** Pays, without waiting for what comes of it. */
async function startPaying(shop: ShopClient, orderId: string, { token }: Shopper, card: string): Promise<void> {
  await shop.post(`/v1/orders/${orderId}/pay`, { gateway: 'sandbox', token: await shop.cardToken(card) }, { token })
}

/** What becomes of an order. */
function end(shop: ShopClient, orderId: string) {
  return expect.poll(async () => {
    const { status, paymentStatus } = await shop.get(`/v1/orders/${orderId}`)
    return { status, paymentStatus }
  }, patiently)
}

describe('a payment gateway', { timeout: 120_000 }, () => {
  test('that hangs, answers 500, calls back twice or in another order takes the money once, and keeps nobody else waiting', async () => {
    const directory = ownDirectory()
    const gateway = await startGateway()
    const shop = await startShop({ directory, gateway, settings: { DAYBOOK_GATEWAY_TIMEOUT_MS: '1000' } })
    await stock(shop, 100)
    const shopper = await guest(shop)
    const troubled = [cards.hangs, cards.hangs, cards.hangs, cards.fails, cards.twice, cards.outOfOrder, cards.pending]
    const orders: string[] = []
    for (const card of troubled) {
      const orderId = await order(shop, shopper)
      await startPaying(shop, orderId, shopper, card)
      orders.push(orderId)
    }
    const quick = await order(shop, shopper)
    expect(await pay(shop, quick, shopper)).toBe(200)
    for (const orderId of [...orders, quick]) {
      await end(shop, orderId).toEqual({ status: 'confirmed', paymentStatus: 'captured' })
    }
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 100, reserved: 8 })
    // Nothing is left to be done or to be looked at.
    await expect.poll(async () => (await shop.get('/v1/open-work?limit=100')).items, patiently).toEqual([])
    expect((await shop.get('/v1/dead-letters?limit=100')).items).toEqual([])
    await shop.process.stop()
    const types = eventsIn(directory).map(({ type }) => type)
    for (const type of ['PaymentRequested', 'PaymentAuthorised', 'PaymentCaptured', 'OrderConfirmed']) {
      expect(types.filter((each) => each === type)).toHaveLength(8)
    }
    // Whoever hangs or fails is asked again under the same key, by which it takes the money once.
    expect(new Set(gateway.calls).size).toBe(16)
    expect(gateway.calls.length).toBeGreaterThan(16)
  })

  test('that never calls back lets the order expire, and its stock go; what it says at last is let go, too', async () => {
    const gateway = await startGateway()
    const shop = await startShop({
      directory: ownDirectory(),
      gateway,
      settings: { DAYBOOK_PAYMENT_WINDOW_MS: '4000' },
    })
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await order(shop, shopper)
    await startPaying(shop, orderId, shopper, cards.neverCallsBack)
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ reserved: 1 })
    await expect.poll(async () => (await shop.get(`/v1/orders/${orderId}`)).endReason, patiently).toBe('expired')
    await expect.poll(async () => (await shop.get('/v1/stock-levels/TEAPOT')).reserved, patiently).toBe(0)
    const { items } = await shop.get('/v1/payments?limit=10')
    expect(items).toHaveLength(1)
    // Daybook lets the money go; the gateway's late word changes nothing.
    await expect
      .poll(async () => gateway.calls.map((call) => call.split(' ')[0]), patiently)
      .toEqual(['payments', 'cancel'])
  })

  test('that always fails is asked again under one key, and keeps nobody else waiting', async () => {
    const gateway = await startGateway({ failedShare: 1 })
    const shop = await startShop({ directory: ownDirectory(), gateway })
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await order(shop, shopper)
    await startPaying(shop, orderId, shopper, cards.succeeds)
    await expect.poll(() => gateway.calls.length, patiently).toBeGreaterThan(2)
    expect(new Set(gateway.calls).size).toBe(1)
    // Meanwhile the shop sells.
    const other = await order(shop, await guest(shop))
    expect(await shop.get(`/v1/orders/${other}`)).toMatchObject({ status: 'pending', paymentStatus: 'not-paid' })
    expect((await shop.send('GET', '/health/ready')).body).toEqual({ status: 'ready', degraded: [] })
    await shop.post(`/v1/orders/${orderId}/cancel`, { reason: 'Changed my mind' }, { token: shopper.token })
    await expect.poll(async () => (await shop.get('/v1/stock-levels/TEAPOT')).reserved, patiently).toBe(1)
  })
})
