import { benchmark } from './benchmark.ts'
import { openCarts } from './carts.ts'
import { type Child, startChild } from './child.ts'
import { type ClusterEngineQuestion, Moments } from './cluster-engine-job.ts'
import { standInNote } from './cluster-servers.ts'
import { startClusterShop } from './cluster-shop.ts'
import { latencies } from './latencies.ts'
import { startLoad } from './load-job.ts'
import { fillShop } from './shop.ts'

const perSecond = 50
const durationMs = 8_000
const warmUpMs = 3_000
const cartCount = 100

/** How long after each place was written those who waited for it went on. */
function delaysOf(written: Moments, woken: Moments): ReturnType<typeof latencies> {
  const delays = latencies()
  for (const { position, atMs } of woken) {
    const write = written.find((each) => each.position >= position)
    if (write === undefined) throw new Error(`Nobody wrote the place ${position} that was waited for`)
    // Who looks by himself may see a write before its writer has heard of it.
    delays.add(Math.max(0, atMs - write.atMs))
  }
  return delays
}

function ask(child: Child, question: ClusterEngineQuestion): Promise<unknown> {
  return child.ask(question)
}

export const clusterWake = benchmark({
  name: 'cluster-wake',
  title: `${perSecond} times a second on schedule a process without projectors appends an event and waits until the read model of carts has it: from the moment in which the projector, another process, is told that the place is written, until the waiter goes on. Beside it as often, over HTTP, from a command's answer to the answer of a query with its position (${standInNote})`,
  figures: [
    { name: 'wake p99', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 20 } },
    { name: 'wake p50', unit: 'ms' },
    { name: 'answer to answer p99', unit: 'ms' },
    { name: 'answer to answer p50', unit: 'ms' },
  ],
  async prepare(surroundings) {
    const { profileDirectory, progress, defer } = surroundings
    const shop = await startClusterShop({ api: 'api' }, surroundings)

    async function startEngine(role: 'api' | 'projector'): Promise<Child> {
      const environment = { ...shop.settings, DAYBOOK_MEMBER: `${role}-engine` }
      const child = startChild('./cluster-engine.ts', { environment, profileDirectory })
      defer(child.stop)
      await ask(child, { kind: 'open', role })
      return child
    }
    const [projector, waiter] = await Promise.all([startEngine('projector'), startEngine('api')])

    progress('fills the shop')
    await fillShop(shop)
    const carts = await openCarts(shop, cartCount)
    const load = startLoad()
    defer(load.stop)
    const [door] = shop.processes

    async function wake(ms: number): Promise<ReturnType<typeof latencies>> {
      await ask(projector, { kind: 'written' })
      const woken = Moments.parse(await ask(waiter, { kind: 'wait', perSecond, durationMs: ms }))
      return delaysOf(Moments.parse(await ask(projector, { kind: 'written' })), woken)
    }
    const react = (ms: number) =>
      load.run({ kind: 'reactions', url: door?.url ?? '', perSecond, durationMs: ms, carts: [...carts] })

    progress('warms up')
    await wake(warmUpMs)
    await react(warmUpMs)
    return {
      async round() {
        const delays = await wake(durationMs)
        const { p50Ms, p99Ms } = await react(durationMs)
        return {
          'wake p99': delays.quantile(0.99),
          'wake p50': delays.quantile(0.5),
          'answer to answer p99': p99Ms,
          'answer to answer p50': p50Ms,
        }
      },
    }
  },
})
