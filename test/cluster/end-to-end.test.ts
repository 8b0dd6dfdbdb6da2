import { describe, expect, test } from 'vitest'
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts'
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts'
import { registryOf } from '../../src/engine/engine.ts'
import { forReading } from '../../src/shop.ts'
import { filesOf } from '../../src/storage.ts'
import { type Compared, compareReadModels } from '../crash/read-models.ts'
import { openShop } from '../integration/open-shop.ts'
import {
  checkOut,
  fillCart,
  guest,
  pay,
  type ShopClient,
  type Shopper,
  shopClient,
  stock,
} from '../integration/shop-client.ts'
import { startCluster } from './cluster.ts'
import { whyNotRun } from './servers.ts'
import { readModelsOf } from './trial.ts'

/** A whole shop over several processes: it sells as one process does, and shows the same. */

/** Time for what happens by itself, on a machine that is busy with other things. */
const patiently = { timeout: 60_000, interval: 100 }
/** A query waits for what was written as long as that may take there. */
const settings = { DAYBOOK_QUERY_WAIT_MS: '30000', DAYBOOK_PAYMENT_WINDOW_MS: '600000' }
const registry = registryOf(forReading([]))
const day = () => new Date().toISOString().slice(0, 10)
const sales = () => `/v1/analytics/sales?currency=EUR&interval=day&timeZone=UTC&from=${day()}&to=${day()}`

/** What the shop calls by names that are new each time, with names that stay. */
type Names = Map<string, string>

/** An order by a guest, up to where its stock is set aside or refused. */
async function order(shop: ShopClient, names: Names, name: string, quantity: number): Promise<[string, Shopper]> {
  const shopper = await guest(shop)
  const cartId = await fillCart(shop, shopper, quantity)
  const orderId = await checkOut(shop, cartId, shopper)
  const { number }: { readonly number: string } = await shop.get(`/v1/orders/${orderId}`)
  names.set(shopper.customerId, `guest of ${name}`).set(cartId, `cart of ${name}`).set(orderId, name)
  // It can be searched for by its parts.
  names.set(number, `number of ${name}`)
  for (const part of number.toLowerCase().split('-').slice(1)) names.set(part, `part of the number of ${name}`)
  return [orderId, shopper]
}

function becomes(shop: ShopClient, orderId: string, expected: object): Promise<void> {
  return expect.poll(() => shop.get(`/v1/orders/${orderId}`), patiently).toMatchObject(expected)
}

/** The walk of the README: browse, buy, pay, look at the figures, ship, pay one piece back. */
async function walk(shop: ShopClient, names: Names): Promise<void> {
  await stock(shop, 20)
  const found = await shop.get('/v1/products?q=teap&currency=EUR&language=en', '')
  expect(found.items).toMatchObject([{ title: 'Blue teapot' }])
  const [orderId, shopper] = await order(shop, names, 'the walk', 2)
  expect(await pay(shop, orderId, shopper)).toBe(200)
  await becomes(shop, orderId, { status: 'confirmed', paymentStatus: 'captured', totals: { total: 5488 } })
  expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 20, reserved: 2, available: 18 })
  await expect
    .poll(async () => (await shop.get(sales())).items, patiently)
    .toMatchObject([{ orders: 1, revenue: 4998 }])
  await shop.post(`/v1/orders/${orderId}/ship`, { carrier: 'DHL', shipmentId: 'first' })
  await expect.poll(() => shop.get('/v1/stock-levels/TEAPOT'), patiently).toMatchObject({ onHand: 18, reserved: 0 })
  const refund = { refundId: 'broken', lines: [{ lineId: 'TEAPOT', quantity: 1 }], reason: 'Arrived broken' }
  await shop.post(`/v1/orders/${orderId}/refund`, refund)
  await becomes(shop, orderId, { paymentStatus: 'partly-refunded' })
  await expect
    .poll(async () => (await shop.get(sales())).items, patiently)
    .toMatchObject([{ orders: 1, revenue: 2499 }])
  const { items } = await shop.get(`/v1/orders/${orderId}/timeline`, shopper.token)
  const types = items.map(({ type }: { type: string }) => type)
  for (const type of ['OrderPlaced', 'StockReserved', 'OrderConfirmed', 'OrderPaid', 'OrderShipped', 'OrderRefunded'])
    expect(types).toContain(type)
}

/** What else may become of an order, and what staff does. */
async function live(shop: ShopClient, names: Names): Promise<void> {
  const [cancelled, buyer] = await order(shop, names, 'the cancelled one', 1)
  await pay(shop, cancelled, buyer, '4000000000001000')
  await becomes(shop, cancelled, { paymentStatus: 'captured' })
  await shop.post(`/v1/orders/${cancelled}/cancel`, { reason: 'Changed my mind' }, { token: buyer.token })
  await becomes(shop, cancelled, { status: 'cancelled', paymentStatus: 'refunded' })
  const [declined, second] = await order(shop, names, 'the declined one', 1)
  await pay(shop, declined, second, '4000000000000002')
  await becomes(shop, declined, { status: 'pending', payment: { status: 'failed' } })
  const [refused] = await order(shop, names, 'the refused one', 100)
  await becomes(shop, refused, { status: 'rejected' })
  await shop.post('/v1/customers', { id: 'ada', email: 'ada@example.com', name: 'Ada Lovelace' })
  await shop.post('/v1/customers/ada/rename', { name: 'Ada King' })
  await shop.post('/v1/customers', { id: 'bob', email: 'bob@example.com', name: 'Bob' })
  await shop.post('/v1/customers/bob/forget')
  await shop.post('/v1/products/teapot/prices', { sku: 'TEAPOT', prices: { EUR: 2599 } })
  await shop.post('/v1/stock-items/TEAPOT/adjust', { change: -1, reason: 'Counted', reference: 'count' })
}

/**
 * Documents without what is new each time: names, times, positions, what is encrypted. A gateway's notice may come before its
 * answer is written down: then the payment was never pending, and has one event fewer.
 */
function alike({ contents }: Pick<Compared, 'contents'>, names: Names): readonly string[] {
  const named = (text: string) => [...names].reduce((result, [id, name]) => result.replaceAll(id, name), text)
  const documents = [...contents].filter(([key]) => !key.startsWith('api-keys '))
  return documents
    .map(([key, body]) =>
      named(`${key} ${JSON.stringify(body)}`)
        .replace(/sealed1\.[^"]*/g, '(sealed)')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
        .replace(/^(order-timeline .*?):\d+ /, '$1 ')
        .replace(/"position":\d+/g, '"position":0')
        .replace(/^(payments .*)"revision":\d+/, '$1"revision":0')
        .replace(/"kind":"staff","id":"[^"]*"/g, '"kind":"staff"')
        .replace(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, '(id)'),
    )
    .filter((text) => !text.includes('"type":"PaymentPending"'))
    .sort((one, other) => (one < other ? -1 : 1))
}

async function lifeOnFiles(): Promise<readonly string[]> {
  const shop = await openShop(settings)
  const names: Names = new Map()
  await walk(shop, names)
  await live(shop, names)
  const late = async () => (await shop.get('/v1/projections')).items.filter(({ lag }: { lag: number }) => lag > 0)
  await expect.poll(late, patiently).toEqual([])
  await shop.close()
  const files = filesOf(shop.directory)
  await using opened = new AsyncDisposableStack()
  const store = opened.adopt(await openSqliteEventStore({ file: files.log, readOnly: true }), (each) => each.close())
  const readStore = opened.adopt(openSqliteReadStore({ directory: files.readModels }), (each) => each.close())
  return alike(await compareReadModels(store, readStore, registry), names)
}

describe.skipIf(whyNotRun !== '')(
  `a shop over five processes and three servers${whyNotRun}`,
  { timeout: 300_000 },
  () => {
    test('sells, ships and pays back, and leaves the same read models as one process on files', async () => {
      const cluster = await startCluster(settings)
      const doors = cluster.of('api').map(({ url }) => url)
      let turn = 0
      const nextUrl = () => doors[turn++ % doors.length] ?? ''
      const shop = shopClient({ url: nextUrl(), nextUrl, token: cluster.staffToken, sandboxUrl: cluster.gateway.url })
      const names: Names = new Map()
      await cluster.caughtUp()
      await walk(shop, names)
      await live(shop, names)
      await cluster.caughtUp()
      expect(alike(await readModelsOf(cluster), names)).toEqual(await lifeOnFiles())
    })
  },
)
