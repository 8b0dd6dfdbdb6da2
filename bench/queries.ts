import { type Benchmark, benchmark } from './benchmark.ts'
import { openConnection, succeed } from './connection.ts'
import { categories, productIds, searches, skus } from './goods.ts'
import { startLimit } from './limit.ts'
import { startLoad } from './load-job.ts'
import { fillShop, registerShoppers, type Shop, startShop } from './shop.ts'

/** What people read in a shop, over HTTP: a kind of query each, against the same bytes from a bare server. */

interface Query {
  readonly path: string
  readonly token?: string
}

const limit = 'the same bytes from a bare Fastify in a process of its own, asked by the same client'
const concurrency = 16
const durationMs = 5_000
const warmUpMs = 4_000

/** What the queries are answered with, by their addresses. */
async function answersTo(url: string, queries: readonly Query[]) {
  const connection = openConnection(url)
  const answers = new Map<string, string>()
  for (const { path, token } of queries) {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const { body } = await succeed(connection, { method: 'GET', path, headers })
    answers.set(path, body.toString())
  }
  await connection.close()
  return Array.from(answers, ([path, body]) => ({ path, body }))
}

function queryBenchmark(
  name: string,
  title: string,
  atLeast: number,
  queriesOf: (shop: Shop) => Promise<readonly Query[]>,
): Benchmark {
  return benchmark({
    name,
    title: `${title}, over HTTP by ${concurrency} readers at once`,
    figures: [
      {
        name: 'throughput',
        unit: 'queries/s',
        limit,
        goal: { of: 'figure', is: 'at least', value: atLeast },
      },
      { name: 'p99', unit: 'ms', limit },
    ],
    async prepare({ directory, profileDirectory, progress, defer }) {
      const shop = await startShop(directory, profileDirectory)
      defer(shop.stop)
      await fillShop(shop)
      const queries = [...(await queriesOf(shop))]
      const bare = await startLimit({ answers: await answersTo(shop.url, queries) })
      defer(bare.stop)
      const load = startLoad()
      defer(load.stop)
      async function read(url: string, ms: number) {
        const { perSecond, p99Ms } = await load.run({ kind: 'queries', url, concurrency, durationMs: ms, queries })
        return { throughput: perSecond, p99: p99Ms }
      }
      progress('warms up')
      await read(shop.url, warmUpMs)
      await read(bare.url, warmUpMs)
      return { round: () => read(shop.url, durationMs), limit: () => read(bare.url, durationMs) }
    },
  })
}

export const cataloguePage = queryBenchmark(
  'catalogue-page',
  `The first 20 products with prices, of 1,000: of all of them and of each of ${categories.length} categories, in turn`,
  4_000,
  async () => {
    const page = '/v1/products?currency=EUR&language=en'
    return [page, ...categories.map((category) => `${page}&category=${category}`)].map((path) => ({ path }))
  },
)

export const search = queryBenchmark(
  'search',
  '500 searches over 1,000 products in turn, 20 to a page: half of them for one word or the beginning of one, half for two; a quarter sorted by price, age or title, the others by how well they match',
  2_000,
  async () => searches(500).map((path) => ({ path })),
)

export const productDetail = queryBenchmark(
  'product-detail',
  'One product with its variants, prices and what is available; 1,000 of them in turn',
  6_000,
  async () => productIds.map((id) => ({ path: `/v1/products/${id}?currency=EUR&language=en` })),
)

const customers = 50
const ordersEach = 25

export const orderHistory = queryBenchmark(
  'order-history',
  `The newest 20 of the ${ordersEach} orders of a customer; ${customers} customers in turn`,
  4_000,
  async (shop) => {
    const tokens = (await registerShoppers(shop, customers)).map(({ token }) => token)
    const load = startLoad()
    const count = customers * ordersEach
    await load.run({ kind: 'purchases', url: shop.url, concurrency: 16, count, tokens, skus: [...skus] })
    await load.stop()
    await shop.rest()
    return tokens.map((token) => ({ path: '/v1/orders', token }))
  },
)
