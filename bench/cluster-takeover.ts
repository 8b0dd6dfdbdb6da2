import { setTimeout as sleep } from 'node:timers/promises'
import { benchmark } from './benchmark.ts'
import { type Cart, openCarts } from './carts.ts'
import { standInNote } from './cluster-servers.ts'
import { type ClusterShop, startClusterShop } from './cluster-shop.ts'
import type { Sample } from './cluster-watch.ts'
import { type Load, startLoad } from './load-job.ts'
import { fillShop } from './shop.ts'

const perSecond = 200
const probesPerSecond = 10
const cartCount = 200
const probedCarts = 20
const quantities = 9
const beforeMs = 5_000
const watchedMs = 25_000
const freshLagMs = 1_000
/** Samples that have to be fresh before it counts as caught up: three seconds of them. */
const steadySamples = 30
const longestShareMs = 60_000

/** Each changes the cart: no two for the same one follow each other with the same quantity. */
function changes(carts: readonly Cart[]) {
  return Array.from({ length: quantities }, (_, round) =>
    carts.map(({ cartId, sku, token }) => ({
      path: `/v1/carts/${cartId}/quantity`,
      token,
      body: { sku, quantity: round + 1 },
    })),
  ).flat()
}

/** Owners of the shards of read models, by the names of their leases. */
async function ownersOf({ watch }: ClusterShop): Promise<ReadonlyMap<string, string>> {
  const leases = await watch.leases()
  return new Map(leases.filter(({ name }) => name.startsWith('projection:')).map(({ name, owner }) => [name, owner]))
}

function countOf(owners: ReadonlyMap<string, string>, process: string): number {
  return [...owners.values()].filter((owner) => owner.startsWith(`${process}-`)).length
}

/** @returns when the read models were late for the last time before they were in time for a while; undefined if they never were */
function freshFrom(samples: readonly Sample[]): Sample | undefined {
  const late = samples.findIndex(({ lagMs }) => lagMs >= freshLagMs)
  return samples.find(
    (_, place) => place > late && samples.slice(place, place + steadySamples).every(({ lagMs }) => lagMs < freshLagMs),
  )
}

/** Waits until two projectors share all shards of read models as evenly as they can. */
async function untilShared(shop: ClusterShop, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  for (const deadline = performance.now() + longestShareMs; performance.now() < deadline; await sleep(200)) {
    const owners = await ownersOf(shop)
    const counts = names.map((name) => countOf(owners, name))
    if (counts.reduce((sum, count) => sum + count, 0) < owners.size) continue
    if (Math.max(...counts) - Math.min(...counts) <= 1) return owners
  }
  throw new Error(`The projectors ${names.join(' and ')} did not share the read models within ${longestShareMs} ms`)
}

export const clusterTakeover = benchmark({
  name: 'cluster-takeover',
  title: `Two processes for the API, two projectors, two workers, ${perSecond} commands a second on schedule over HTTP, half to each: one projector is killed with -9; until all read models are less than 1 s behind the log, and stay so. Beside it ${probesPerSecond} times a second a command and the query that sees its effect, as clients send it: again where it is answered 503 (${standInNote})`,
  figures: [
    { name: 'behind for', unit: 's', goal: { of: 'figure', is: 'at most', value: 15 } },
    { name: 'most behind', unit: 's' },
    { name: 'longest query', unit: 's' },
    { name: 'p99 of a command', unit: 'ms' },
    { name: 'larger half', unit: 'of the shards' },
    { name: 'moved without need', unit: 'shards' },
  ],
  async prepare(surroundings) {
    const { defer, progress } = surroundings
    const shop = await startClusterShop(
      {
        api1: 'api',
        api2: 'api',
        'projector-1': 'projector',
        'projector-2': 'projector',
        worker1: 'worker',
        worker2: 'worker',
      },
      surroundings,
    )
    progress('fills the shop')
    await fillShop(shop)
    const carts = await openCarts(shop, cartCount + probedCarts)
    const doors = shop.processes.filter(({ role }) => role === 'api').map(({ url }) => url)
    const loads: readonly Load[] = [startLoad(), startLoad()]
    const prober = startLoad()
    for (const load of [...loads, prober]) defer(load.stop)
    let projectors = shop.processes.filter(({ role }) => role === 'projector')
    let count = projectors.length

    /** Each door gets half of the carts and half of the commands, and one of them the questions. */
    function load(durationMs: number) {
      const half = cartCount / loads.length
      return Promise.all([
        Promise.all(
          loads.map((each, place) =>
            each.run({
              kind: 'schedule',
              url: doors[place] ?? '',
              perSecond: perSecond / loads.length,
              durationMs,
              requests: changes(carts.slice(place * half, (place + 1) * half)),
            }),
          ),
        ),
        prober.run({
          kind: 'reactions',
          url: doors[0] ?? '',
          perSecond: probesPerSecond,
          durationMs,
          carts: [...carts.slice(cartCount)],
        }),
      ])
    }

    progress('warms up')
    await untilShared(
      shop,
      projectors.map(({ name }) => name),
    )
    await load(beforeMs)

    return {
      async round() {
        const before = await untilShared(
          shop,
          projectors.map(({ name }) => name),
        )
        await shop.rest()
        const [victim, survivor] = projectors
        if (victim === undefined || survivor === undefined) throw new Error('There are not two projectors')
        const sampling = shop.watch.sample()
        const loading = load(beforeMs + watchedMs)
        await sleep(beforeMs)
        const killedAtMs = performance.now()
        victim.kill()
        const [commands, queries] = await loading
        const samples = (await sampling.end()).filter(({ atMs }) => atMs > killedAtMs)
        const after = await ownersOf(shop)
        const fresh = freshFrom(samples)
        if (fresh === undefined) throw new Error(`The read models were still behind after ${watchedMs} ms`)
        count++
        projectors = [survivor, await shop.start(`projector-${count}`, 'projector')]
        const counts = [victim, survivor].map(({ name }) => countOf(before, name))
        return {
          'behind for': (fresh.atMs - killedAtMs) / 1_000,
          'most behind': Math.max(...samples.map(({ lagMs }) => lagMs)) / 1_000,
          'longest query': Math.max(...(queries.latenciesMs ?? [])) / 1_000,
          'p99 of a command': Math.max(...commands.map(({ p99Ms }) => p99Ms)),
          'larger half': Math.max(...counts) / before.size,
          'moved without need': [...before].filter(
            ([name, owner]) => owner.startsWith(`${survivor.name}-`) && after.get(name) !== owner,
          ).length,
        }
      },
    }
  },
})
