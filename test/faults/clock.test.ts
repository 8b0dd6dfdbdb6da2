import { describe, expect, test, vi } from 'vitest'
import { openShop } from '../integration/open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from '../integration/shop-client.ts'
import { patiently } from './real-shop.ts'

const hourMs = 3_600_000

/** Sets the machine's clock, as somebody or a time server does; what has been waiting goes on to wait. */
function jump(byMs: number): void {
  const { now } = Date
  vi.spyOn(Date, 'now').mockImplementation(() => now() + byMs)
}

describe.each([
  ['back', -hourMs],
  ['forward', hourMs],
])('a clock that jumps an hour %s while the server runs', { timeout: 120_000 }, (_, byMs) => {
  test('changes no order of events, and no token, key or cursor', async () => {
    const shop = await openShop({ DAYBOOK_PAYMENT_WINDOW_MS: String(2 * hourMs) })
    await stock(shop)
    const shopper = await guest(shop)
    const { token } = shopper
    const key = { 'idempotency-key': 'the-same' }
    const deliver = () =>
      shop.send('POST', '/v1/stock-items/TEAPOT/receive', { body: { quantity: 5, reference: 'DN-2' }, headers: key })
    const first = await deliver()
    const orders = [await checkOut(shop, await fillCart(shop, shopper, 1), shopper)]
    const begun = await fillCart(shop, shopper, 1)
    jump(byMs)
    orders.push(await checkOut(shop, begun, shopper))
    for (const orderId of orders) {
      expect(await pay(shop, orderId, shopper)).toBe(200)
      await expect
        .poll(() => shop.get(`/v1/orders/${orderId}`, token), patiently)
        .toMatchObject({ status: 'confirmed', paymentStatus: 'captured' })
      const { items } = await shop.get(`/v1/orders/${orderId}/timeline`)
      expect(items.length).toBeGreaterThan(3)
    }
    expect((await deliver()).body).toEqual(first.body)
    // The repeated answer has the position of the first, and what was reserved since is behind that.
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT'), patiently).toMatchObject({ onHand: 15, reserved: 2 })
    const fresh = await guest(shop)
    expect(await shop.send('POST', '/v1/carts', { body: { currency: 'EUR' }, token: fresh.token })).toMatchObject({
      status: 201,
    })
    const page = await shop.get('/v1/orders?limit=1', token)
    const { items } = await shop.get(`/v1/orders?limit=1&cursor=${encodeURIComponent(page.next)}`, token)
    expect([page.items[0].id, items[0].id].toSorted()).toEqual(orders.toSorted())
  })

  test('lets an order that is placed then wait for its payment as long as it may, and no longer', async () => {
    const shop = await openShop({ DAYBOOK_PAYMENT_WINDOW_MS: '3000' })
    await stock(shop)
    const shopper = await guest(shop)
    const begun = await fillCart(shop, shopper, 1)
    jump(byMs)
    const orderId = await checkOut(shop, begun, shopper)
    const placed = await shop.get(`/v1/orders/${orderId}`)
    expect(placed).toMatchObject({ status: 'pending' })
    const windowMs = Date.parse(placed.expiresAt) - Date.parse(placed.placedAt)
    expect(windowMs).toBeGreaterThan(2_000)
    expect(windowMs).toBeLessThanOrEqual(3_000)
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`), patiently)
      .toMatchObject({ status: 'cancelled', endReason: 'expired' })
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT'), patiently).toMatchObject({ reserved: 0 })
  })

  test('keeps nobody out: a limit by the minute lasts a minute', async () => {
    const shop = await openShop({ DAYBOOK_GUEST_TOKENS_PER_MINUTE: '2' })
    const ask = () => shop.send('POST', '/v1/guest-tokens', { token: '' })
    await ask()
    jump(byMs)
    await ask()
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  })
})
