import { cpSync } from 'node:fs'
import { benchmark } from './benchmark.ts'
import { categories, productIds, searches } from './goods.ts'
import { latencies } from './latencies.ts'
import { startLoad } from './load-job.ts'
import { askForRebuild, bigShop, untilBuilt } from './read-models.ts'
import { registerShoppers, startShop } from './shop.ts'

const events = 1_000_000
const readModel = 'orders'
const perSecond = 200
const customers = 50
/** The load is made in pieces, so that it ends with the rebuild. */
const pieceMs = 1_000
const piecesWithout = 15
const warmUpPieces = 5

/** Of ten requests: three catalogue pages, two searches, three products, one order history, one cart that is opened. */
function requestsOf(tokens: readonly string[]) {
  const found = searches(200)
  return Array.from({ length: 1_000 }, (_, place) => {
    const token = tokens[place % tokens.length] ?? ''
    const turn = place % 10
    if (turn < 3) {
      return { path: `/v1/products?currency=EUR&language=en&category=${categories[place % categories.length]}` }
    }
    if (turn < 5) return { path: found[place % found.length] ?? '' }
    if (turn < 8) return { path: `/v1/products/${productIds[place % productIds.length]}?currency=EUR&language=en` }
    return turn < 9 ? { path: '/v1/orders', token } : { path: '/v1/carts', token, body: { currency: 'EUR' } }
  })
}

export const rebuildUnderLoad = benchmark({
  name: 'rebuild-under-load',
  title: `${perSecond} requests a second on schedule (of ten: three catalogue pages, two searches, three products, one order history, one cart that is opened; latencies counted from when each was due) while the read model ${readModel} is built anew from ${events.toLocaleString('en-GB')} events`,
  figures: [
    {
      name: 'p99 of a request',
      unit: 'ms',
      limit: 'the same load without a rebuild',
      goal: { of: 'ratio', is: 'at most', value: 2 },
    },
    { name: 'event loop delay p99.9', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 50 } },
    { name: 'rebuild', unit: 'events/s' },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    // The load writes, and others read the same store.
    cpSync(await bigShop(events, progress), directory, { recursive: true })
    const shop = await startShop(directory, profileDirectory)
    defer(shop.stop)
    const tokens = (await registerShoppers(shop, customers, 'reader')).map(({ token }) => token)
    const requests = requestsOf(tokens)
    const load = startLoad()
    defer(load.stop)

    /** @returns the 0.99 quantile of all pieces together, in milliseconds */
    async function send(isOver: (pieces: number) => boolean): Promise<number> {
      const took = latencies()
      for (let pieces = 0; !isOver(pieces); pieces++) {
        const job = { kind: 'schedule', url: shop.url, perSecond, durationMs: pieceMs, requests } as const
        const { latenciesMs = [] } = await load.run(job)
        for (const latencyMs of latenciesMs) took.add(latencyMs)
      }
      return took.quantile(0.99)
    }

    progress('warms up')
    await send((pieces) => pieces === warmUpPieces)
    return {
      limit: async () => ({ 'p99 of a request': await send((pieces) => pieces === piecesWithout) }),
      async round() {
        const head = await shop.watch()
        const beganMs = performance.now()
        await askForRebuild(shop, readModel)
        let seconds: number | undefined
        const built = untilBuilt(shop, readModel).then(() => {
          seconds = (performance.now() - beganMs) / 1_000
        })
        const p99Ms = await send(() => seconds !== undefined)
        await built
        const { eventLoopDelayMs } = await shop.readings()
        return {
          'p99 of a request': p99Ms,
          'event loop delay p99.9': eventLoopDelayMs,
          rebuild: head / (seconds ?? Number.NaN),
        }
      },
    }
  },
})
