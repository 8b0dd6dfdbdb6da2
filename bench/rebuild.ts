import { benchmark } from './benchmark.ts'
import { askForRebuild, bigShop, untilBuilt } from './read-models.ts'
import { scan, scanLimit } from './scan.ts'
import { startShop } from './shop.ts'

const events = 1_000_000
const readModel = 'orders'

export const rebuild = benchmark({
  name: 'rebuild',
  title: `The read model ${readModel} built anew from a log of ${events.toLocaleString('en-GB')} events in a server that has nothing else to do, as operators ask for it; events of the whole log, of which its own are about the half`,
  figures: [
    {
      name: 'rebuild',
      unit: 'events/s',
      limit: scanLimit,
      goal: { of: 'ratio', is: 'at least', value: 0.4 },
    },
    { name: 'event loop delay p99.9', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 50 } },
  ],
  async prepare({ profileDirectory, progress, defer }) {
    const directory = await bigShop(events, progress)
    const shop = await startShop(directory, profileDirectory)
    defer(shop.stop)
    return {
      limit: async () => ({ rebuild: await scan(directory) }),
      async round() {
        const head = await untilBuilt(shop)
        await shop.watch()
        const beganMs = performance.now()
        await askForRebuild(shop, readModel)
        await untilBuilt(shop, readModel)
        const seconds = (performance.now() - beganMs) / 1_000
        const { eventLoopDelayMs } = await shop.readings()
        return { rebuild: head / seconds, 'event loop delay p99.9': eventLoopDelayMs }
      },
    }
  },
})
