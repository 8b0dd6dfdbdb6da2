import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { filesOf } from '../src/storage.ts'
import { benchmark } from './benchmark.ts'
import { bigStore } from './big-store.ts'
import { untilBuilt } from './read-models.ts'
import { purchaseMix } from './sample-purchases.ts'
import { scan, scanLimit } from './scan.ts'
import { startShop } from './shop.ts'

const events = 1_000_000

export const catchUp = benchmark({
  name: 'catch-up',
  title: `All read models together from nothing over ${events.toLocaleString('en-GB')} events, from the start of the server until all answer. Purchases of one to four lines: ${purchaseMix}`,
  figures: [
    {
      name: 'catch-up',
      unit: 'events/s',
      limit: scanLimit,
      goal: { of: 'figure', is: 'at least', value: 60_000 },
    },
    { name: 'memory', unit: 'MB' },
  ],
  async prepare({ directory, profileDirectory, progress }) {
    const from = filesOf(await bigStore(events, progress))
    mkdirSync(directory, { recursive: true })
    const data = join(directory, 'shop')
    const { log, vault, readModels } = filesOf(data)
    mkdirSync(data)
    cpSync(from.log, log)
    cpSync(from.vault, vault)
    return {
      limit: async () => ({ 'catch-up': await scan(data) }),
      async round() {
        rmSync(readModels, { recursive: true, force: true })
        const beganMs = performance.now()
        const shop = await startShop(data, profileDirectory)
        try {
          const head = await untilBuilt(shop)
          const seconds = (performance.now() - beganMs) / 1_000
          const { mostMemoryBytes } = await shop.readings()
          return { 'catch-up': head / seconds, memory: mostMemoryBytes / 1_000_000 }
        } finally {
          await shop.stop()
        }
      },
    }
  },
})
