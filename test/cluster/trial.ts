import { expect } from 'vitest'
import { z } from 'zod'
import { openEventStoreDbStore } from '../../src/adapters/eventstoredb/event-store.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { type Definitions, projectionsOf, registryOf } from '../../src/engine/engine.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import type { ReadStore } from '../../src/engine/read-store.ts'
import { openDocumentServer } from '../../src/servers.ts'
import { forReading } from '../../src/shop.ts'
import { checkMoney, checkOrders, checkStock } from '../crash/identities.ts'
import { type Load, openShop, startLoad } from '../crash/load.ts'
import { checkLog } from '../crash/log-check.ts'
import { type Compared, compareReadModels } from '../crash/read-models.ts'
import { settled } from '../crash/rest.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { told } from './sightings.ts'

/** What is promised of how soon a cluster has caught up. */
interface CatchUpBounds {
  readonly withinMs: number
  /** How far behind the log its read models are from then on. */
  readonly maxLagMs: number
}

/** A busy shop on a cluster, to which one thing after another happens, and whose books are looked at in the end. */
export interface Trial {
  readonly cluster: Cluster
  readonly load: Load
  /** Lets something happen, and waits until everything has caught up by itself. */
  befall(what: string, happen: () => Promise<unknown>, bounds?: CatchUpBounds): Promise<void>
  /**
   * Ends the load, and checks that nothing was lost and nothing happened twice. Says what was seen.
   * @param definitions what the shop is made of in the end, where that is not what it is now
   */
  end(definitions?: Definitions): Promise<void>
}

/** How long a server is stopped. The promise is made for ten seconds; a quick run tries fewer. */
const stopSeconds = z.coerce.number().int().min(1).default(2).parse(process.env.DAYBOOK_FAULT_SECONDS)
export const stopMs = stopSeconds * 1_000
/** How long something is frozen: longer than anybody waits for an answer, and longer than a lease. */
export const freezeMs = 3 * stopMs
/** So much no process of a small shop has, whatever happens. */
const mostBytes = 800 * 1_024 * 1_024
/** Short times, so that what waits for them happens while something is wrong. */
const settings = {
  DAYBOOK_PAYMENT_WINDOW_MS: '8000',
  DAYBOOK_SWEEP_EVERY_MS: '3000',
  DAYBOOK_GATEWAY_TIMEOUT_MS: '3000',
}

function liveOnes(readStore: ReadStore, definitions: Definitions): ReadStore {
  const versions = new Map(projectionsOf(definitions).map(({ name, version }) => [name, version]))
  return {
    ...readStore,
    generations: async () =>
      (await readStore.generations()).filter(
        ({ projection, version, state }) => state === 'live' && versions.get(projection) === version,
      ),
  }
}

/** Does something with the log and the read models of a cluster as they are on its servers. */
async function onServers<Result>(
  { settings: { EVENTSTOREDB_URL = '', MONGODB_URL = '' } }: Pick<Cluster, 'settings'>,
  work: (store: EventStore, readStore: ReadStore) => Promise<Result>,
): Promise<Result> {
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  await using opened = new AsyncDisposableStack()
  const store = opened.adopt(
    await openEventStoreDbStore({ url: EVENTSTOREDB_URL, clock: systemClock, onFailure }),
    (each) => each.close(),
  )
  const { readStore } = opened.adopt(await openDocumentServer(MONGODB_URL, {}, onFailure), (each) => each.close())
  const result = await work(store, readStore)
  expect(failures).toEqual([])
  return result
}

/** Compares every document of a cluster at rest with a fold of its log. */
export function readModelsOf(
  cluster: Pick<Cluster, 'settings'>,
  definitions: Definitions = forReading([]),
): Promise<Compared> {
  const registry = registryOf(definitions)
  return onServers(cluster, (store, readStore) =>
    compareReadModels(store, liveOnes(readStore, definitions), registry, definitions),
  )
}

/** @returns how many documents there are, each as a fold of the log makes it */
async function checkBooks(cluster: Cluster, definitions: Definitions) {
  const { journal, gateway } = cluster
  const books = await onServers(cluster, (store) => checkLog(store, registryOf(definitions), journal))
  checkOrders(books)
  checkStock(books, journal)
  expect(await checkMoney(books, gateway.url)).toBeGreaterThan(0)
  const { documents } = await readModelsOf(cluster, definitions)
  return { orders: books.placed.length, documents }
}

/**
 * Opens a shop on a cluster and lets everybody in.
 * @param seed of what everybody does
 * @param others settings beside those that every trial has
 */
export async function startTrial(seed: number, others: Readonly<Record<string, string>> = {}): Promise<Trial> {
  const own = await startCluster({ ...settings, ...others })
  const { client, gateway, journal, sightings, members } = own
  await openShop(client)
  await own.caughtUp()
  const load = startLoad({ client, seed, cardToken: gateway.cardToken })
  const orFailure = <Result>(work: Promise<Result>) => Promise.race([load.failed, work])
  await orFailure(expect.poll(load.hotRevision, { timeout: 60_000 }).toBeGreaterThan(5))
  let peakBytes = 0

  function look(): void {
    peakBytes = Math.max(peakBytes, ...members.map((member) => member.peakBytes()))
  }

  return {
    cluster: own,
    load,
    async befall(what, happen, bounds) {
      look()
      sightings.take()
      await orFailure(happen())
      const { afterMs, waitedFor } = await orFailure(own.caughtUp(bounds?.maxLagMs))
      look()
      const line = told(what, sightings.take(), afterMs, `; waited last for ${waitedFor}`)
      process.stdout.write(`${line}\n`)
      if (bounds) expect(afterMs, line).toBeLessThan(bounds.withinMs)
    },
    async end(definitions = forReading([])) {
      await orFailure(load.stop())
      await settled(client, 120_000)
      await own.caughtUp()
      const { orders, documents } = await checkBooks(own, definitions)
      const refused = Array.from(journal.refusals, ([code, number]) => `${number} ${code}`)
      process.stdout.write(
        [
          `  ${journal.all.length} commands accepted, each there once; ${journal.doubts()} were in doubt and sent again`,
          `  refused: ${refused.join(', ')}`,
          `  ${orders} orders came to their end; ${documents} documents are like a fold of the log`,
          `  most memory of a process: ${Math.round(peakBytes / 1_048_576)} MiB`,
          '',
        ].join('\n'),
      )
      expect(peakBytes).toBeLessThan(mostBytes)
    },
  }
}
