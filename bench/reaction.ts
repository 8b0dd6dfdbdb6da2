import { benchmark } from './benchmark.ts'
import { openCarts } from './carts.ts'
import { startLoad } from './load-job.ts'
import { fillShop, startShop } from './shop.ts'

const perSecond = 500
const durationMs = 8_000
const warmUpMs = 4_000
const cartCount = 200

export const reaction = benchmark({
  name: 'reaction',
  title: `From a command's answer to the answer of a query that shows its effect, both over HTTP, at ${perSecond} commands a second on schedule: the quantity of a line in one of ${cartCount} carts is changed, and the cart read with the position of the command`,
  figures: [
    { name: 'p99', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 15 } },
    { name: 'p50', unit: 'ms' },
    { name: 'commands', unit: 'commands/s' },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    const shop = await startShop(directory, profileDirectory)
    defer(shop.stop)
    await fillShop(shop)
    const carts = await openCarts(shop, cartCount)
    const load = startLoad()
    defer(load.stop)
    const react = (ms: number) =>
      load.run({ kind: 'reactions', url: shop.url, perSecond, durationMs: ms, carts: [...carts] })
    progress('warms up')
    await react(warmUpMs)
    return {
      async round() {
        const { p99Ms, p50Ms, perSecond: answered } = await react(durationMs)
        return { p99: p99Ms, p50: p50Ms, commands: answered }
      },
    }
  },
})
