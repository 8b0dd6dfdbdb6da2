import { benchmark } from './benchmark.ts'
import { standInNote, startEventStore } from './cluster-servers.ts'
import { Appended, askEventStoreProcess, Handled, Scanned } from './eventstoredb-job.ts'

const concurrency = 256
const commands = 20_000
const scannedEvents = 100_000
/** One event in as many as there are streams: what a filter finds. */
const rareType = 'StockReceived'
const warmStreams = 256
const bareAppends = 'the bare client: as many appendToStream at once, of the same events, each to a stream of its own'

export const eventStoreDb = benchmark({
  name: 'eventstoredb',
  title: `EventStoreDB (${standInNote}): reservations of stock straight to the handler, ${concurrency} at once, ${commands.toLocaleString('en-GB')} in a round, on ${warmStreams} items that are in the cache, and all on one; the log of ${scannedEvents.toLocaleString('en-GB')} events read; each in a process of its own`,
  figures: [
    {
      name: 'warm streams',
      unit: 'commands/s',
      limit: bareAppends,
      goal: { of: 'ratio', is: 'at least', value: 0.75 },
    },
    { name: 'one hot stream', unit: 'commands/s', limit: bareAppends, goal: { of: 'ratio', is: 'at least', value: 3 } },
    {
      name: 'scan',
      unit: 'events/s',
      limit: 'readAll of the bare client',
      goal: { of: 'ratio', is: 'at least', value: 0.9 },
    },
    {
      name: 'scan for one type',
      unit: 'events looked at/s',
      limit: 'subscribeToAll of the bare client with the same filter, until it has caught up',
    },
  ],
  async prepare({ profileDirectory, defer, progress }) {
    const { url, stop } = await startEventStore()
    defer(stop)
    const ask = <Answer>(
      schema: Parameters<typeof askEventStoreProcess<Answer>>[0],
      question: Parameters<typeof askEventStoreProcess<Answer>>[1],
    ) => askEventStoreProcess(schema, question, profileDirectory)
    progress('fills the log')
    const { like } = await ask(Handled, {
      kind: 'handle',
      url,
      count: scannedEvents,
      concurrency,
      streams: warmStreams,
    })

    return {
      limit: async () => {
        const { seconds } = await ask(Appended, { kind: 'append-barely', url, count: commands, concurrency, like })
        // The bare appends are no events of the shop: without some behind them the end of the log would be far to seek.
        await ask(Handled, { kind: 'handle', url, count: concurrency, concurrency, streams: 1 })
        const all = await ask(Scanned, { kind: 'scan-barely', url })
        const few = await ask(Scanned, { kind: 'scan-barely', url, type: rareType })
        return {
          'warm streams': commands / seconds,
          'one hot stream': commands / seconds,
          scan: all.events / all.seconds,
          'scan for one type': all.events / few.seconds,
        }
      },
      round: async () => {
        const handle = (streams: number) => ask(Handled, { kind: 'handle', url, count: commands, concurrency, streams })
        const all = await ask(Scanned, { kind: 'scan', url })
        const few = await ask(Scanned, { kind: 'scan', url, type: rareType })
        return {
          scan: all.events / all.seconds,
          'scan for one type': all.events / few.seconds,
          'warm streams': commands / (await handle(warmStreams)).seconds,
          'one hot stream': commands / (await handle(1)).seconds,
        }
      },
    }
  },
})
