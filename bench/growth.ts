import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { benchmark } from './benchmark.ts'
import { skus } from './goods.ts'
import { startLoad } from './load-job.ts'
import { bigShop, untilBuilt } from './read-models.ts'
import { registerShoppers, startShop } from './shop.ts'

const few = 10_000
const many = 1_000_000
const concurrency = 32
/** So few, that the small store stays small. */
const purchases = 1_000
const warmUpPurchases = 500
const customers = 100

const shown = (events: number) => events.toLocaleString('en-GB')

export const growth = benchmark({
  name: 'growth',
  title: `Purchases over HTTP by ${concurrency} shoppers at once, ${shown(purchases)} in a round, in a store of ${shown(many)} events, against those in one of ${shown(few)}; each round in a server of its own on a copy of the store, after ${warmUpPurchases} purchases to warm up`,
  figures: [
    {
      name: 'throughput',
      unit: 'purchases/s',
      limit: `the same in a store of ${shown(few)} events`,
      goal: { of: 'ratio', is: 'at least', value: 0.9 },
    },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    const stores = { few: await bigShop(few, progress), many: await bigShop(many, progress) }
    const load = startLoad()
    defer(load.stop)

    async function buyIn(store: string): Promise<{ readonly throughput: number }> {
      const copy = mkdtempSync(join(directory, 'shop-'))
      cpSync(store, copy, { recursive: true })
      const shop = await startShop(copy, profileDirectory)
      try {
        await untilBuilt(shop)
        const tokens = (await registerShoppers(shop, customers, 'buyer')).map(({ token }) => token)
        const job = { kind: 'purchases' as const, url: shop.url, concurrency, tokens, skus: [...skus] }
        await load.run({ ...job, count: warmUpPurchases })
        await shop.rest()
        const { perSecond } = await load.run({ ...job, count: purchases })
        return { throughput: perSecond }
      } finally {
        await shop.stop()
        rmSync(copy, { recursive: true })
      }
    }

    return { round: () => buyIn(stores.many), limit: () => buyIn(stores.few) }
  },
})
