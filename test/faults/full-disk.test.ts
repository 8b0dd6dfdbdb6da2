import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { address, checkOut, fillCart, guest, pay, type Sent, stock } from '../integration/shop-client.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { ownDirectory, patiently, type RealShop, startGateway, startShop } from './real-shop.ts'
import { smallDisk, whyNotMounted } from './small-disk.ts'
import { failing, whyNotAttached } from './system-calls.ts'

const probe = temporaryDirectory()
const reason = whyNotMounted(probe.path)
probe.remove()
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`
const bytes = 32 * 1024 * 1024

function deliver(shop: RealShop, reference: string): Promise<Sent> {
  return shop.send('POST', '/v1/stock-items/TEAPOT/receive', {
    body: { quantity: 1, reference },
    headers: { 'idempotency-key': reference },
  })
}

async function ready(shop: RealShop): Promise<Sent['body']> {
  return (await shop.send('GET', '/health/ready')).body
}

describe.skipIf(reason !== undefined)(`a disk that is full${skipped}`, () => {
  test('is answered 503 by commands; queries go on, it is told, and all goes on by itself when there is room', async () => {
    const disk = smallDisk(bytes)
    const gateway = await startGateway({ callbackDelayMs: 200 })
    const shop = await startShop({ directory: disk.directory, gateway })
    await stock(shop)
    // Folded now, it is written long before the disk is full: what is not written yet, a failure may take back.
    await shop.get('/v1/products?limit=20&currency=EUR')
    const shopper = await guest(shop)
    const { token } = shopper
    const paid = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, paid, shopper)
    const unpaid = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
    const { id: cartId } = (await shop.post('/v1/carts', { currency: 'EUR' }, { token })).body
    const cart = await fillCart(shop, shopper, 1)
    await expect.poll(() => shop.get(`/v1/orders/${paid}`), patiently).toMatchObject({ paymentStatus: 'captured' })
    // Its callbacks come when the disk is full.
    await shop.send('POST', `/v1/orders/${unpaid}/pay`, {
      body: { gateway: 'sandbox', token: await shop.cardToken('4000000000001000') },
      token,
      headers: { 'idempotency-key': 'pay' },
    })
    await expect
      .poll(async () => gateway.calls.filter((call) => call.startsWith('payments ')), patiently)
      .toHaveLength(2)

    disk.fill()
    // Where the write-ahead log has room in itself, some are taken still.
    const sent: string[] = []
    await expect
      .poll(async () => {
        disk.fill()
        const reference = randomUUID()
        sent.push(reference)
        return await deliver(shop, reference)
      }, patiently)
      .toMatchObject({ status: 503 })
    const stranger = await guest(shop)
    const refused = [
      await deliver(shop, 'DN-full'),
      await shop.send('POST', `/v1/carts/${cart}/checkout`, { token, headers: { 'idempotency-key': 'checkout' } }),
      await shop.send('POST', '/v1/carts', { body: { currency: 'EUR' }, token: stranger.token }),
      // The key of a person whom the vault does not know yet.
      await shop.send('POST', `/v1/carts/${cartId}/address`, {
        body: { country: 'DE', email: 'ada@example.com', shippingAddress: address },
        token,
      }),
    ]
    for (const { status, headers } of refused) {
      expect(status).toBe(503)
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await shop.send('GET', '/v1/products?limit=20&currency=EUR')).body.items).toHaveLength(1)
    expect((await shop.send('GET', `/v1/orders/${paid}`, { token })).body).toMatchObject({ paymentStatus: 'captured' })
    expect(await ready(shop)).toMatchObject({ status: 'degraded', degraded: expect.arrayContaining(['log']) })
    expect(shop.process.output()).toContain('disk is full')

    disk.makeRoom()
    for (const reference of sent) expect(await deliver(shop, reference)).toMatchObject({ status: 200 })
    expect(await deliver(shop, 'DN-full')).toMatchObject({ status: 200 })
    await expect.poll(() => ready(shop), patiently).toEqual({ status: 'ready', degraded: [] })
    // What was under way when the disk was full goes on.
    await expect
      .poll(() => shop.get(`/v1/orders/${unpaid}`, token), patiently)
      .toMatchObject({ status: 'confirmed', paymentStatus: 'captured' })
    const cancelled = await checkOut(shop, cart, shopper)
    expect(await shop.get(`/v1/orders/${cancelled}`, token)).toMatchObject({ status: 'pending' })
    // Each once: the 10 of the beginning, those that were sent again, and what three orders hold.
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 11 + sent.length, reserved: 4 })
    expect(await shop.process.stop()).toEqual({ code: 0, signal: null })
  }, 120_000)
})

const reasonOfStrace = whyNotAttached()
const skippedForStrace = reasonOfStrace === undefined ? '' : ` (skipped: ${reasonOfStrace})`

describe.skipIf(reasonOfStrace !== undefined)(`a disk that the system has made read-only${skippedForStrace}`, () => {
  test('is answered 503 by commands; queries go on, it is told, and all goes on by itself when it can be written', async () => {
    const directory = ownDirectory()
    const before = await startShop({ directory })
    await stock(before)
    // What a read model has not written yet, a failure may take back until it is folded again.
    await before.get('/v1/products?limit=20&currency=EUR')
    await before.get('/v1/stock-levels/TEAPOT')
    await before.process.stop()
    const shop = await startShop({ directory, settings: { DAYBOOK_ANSWER_TIMEOUT_MS: '1000' } })
    const writable = await failing(shop.processId, ['pwrite64', 'ftruncate', 'fallocate'], 'EROFS')
    for (const reference of ['DN-2', 'DN-3']) {
      const { status, headers } = await deliver(shop, reference)
      expect(status).toBe(503)
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await shop.send('GET', '/v1/products?limit=20&currency=EUR')).body.items).toHaveLength(1)
    expect((await shop.send('GET', '/v1/stock-levels/TEAPOT')).body).toMatchObject({ onHand: 10 })
    expect(await ready(shop)).toMatchObject({ status: 'degraded', degraded: expect.arrayContaining(['log']) })
    await writable()
    for (const reference of ['DN-2', 'DN-3', 'DN-4']) {
      await expect.poll(() => deliver(shop, reference), patiently).toMatchObject({ status: 200 })
    }
    await expect.poll(() => ready(shop), patiently).toEqual({ status: 'ready', degraded: [] })
    await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT'), patiently).toMatchObject({ onHand: 13 })
    expect(await shop.process.stop()).toEqual({ code: 0, signal: null })
  }, 120_000)
})
