import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openShop } from './open-shop.ts'
import { address, checkOut, fillCart, guest, pay, stock } from './shop-client.ts'

/** The files of a directory, also in its folders, that hold a text. */
function filesWith(directory: string, text: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).isFile() && readFileSync(file).includes(text))
}

test('who is forgotten is in no file, no answer and no read model any more; the order and the figures stay', async () => {
  const shop = await openShop()
  await stock(shop)
  const shopper = await guest(shop)
  const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
  await pay(shop, orderId, shopper)
  expect(await shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({
    email: 'ada@example.com',
    shippingAddress: address,
  })
  expect(filesWith(shop.directory, 'Lovelace')).toEqual([])

  await shop.post(`/v1/customers/${shopper.customerId}/forget`, {}, { token: shopper.token })
  await expect
    .poll(() => shop.get(`/v1/orders/${orderId}`))
    .toMatchObject({ email: null, shippingAddress: null, totals: { total: 5488 } })
  await shop.daybook.engine.projections.rebuild('orders')
  expect(await shop.get(`/v1/orders/${orderId}`)).toMatchObject({ email: null, shippingAddress: null })
  expect(await shop.send('POST', '/v1/carts', { body: { currency: 'EUR' }, token: shopper.token })).toMatchObject({
    status: 401,
  })
  await shop.close()
  for (const text of ['Lovelace', 'ada@example.com', 'Kanalstr']) expect(filesWith(shop.directory, text)).toEqual([])
})

test('order history is rebuilt in another thread while orders are placed, and misses none', async () => {
  const shop = await openShop()
  await stock(shop, 100)
  const shopper = await guest(shop)
  const place = async () => await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
  for (let n = 0; n < 5; n++) await place()
  const before = shop.daybook.engine.projections.reader('orders').generationId
  const placing = (async () => {
    for (let n = 0; n < 10; n++) await place()
  })()
  expect(await shop.send('POST', '/v1/projections/orders/rebuild')).toMatchObject({ status: 202 })
  await placing
  await expect.poll(() => shop.daybook.engine.projections.reader('orders').generationId).not.toBe(before)
  expect((await shop.get('/v1/orders?limit=100', shopper.token)).items).toHaveLength(15)
})

test('a second Daybook on the same directory is refused, and the first goes on', async () => {
  const shop = await openShop()
  await expect(openShop({}, shop.directory)).rejects.toThrow('Another Daybook is running on this data directory')
  expect((await shop.send('GET', '/health/ready')).body).toEqual({ status: 'ready', degraded: [] })
})

test('read models that are deleted are built again, and nothing happens twice', async () => {
  const before = await openShop()
  await stock(before)
  const shopper = await guest(before)
  const orderId = await checkOut(before, await fillCart(before, shopper), shopper)
  await pay(before, orderId, shopper)
  await expect
    .poll(() => before.get(`/v1/orders/${orderId}`, shopper.token))
    .toMatchObject({ paymentStatus: 'captured' })
  await before.close()
  rmSync(join(before.directory, 'read'), { recursive: true })
  rmSync(join(before.directory, 'jobs.db'))
  const after = await openShop({}, before.directory)
  const ask = () => after.send('GET', `/v1/orders/${orderId}`, { token: shopper.token })
  await expect.poll(async () => (await ask()).body).toMatchObject({ paymentStatus: 'captured', revision: 5 })
  await expect
    .poll(async () => (await after.send('GET', '/v1/stock-levels/TEAPOT')).body)
    .toMatchObject({ onHand: 10, reserved: 2 })
})

describe('bad input is answered with what is wrong, and nothing is done', () => {
  test('on the way to an order', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const other = await guest(shop)
    const cartId = await fillCart(shop, shopper)
    const { token } = shopper
    const line = (body: unknown) => shop.send('POST', `/v1/carts/${cartId}/lines`, { body, token })
    const good = { productId: 'teapot', sku: 'TEAPOT', quantity: 1 }

    expect(await line({ ...good, quantity: -1 })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/quantity' }] },
    })
    expect(await line({ ...good, quantity: '1' })).toMatchObject({ status: 422 })
    expect(await line({ ...good, colour: 'blue' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/colour' }] },
    })
    expect(await line({ ...good, productId: 'coffeepot' })).toMatchObject({
      status: 404,
      body: { code: 'product-not-found' },
    })
    expect(await line('{"productId":')).toMatchObject({ status: 400, body: { code: 'invalid-json' } })
    expect(await line({ ...good, note: 'x'.repeat(10_000_000) })).toMatchObject({ status: 413 })
    expect(await shop.send('POST', '/v1/carts', { body: { currency: 'XXQ' }, token })).toMatchObject({ status: 422 })
    expect(await shop.send('POST', `/v1/carts/${cartId}/checkout`, { body: {}, token })).toMatchObject({
      status: 400,
      body: { code: 'idempotency-key-required' },
    })
    expect(await shop.send('GET', `/v1/carts/${cartId}`, { token: other.token })).toMatchObject({ status: 404 })
    const key = { 'idempotency-key': 'pay-1' }
    const payment = { gateway: 'paypal', token: 'tok_1' }
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    expect(await shop.send('POST', `/v1/orders/${orderId}/pay`, { body: payment, token, headers: key })).toMatchObject({
      status: 409,
      body: { code: 'gateway-unknown', details: { gateways: ['sandbox'] } },
    })
    expect(await shop.send('GET', `/v1/carts/${cartId}`, { token: `${token.slice(0, -3)}abc` })).toMatchObject({
      status: 401,
    })
    expect(await shop.send('GET', `/v1/carts/${cartId}`, { token: '' })).toMatchObject({ status: 401 })
    expect(await shop.send('POST', '/v1/gateways/sandbox/callbacks', { body: { kind: 'captured' } })).toMatchObject({
      status: 401,
    })
    expect(await shop.get(`/v1/carts/${cartId}`, token)).toMatchObject({ lines: [{ sku: 'TEAPOT', quantity: 2 }] })
  })
})
