import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { benchmark } from './benchmark.ts'
import { standInNote, startEventStore } from './cluster-servers.ts'
import { type EngineProcess, Reservations, Reserved, startEngineProcess } from './engine-job.ts'

const processes = 4
const concurrency = 256
const durationMs = 4_000
const warmUpMs = 3_000
const stock = 1_000
const alone = `one process alone with ${concurrency} at once`

type Answers = z.output<typeof Reserved>['answers']

/** @throws Error unless exactly the stock was reserved, and each answer is one event of the log, and each event was answered */
async function check(engine: EngineProcess, sku: string, answers: Answers): Promise<void> {
  const events = await engine.ask(Reservations, { kind: 'read-reservations', sku })
  const answered = new Map(answers.map(({ reservationId, revision }) => [reservationId, revision]))
  const wrong = events.find(({ reservationId, revision }) => answered.get(reservationId) !== revision)
  if (wrong) throw new Error(`${wrong.reservationId} was answered other than its event at ${wrong.revision} says`)
  const distinct = new Set(events.map(({ reservationId }) => reservationId)).size
  if (events.length !== answers.length || distinct !== answers.length) {
    throw new Error(`${answers.length} answers are ${events.length} events of ${distinct} reservations in the log`)
  }
  const reserved = events.filter(({ type }) => type === 'StockReserved').length
  if (reserved !== stock)
    throw new Error(`Of ${stock} pieces ${reserved} were reserved, of ${answers.length} asked for`)
}

/** Has processes reserve at once until the time is over, all on one new item. */
async function sell(engines: readonly EngineProcess[], ms: number) {
  const [first] = engines
  if (first === undefined) throw new Error('There is no process that reserves')
  const sku = `HOT-${crypto.randomUUID()}`
  await first.ask(z.undefined(), { kind: 'receive', sku, quantity: stock })
  const results = await Promise.all(
    engines.map((engine, place) =>
      engine.ask(Reserved, {
        kind: 'reserve',
        sku,
        prefix: String(place),
        concurrency: concurrency / engines.length,
        durationMs: ms,
      }),
    ),
  )
  const answers = results.flatMap((result) => result.answers)
  await check(first, sku, answers)
  const smallest = Math.min(...results.map((result) => result.answers.length))
  return {
    answered: answers.length / Math.max(...results.map(({ seconds }) => seconds)),
    accepted: 1, // as was checked
    p99: Math.max(...results.map(({ p99Ms }) => p99Ms)),
    'sent again': results.reduce((sum, { retries }) => sum + retries, 0) / answers.length,
    'smallest share': (smallest * engines.length) / answers.length,
  }
}

export const clusterHotItem = benchmark({
  name: 'cluster-hot-item',
  title: `Reservations of one stock item by ${processes} processes, straight to their handlers, ${concurrency / processes} at once in each, for ${durationMs / 1_000} s; there are ${stock.toLocaleString('en-GB')} pieces, and each answer is looked up in the log (${standInNote})`,
  figures: [
    {
      name: 'answered',
      unit: 'reservations/s',
      limit: alone,
      goal: { of: 'ratio', is: 'at least', value: 0.5 },
    },
    { name: 'accepted', unit: 'of the stock', goal: { of: 'figure', is: 'at least', value: 1 } },
    { name: 'p99', unit: 'ms', limit: alone },
    { name: 'sent again', unit: 'of the reservations' },
    { name: 'smallest share', unit: 'of an equal one' },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    const server = await startEventStore()
    defer(server.stop)
    const engines = await Promise.all(
      Array.from({ length: processes }, () =>
        startEngineProcess(mkdtempSync(join(directory, 'process-')), {
          readModels: false,
          eventStoreUrl: server.url,
          profileDirectory,
        }),
      ),
    )
    for (const engine of engines) defer(engine.stop)
    progress('warms up')
    await sell(engines.slice(0, 1), warmUpMs)
    await sell(engines, warmUpMs)
    return {
      round: () => sell(engines, durationMs),
      async limit() {
        const { answered, p99 } = await sell(engines.slice(0, 1), durationMs)
        return { answered, p99 }
      },
    }
  },
})
