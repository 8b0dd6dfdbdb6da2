import { join } from 'node:path'
import { z } from 'zod'
import { filesOf } from '../src/storage.ts'
import { benchmark } from './benchmark.ts'
import { openConnection } from './connection.ts'
import { skus } from './goods.ts'
import { startLimit } from './limit.ts'
import { type Outcome, startLoad } from './load-job.ts'
import { buy, commandsOfPurchase } from './purchase.ts'
import { fillShop, registerShoppers, type Shop, startShop } from './shop.ts'

const concurrency = 32
const durationMs = 8_000
const warmUpMs = 4_000
const customers = 500

const Page = z.object({ items: z.array(z.unknown()), next: z.string().nullable() })

/** Counts the orders that were placed from a time on and are confirmed. */
async function confirmedSince(shop: Shop, placedFrom: string): Promise<number> {
  const path = `/v1/admin/orders?status=confirmed&limit=100&placedFrom=${placedFrom}`
  let count = 0
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = Page.parse(
      await shop.send('GET', cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`),
    )
    count += page.items.length
    cursor = page.next
  }
  return count
}

/** The bytes that the queries of a purchase are answered with. */
async function answersOf(shop: Shop, token: string) {
  const connection = openConnection(shop.url)
  const { cartId, orderId } = await buy(connection, token, skus.slice(0, 2), () => {})
  await connection.close()
  const [cart, order] = [await shop.send('GET', `/v1/carts/${cartId}`), await shop.send('GET', `/v1/orders/${orderId}`)]
  return [
    { path: '/v1/carts/*', body: JSON.stringify(cart) },
    { path: '/v1/orders/*', body: JSON.stringify(order) },
  ]
}

export const checkout = benchmark({
  name: 'checkout',
  title: `A customer's whole purchase over HTTP, durable, by ${concurrency} shoppers at once: cart, two lines, address, shipping, checkout, which order it became, payment, the order as confirmed; a request for each`,
  figures: [
    {
      name: 'throughput',
      unit: 'purchases/s',
      limit:
        'the same client against a bare Fastify that parses the bodies, answers constants of the same size, and inserts as many events of the same bytes into SQLite, durable, grouped alike',
      goal: { of: 'figure', is: 'at least', value: 600 },
    },
    { name: 'p99 of a request', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 150 } },
    { name: 'read models behind', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 1_000 } },
    { name: 'memory', unit: 'MB', goal: { of: 'figure', is: 'at most', value: 350 } },
    { name: 'event loop delay p99.9', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 50 } },
    { name: 'events of a purchase', unit: 'events' },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    const data = join(directory, 'shop')
    const shop = await startShop(data, profileDirectory)
    defer(shop.stop)
    await fillShop(shop)
    const tokens = (await registerShoppers(shop, customers)).map(({ token }) => token)
    const load = startLoad()
    defer(load.stop)
    const buyAll = (url: string, ms: number): Promise<Outcome> =>
      load.run({ kind: 'purchases', url, concurrency, durationMs: ms, tokens, skus: [...skus] })

    progress('warms up')
    const before = await shop.rest()
    const { count } = await buyAll(shop.url, warmUpMs)
    const eventsOfPurchase = ((await shop.rest()) - before) / count
    const limit = await startLimit({
      answers: await answersOf(shop, tokens[0] ?? ''),
      log: {
        file: join(directory, 'raw.db'),
        like: filesOf(data).log,
        eventsPerCommand: eventsOfPurchase / commandsOfPurchase,
      },
    })
    defer(limit.stop)
    await buyAll(limit.url, warmUpMs / 4)

    return {
      async round() {
        const placedFrom = new Date().toISOString()
        const from = await shop.watch()
        const bought = await buyAll(shop.url, durationMs)
        const readings = await shop.readings()
        const upTo = await shop.rest()
        const confirmed = await confirmedSince(shop, placedFrom)
        if (confirmed !== bought.count) {
          throw new Error(`${bought.count} purchases were acknowledged, and ${confirmed} orders are confirmed`)
        }
        return {
          throughput: bought.perSecond,
          'p99 of a request': bought.p99Ms,
          'read models behind': readings.longestLagMs,
          memory: readings.mostMemoryBytes / 1e6,
          'event loop delay p99.9': readings.eventLoopDelayMs,
          'events of a purchase': (upTo - from) / bought.count,
        }
      },
      limit: async () => ({ throughput: (await buyAll(limit.url, durationMs)).perSecond }),
    }
  },
})
