import { describe, expect, test } from 'vitest'
import { openShop } from './open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from './shop-client.ts'

const day = () => new Date().toISOString().slice(0, 10)
const sales = `/v1/analytics/sales?currency=EUR&interval=day&timeZone=UTC&from=${day()}&to=${day()}`

describe('a purchase', () => {
  test('goes from the catalogue to the sales figures, and back with a refund', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)

    const found = await shop.get('/v1/products?q=teap&currency=EUR&language=en', '')
    expect(found.items).toMatchObject([{ title: 'Blue teapot' }])

    const cartId = await fillCart(shop, shopper)
    const orderId = await checkOut(shop, cartId, shopper)
    expect(await pay(shop, orderId, shopper)).toBe(200)
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({
        status: 'confirmed',
        paymentStatus: 'captured',
        totals: { items: 4998, shipping: 490, tax: 876, total: 5488 },
        email: 'ada@example.com',
      })
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 2, available: 8 })
    await expect.poll(async () => (await shop.get(sales)).items).toMatchObject([{ orders: 1, units: 2, revenue: 4998 }])

    await shop.post(`/v1/orders/${orderId}/ship`, { carrier: 'DHL' })
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 8, reserved: 0 })

    await shop.post(`/v1/orders/${orderId}/refund`, { lines: [{ lineId: 'TEAPOT', quantity: 1 }], reason: 'Broken' })
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ paymentStatus: 'partly-refunded' })
    await expect.poll(async () => (await shop.get(sales)).items).toMatchObject([{ orders: 1, revenue: 2499 }])

    const timeline = await shop.get(`/v1/orders/${orderId}/timeline`, shopper.token)
    const types = timeline.items.map(({ type }: { type: string }) => type)
    for (const type of [
      'OrderPlaced',
      'StockReserved',
      'PaymentAuthorised',
      'OrderConfirmed',
      'OrderPaid',
      'OrderShipped',
      'OrderRefunded',
    ]) {
      expect(types).toContain(type)
    }
  })

  test('of more than there is is refused, and reserves nothing', async () => {
    const shop = await openShop()
    await stock(shop, 1)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper, 2), shopper)
    expect(await shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({ status: 'rejected' })
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ available: 1, reserved: 0 })
  })

  test.each([
    ['that is told by a callback', '4000000000001000'],
    ['whose callbacks come twice', '4000000000001026'],
    ['whose callbacks come out of order', '4000000000001034'],
  ])('is confirmed by a payment %s', async (_what, card) => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, orderId, shopper, card)
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({
        status: 'confirmed',
        paymentStatus: 'captured',
      })
  })

  test('that was refused by the card can be paid with another one', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, orderId, shopper, '4000000000000002')
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ status: 'pending', payment: { status: 'failed', failure: { code: 'card-declined' } } })
    expect(await pay(shop, orderId, shopper)).toBe(200)
    await expect.poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({ status: 'confirmed' })
  })

  test('that nobody pays expires by itself, and its stock is released', async () => {
    const shop = await openShop({ DAYBOOK_PAYMENT_WINDOW_MS: '300' })
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await expect.poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({ status: 'cancelled' })
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ available: 10, reserved: 0 })
  })

  test('that costs nothing is confirmed without a payment, and ships', async () => {
    const shop = await openShop()
    await stock(shop)
    await shop.send('PUT', '/v1/shipping-methods/letter', { body: { titles: { en: 'Letter' }, prices: { EUR: 0 } } })
    await shop.post('/v1/products/teapot/prices', { sku: 'TEAPOT', prices: { EUR: 0 } })
    const shopper = await guest(shop)
    const cartId = await fillCart(shop, shopper, 1)
    await shop.post(`/v1/carts/${cartId}/shipping`, { method: 'letter' }, { token: shopper.token })
    const orderId = await checkOut(shop, cartId, shopper)
    expect(await shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({
      status: 'confirmed',
      totals: { total: 0 },
      payment: null,
    })
    await shop.post(`/v1/orders/${orderId}/ship`)
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 9, reserved: 0 })
  })

  test('that is cancelled gives the money and the stock back', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, orderId, shopper)
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ paymentStatus: 'captured' })
    await shop.post(`/v1/orders/${orderId}/cancel`, { reason: 'Changed my mind' }, { token: shopper.token })
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ status: 'cancelled', paymentStatus: 'refunded' })
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ available: 10 })
  })

  test('sent twice with the same keys happens once', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const cartId = await fillCart(shop, shopper)
    const twice = { token: shopper.token, headers: { 'idempotency-key': 'the-same', prefer: 'wait=30' } }
    const first = await shop.post(`/v1/carts/${cartId}/checkout`, {}, twice)
    const second = await shop.post(`/v1/carts/${cartId}/checkout`, {}, twice)
    expect(second.body).toEqual(first.body)
    expect((await shop.get('/v1/orders', shopper.token)).items).toHaveLength(1)
    expect(
      await shop.send('POST', `/v1/carts/${cartId}/checkout`, { ...twice, body: { expectedTotal: 1 } }),
    ).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    })
  })

  test('goes on after a restart where it was', async () => {
    const before = await openShop()
    await stock(before)
    const shopper = await guest(before)
    const orderId = await checkOut(before, await fillCart(before, shopper), shopper)
    await before.close()
    const after = await openShop({}, before.directory)
    expect(await pay(after, orderId, shopper)).toBe(200)
    await expect
      .poll(() => after.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ paymentStatus: 'captured' })
  })
})

test('90 buyers race for 30 pieces: 30 are sold, and everybody is told', async () => {
  const shop = await openShop({ DAYBOOK_GUEST_TOKENS_PER_MINUTE: '1000', DAYBOOK_RATE_LIMIT_PER_MINUTE: '100000' })
  await stock(shop, 30)
  const buyers = await Promise.all(Array.from({ length: 90 }, () => guest(shop)))
  const carts = await Promise.all(buyers.map((buyer) => fillCart(shop, buyer, 1)))
  const orders = await Promise.all(
    carts.map((cartId, index) => checkOut(shop, cartId, buyers[index] ?? { token: '', customerId: '' })),
  )
  const states = await Promise.all(orders.map(async (orderId) => (await shop.get(`/v1/orders/${orderId}`)).status))
  expect(states.filter((status) => status === 'pending')).toHaveLength(30)
  expect(states.filter((status) => status === 'rejected')).toHaveLength(60)
  expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ available: 0, reserved: 30 })
})
