import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts'
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts'
import { type Random, random } from '../../src/cli/random.ts'
import { registryOf } from '../../src/engine/engine.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { forReading } from '../../src/shop.ts'
import { filesOf } from '../../src/storage.ts'
import { type ServerProcess, startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { type Aim, aims, type Surroundings } from './aims.ts'
import { type Client, crashClient, meeting } from './client.ts'
import { startGateway } from './gateway.ts'
import { checkMoney, checkOrders, checkStock } from './identities.ts'
import { imports } from './import-run.ts'
import { type Journal, journal } from './journal.ts'
import { openShop, startLoad } from './load.ts'
import { checkKept, checkLog } from './log-check.ts'
import { type Compared, compareReadModels, copyOf } from './read-models.ts'
import { settled, statusOf } from './rest.ts'

/**
 * The real process on real files, killed again and again while the shop is busy. `DAYBOOK_CRASH_ROUNDS` says how often
 * (50), `DAYBOOK_CRASH_SEED` what everybody does. The seed decides what is asked and in which order kills are aimed;
 * the moments of the kills, and with them what they hit, are never the same twice.
 */

const rounds = z.coerce.number().int().min(1).default(50).parse(process.env.DAYBOOK_CRASH_ROUNDS)
const seed = z.coerce
  .number()
  .int()
  .default(Date.now() % 1_000_000)
  .parse(process.env.DAYBOOK_CRASH_SEED)
const longestRoundMs = 20_000
/** So many of the newest commands are looked up after each kill: more than can be accepted while one is written. */
const keptChecked = 200
/** How often the documents are compared that a kill has left. */
const compareEvery = 25
const registry = registryOf(forReading([]))
/** No limits by rate, and times that are short, so that what waits for them happens between kills. */
const settings = {
  DAYBOOK_RATE_LIMIT_PER_MINUTE: '100000000',
  DAYBOOK_GUEST_TOKENS_PER_MINUTE: '100000000',
  DAYBOOK_PAYMENT_WINDOW_MS: '4000',
  DAYBOOK_SWEEP_EVERY_MS: '1000',
  DAYBOOK_GATEWAY_TIMEOUT_MS: '2000',
  DAYBOOK_LOG_LEVEL: 'error',
}

/** Every kind of kill as often as the list has it, in an order of the seed's. */
function* aimsInTurn(chance: Random): Generator<Aim, never> {
  for (;;)
    yield* aims
      .map((aim) => ({ aim, at: chance.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ aim }) => aim)
}

/** Keys that were used get their first answers again. */
async function checkAnswers(client: Client, log: Journal, chance: Random): Promise<number> {
  const sample = log.sample(20, 10, chance)
  await Promise.all(
    sample.map(async ({ command, answer }) => {
      const { status, body } = await client.again(command)
      expect(status, `${command.path} (${command.key}) sent again`).toBeLessThan(300)
      const { id, revision, position } = body
      expect({ id, revision }).toEqual({ id: answer.id, revision: answer.revision })
      if (command.waitS === undefined) expect(position).toBe(answer.position)
    }),
  )
  return sample.length
}

/** A shop whose server is killed again and again; all else goes on. */
async function openScene() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const directory = join(path, 'data')
  const gateway = await startGateway()
  const shop = meeting()
  onTestFinished(shop.close)
  const log = journal()
  const client = crashClient(shop, log)
  const lengths = { rebuildMs: 0, startMs: 0, stopMs: 0 }
  const starts: number[] = []

  function spawn(): ServerProcess {
    const server = startServer({
      directory,
      settings: { ...gateway.settings, ...settings },
      // Starts are most of the time that this takes.
      environment: { NODE_COMPILE_CACHE: join(path, 'compiled') },
    })
    onTestFinished(() => server.kill())
    return server
  }

  async function ready(server: ServerProcess): Promise<void> {
    const startedAt = Date.now()
    const listening = await server.ready()
    lengths.startMs = Date.now() - startedAt
    starts.push(lengths.startMs)
    gateway.callBack(() => listening.url)
    shop.up(listening)
  }

  async function stop(server: ServerProcess): Promise<void> {
    const stoppedAt = Date.now()
    shop.down()
    expect(await server.stop(), server.output()).toEqual({ code: 0, signal: null })
    lengths.stopMs = Date.now() - stoppedAt
  }

  /** Rebuilds something and stops, to learn how long that takes. */
  async function measure(server: ServerProcess): Promise<void> {
    const startedAt = Date.now()
    await client.ask('/v1/projections/orders/rebuild', 'staff')
    const isRebuilding = async () => (await statusOf(client)).some(({ rebuild }) => rebuild !== undefined)
    await expect.poll(isRebuilding, { interval: 5, timeout: 30_000 }).toBe(false)
    lengths.rebuildMs = Date.now() - startedAt
    await stop(server)
  }

  return { path, directory, gateway, shop, log, client, lengths, starts, spawn, ready, stop, measure }
}

/** Opens the log as others can beside a server. */
async function withLog<Result>(directory: string, work: (store: EventStore) => Promise<Result>): Promise<Result> {
  const store = await openSqliteEventStore({ file: filesOf(directory).log, readOnly: true })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function compareCopy(directory: string): Promise<Compared> {
  const copy = copyOf(directory)
  const files = filesOf(copy.path)
  await using opened = new AsyncDisposableStack()
  opened.defer(copy.remove)
  const store = opened.adopt(await openSqliteEventStore({ file: files.log, readOnly: true }), (each) => each.close())
  const readStore = opened.adopt(openSqliteReadStore({ directory: files.readModels }), (each) => each.close())
  return await compareReadModels(store, readStore, registry)
}

test(`a server that is killed ${rounds} times loses nothing, does nothing twice and leaves nothing half done (seed ${seed})`, {
  timeout: 120_000 + rounds * longestRoundMs,
}, async () => {
  const chance = random(seed)
  const { path, directory, gateway, shop, log, client, lengths, starts, spawn, ready, stop, measure } =
    await openScene()
  let server = spawn()
  await ready(server)
  await openShop(client)
  const load = startLoad({ client, seed, cardToken: gateway.cardToken })
  const orFailure = <Result>(work: Promise<Result>) => Promise.race([load.failed, work])
  await expect.poll(load.hotRevision, { timeout: 30_000 }).toBeGreaterThan(20)
  await orFailure(measure(server))

  const importRuns = imports(path, directory)
  const tally = new Map(aims.map(({ name }) => [name, { aimed: 0, hit: 0 }]))
  const turns = aimsInTurn(chance)
  let [answers, documents] = [0, 0]
  for (let round = 1; round <= rounds; round++) {
    const aim: Aim = turns.next().value
    server = spawn()
    if (!aim.whileStarting) {
      await ready(server)
      await withLog(directory, (store) => checkKept(store, log.sample(keptChecked, 0, chance)))
      answers += await orFailure(checkAnswers(client, log, chance))
    }
    const around: Surroundings = {
      directory,
      server,
      shop,
      client,
      load,
      journal: log,
      imports: importRuns,
      chance,
      lengths,
    }
    const judge = await orFailure(aim.take(around))
    shop.down()
    const diedAt = Date.now()
    await server.kill()
    const count = tally.get(aim.name)
    if (count) count.aimed++
    if (count && (await judge(diedAt))) count.hit++
    await around.victim?.kill()
    if (round % compareEvery === 0) documents += (await compareCopy(directory)).documents
  }

  // After the last kill everything comes to its end, and is looked at.
  server = spawn()
  await ready(server)
  await withLog(directory, (store) => checkKept(store, log.sample(keptChecked, 0, chance)))
  await orFailure(importRuns.start().finished())
  await orFailure(load.stop())
  await settled(client)
  answers += await checkAnswers(client, log, chance)
  await stop(server)

  const books = await withLog(directory, (store) => checkLog(store, registry, log))
  checkOrders(books)
  checkStock(books, log)
  expect(await checkMoney(books, gateway.url)).toBeGreaterThan(0)
  const final = await compareCopy(directory)
  expect(new Set(final.positions.values()).size, 'all read models are at one position').toBe(1)
  expect(log.doubts()).toBeGreaterThan(0)
  if (rounds >= aims.length) expect([...tally].filter(([, { aimed }]) => aimed === 0)).toEqual([])

  const refused = Array.from(log.refusals, ([code, number]) => `${number} ${code}`)
  const lines = [
    `${rounds} kills (seed ${seed}); ready again in ${starts.toSorted((a, b) => a - b)[starts.length >> 1]} ms (median)`,
    `  ${log.all.length} commands accepted, each there once; ${log.doubts()} were in doubt and sent again; ${answers} others were sent again and got their first answers`,
    `  refused: ${refused.join(', ')}`,
    `  ${books.placed.length} orders came to their end; ${importRuns.completed()} files imported`,
    `  documents like a fold of the log: ${documents} after kills, ${final.documents} at the end`,
    ...Array.from(tally, ([name, { aimed, hit }]) => `  ${name}: aimed at ${aimed} times, hit ${hit}`),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
})
