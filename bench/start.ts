import { z } from 'zod'
import { startServer } from '../test/server-process.ts'
import { benchmark } from './benchmark.ts'
import { bigShop } from './read-models.ts'

const Page = z.object({ items: z.array(z.unknown()).min(1) })

/** Starts `daybook serve`. @returns seconds from then to the answer to a query */
async function startAndAsk(directory: string): Promise<number> {
  const beganMs = performance.now()
  const server = startServer({ directory })
  const { url } = await server.ready()
  const answer = await fetch(`${url}/v1/products?language=en&currency=EUR`)
  Page.parse(await answer.json())
  const seconds = (performance.now() - beganMs) / 1_000
  await server.stop()
  return seconds
}

export const start = benchmark({
  name: 'start',
  title:
    'From the start of the process `daybook serve` to the answer to its first query, a page of products, its read models as it left them',
  figures: [
    { name: '100,000 events', unit: 's', goal: { of: 'figure', is: 'at most', value: 2 } },
    { name: '1,000,000 events', unit: 's', goal: { of: 'figure', is: 'at most', value: 3 } },
  ],
  async prepare({ progress }) {
    const small = await bigShop(100_000, progress)
    const large = await bigShop(1_000_000, progress)
    return {
      round: async () => ({
        '100,000 events': await startAndAsk(small),
        '1,000,000 events': await startAndAsk(large),
      }),
    }
  },
})
