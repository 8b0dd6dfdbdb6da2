import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { benchmark } from './benchmark.ts'
import { SoldOut, startEngineProcess } from './engine-job.ts'

const concurrency = 256
const stock = 60_000
const reservations = 80_000

export const hotItem = benchmark({
  name: 'hot-item',
  title: `${reservations.toLocaleString('en-GB')} reservations of one stock item with ${stock.toLocaleString('en-GB')} pieces, straight to the handler, ${concurrency} at once, durable, the last quarter refused; in a process of its own, without read models`,
  figures: [
    { name: 'answered', unit: 'reservations/s', goal: { of: 'figure', is: 'at least', value: 15_000 } },
    { name: 'accepted', unit: 'of the stock', goal: { of: 'figure', is: 'at least', value: 1 } },
  ],
  async prepare({ directory, profileDirectory }) {
    return {
      async round() {
        const data = mkdtempSync(join(directory, 'store-'))
        const engine = await startEngineProcess(data, { readModels: false, profileDirectory })
        try {
          const asked = { kind: 'sell-out', stock, reservations, concurrency } as const
          const { seconds, reserved, refused } = await engine.ask(SoldOut, asked)
          if (reserved !== stock || refused !== reservations - stock) {
            throw new Error(`Of ${stock} pieces ${reserved} were reserved, and ${refused} reservations refused`)
          }
          return { answered: reservations / seconds, accepted: reserved / stock }
        } finally {
          await engine.stop()
          rmSync(data, { recursive: true })
        }
      },
    }
  },
})
