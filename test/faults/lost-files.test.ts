import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesOf } from '../../src/storage.ts'
import { checkOut, fillCart, guest, pay, type ShopClient, type Shopper, stock } from '../integration/shop-client.ts'
import { eventsIn, forgetCheckpoints, replaceFile, scribbleOver } from './files.ts'
import { ownDirectory, patiently, startGateway, startShop } from './real-shop.ts'

/** An order that has been paid. */
async function buy(shop: ShopClient, shopper: Shopper): Promise<string> {
  const orderId = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
  await pay(shop, orderId, shopper)
  await expect
    .poll(async () => (await shop.get(`/v1/orders/${orderId}`, shopper.token)).paymentStatus, patiently)
    .toBe('captured')
  return orderId
}

async function expectReady(shop: ShopClient): Promise<void> {
  const statuses = async () =>
    (await shop.send('GET', '/v1/projections')).body.items.map(({ status, lag }: { status: string; lag: number }) => [
      status,
      lag,
    ])
  await expect.poll(async () => new Set((await statuses()).flat()), patiently).toEqual(new Set(['live', 0]))
  expect((await shop.send('GET', '/health/ready')).body).toEqual({ status: 'ready', degraded: [] })
}

/** A shop with an order that is paid, one that waits for its payment, and one that was cancelled; stopped. */
async function closedShop() {
  const directory = ownDirectory()
  const gateway = await startGateway()
  const shop = await startShop({ directory, gateway })
  await stock(shop)
  const shopper = await guest(shop)
  const { token } = shopper
  const paid = await buy(shop, shopper)
  const unpaid = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
  const cancelled = await buy(shop, shopper)
  await shop.post(`/v1/orders/${cancelled}/cancel`, { reason: 'changed-mind' }, { token })
  await expect
    .poll(async () => (await shop.get(`/v1/orders/${cancelled}`, token)).paymentStatus, patiently)
    .toBe('refunded')
  await expect.poll(async () => (await shop.get('/v1/stock-levels/TEAPOT')).reserved, patiently).toBe(2)
  const read = async (client: ShopClient) => ({
    orders: (await client.get('/v1/orders?limit=100', token)).items,
    stock: await client.get('/v1/stock-levels/TEAPOT'),
    products: (await client.get('/v1/products?limit=20&currency=EUR')).items,
    timeline: (await client.get(`/v1/orders/${cancelled}/timeline`)).items,
  })
  const before = await read(shop)
  await shop.process.stop()
  return { directory, gateway, shopper, paid, unpaid, before, read }
}

describe('what is lost beside the log is made again, and nothing happens twice', { timeout: 120_000 }, () => {
  test.each([
    [
      'read models and jobs',
      (directory: string) => {
        rmSync(filesOf(directory).readModels, { recursive: true })
        rmSync(filesOf(directory).jobs)
      },
    ],
    [
      'read models, jobs and how far process managers were',
      (directory: string) => {
        rmSync(filesOf(directory).readModels, { recursive: true })
        rmSync(filesOf(directory).jobs)
        forgetCheckpoints(directory)
      },
    ],
    [
      'every file of the read models, by damage',
      (directory: string) => {
        const { readModels } = filesOf(directory)
        for (const name of readdirSync(readModels)) if (name.endsWith('.db')) scribbleOver(join(readModels, name))
      },
    ],
  ])('%s', async (_, lose) => {
    const { directory, gateway, shopper, unpaid, before, read } = await closedShop()
    const [events, calls] = [eventsIn(directory), [...gateway.calls]]
    lose(directory)
    const shop = await startShop({ directory, gateway })
    await expectReady(shop)
    expect(await read(shop)).toEqual(before)
    // What was under way goes on, which also shows that process managers have passed all that was before.
    await pay(shop, unpaid, shopper)
    await expect.poll(async () => (await shop.get(`/v1/orders/${unpaid}`)).paymentStatus, patiently).toBe('captured')
    await shop.process.stop()
    const after = eventsIn(directory)
    expect(after.slice(0, events.length)).toEqual(events)
    // Of the payment alone, and each of its events once.
    const added = after.slice(events.length)
    expect(new Set(added.map(({ stream }) => stream.split('-')[0]))).toEqual(new Set(['order', 'payment']))
    expect(new Set(added.map(({ type }) => type)).size).toBe(added.length)
    expect(gateway.calls.slice(calls.length).map((call) => call.split(' ')[0])).toEqual(['payments', 'capture'])
  })
})

test('a read model whose damage shows only when it is read is made again while the server runs', async () => {
  const { directory, shopper, paid, before, read } = await closedShop()
  const { readModels } = filesOf(directory)
  for (const name of readdirSync(readModels)) {
    // How far it has come can still be read.
    if (/^(stock-levels|orders)-.*\.db$/.test(name)) scribbleOver(join(readModels, name), 2)
  }
  const shop = await startShop({ directory })
  for (const path of ['/v1/stock-levels/TEAPOT', `/v1/orders/${paid}`]) {
    const ask = async () => (await shop.send('GET', path, { token: shopper.token })).status
    expect(await shop.send('GET', path)).toMatchObject({ status: 503 })
    await expect.poll(ask, patiently).not.toBe(503)
  }
  await expectReady(shop)
  expect(await read(shop)).toEqual(before)
}, 120_000)

describe('a log that was restored from yesterday', { timeout: 120_000 }, () => {
  test('under the read models, jobs and keys of today is noticed: they show what it holds, and go on from there', async () => {
    const { directory, gateway, shopper, paid, unpaid, before, read } = await closedShop()
    const files = filesOf(directory)
    const backup = join(ownDirectory(), 'log.db')
    cpSync(files.log, backup)

    const today = await startShop({ directory, gateway })
    const lost = await buy(today, shopper)
    await pay(today, unpaid, shopper)
    const stranger = await guest(today)
    const waiting = await checkOut(today, await fillCart(today, stranger, 1), stranger)
    await today.post('/v1/stock-items/TEAPOT/receive', { quantity: 100, reference: 'DN-2' })
    expect(await today.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 110 })
    await today.process.stop()

    replaceFile(backup, files.log)
    const shop = await startShop({ directory, gateway })
    await expectReady(shop)
    expect(await read(shop)).toEqual(before)
    for (const orderId of [lost, waiting])
      expect(await shop.send('GET', `/v1/orders/${orderId}`)).toMatchObject({ status: 404 })
    expect(await shop.get(`/v1/orders/${paid}`, shopper.token)).toMatchObject({ email: 'ada@example.com' })
    // What was never asked for in this log is asked for now, also with a reference that the lost one knew.
    await shop.post('/v1/stock-items/TEAPOT/receive', { quantity: 1, reference: 'DN-2' })
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: before.stock.onHand + 1 })
    const next = await buy(shop, shopper)
    expect((await shop.get('/v1/orders?limit=100', shopper.token)).items).toHaveLength(before.orders.length + 1)
    await shop.process.stop()
    const again = await startShop({ directory, gateway })
    await expectReady(again)
    expect(await again.get(`/v1/orders/${next}`, shopper.token)).toMatchObject({ paymentStatus: 'captured' })
  })

  test('is refused when it is gone, though its keys are there', async () => {
    const { directory } = await closedShop()
    rmSync(filesOf(directory).log)
    await expect(startShop({ directory })).rejects.toThrow(/log\.db is missing, though its keys are there\. Restore it/)
    expect(existsSync(filesOf(directory).log)).toBe(false)
  })
})
