import { EventStoreDBClient, eventTypeFilter, type JSONEventData, jsonEvent, NO_STREAM } from '@eventstore/db-client'
import { z } from 'zod'
import { openEventStoreDbStore } from '../src/adapters/eventstoredb/event-store.ts'
import { memoryReadStore } from '../src/adapters/memory/read-store.ts'
import { stockItem } from '../src/domain/stock-item.ts'
import { systemClock } from '../src/engine/clock.ts'
import type { Command } from '../src/engine/command.ts'
import { commandHandler } from '../src/engine/command-handler.ts'
import { defaultLimits, registryOf } from '../src/engine/engine.ts'
import { foldCache } from '../src/engine/folds.ts'
import { streamName } from '../src/engine/streams.ts'
import { forReading } from '../src/shop.ts'
import { answerParent } from './child.ts'
import { EventStoreQuestion } from './eventstoredb-job.ts'

/** Commands, appends and scans on EventStoreDB: through Daybook, and by the bare client. A process of its own. */

/** Runs the numbers from 0 on, so many at once, each by a worker that has a number too. @returns how long it took in seconds */
async function timed(
  count: number,
  concurrency: number,
  run: (worker: number, number: number) => Promise<unknown>,
): Promise<number> {
  const beganMs = performance.now()
  let next = 0
  const work = async (_: unknown, worker: number) => {
    while (next < count) await run(worker, next++)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return (performance.now() - beganMs) / 1_000
}

/** As the process that fulfils orders makes it. */
function ofStock(sku: string, type: string, data: Command['data']): Command {
  return {
    decider: stockItem,
    target: sku,
    type,
    data,
    id: crypto.randomUUID(),
    actor: { kind: 'process', id: 'fulfil-order' },
    correlationId: crypto.randomUUID(),
    causationId: crypto.randomUUID(),
  }
}

function reserve(sku: string): Command {
  const requestedAt = new Date().toISOString()
  return ofStock(sku, 'ReserveStock', { reservationId: crypto.randomUUID(), quantity: 1, requestedAt })
}

async function handle(url: string, count: number, concurrency: number, streams: number) {
  const store = await openEventStoreDbStore({ url, clock: systemClock })
  const readStore = memoryReadStore()
  try {
    const { cachedStreams, maxWaiting, answerTimeoutMs } = defaultLimits
    const folds = foldCache(store, readStore, registryOf(forReading([])), cachedStreams)
    const handler = commandHandler({ store, folds, clock: systemClock, maxWaiting, answerTimeoutMs })
    const skus = Array.from({ length: streams }, () => crypto.randomUUID())
    const receive = (sku: string) =>
      handler.handle(ofStock(sku, 'ReceiveStock', { quantity: 1_000_000, reference: 'delivery-1' }))
    await Promise.all(skus.map(receive))
    const run = (total: number) =>
      timed(total, concurrency, (worker) => handler.handle(reserve(skus[worker % streams] ?? '')))
    await run(count / 10)
    const seconds = await run(count)
    return { seconds, like: streamName(stockItem.category, skus[0] ?? '') }
  } finally {
    await store.close()
    await readStore.close()
  }
}

/** Appends copies of a stream's last event, each worker to a stream of its own. */
async function appendBarely(client: EventStoreDBClient, count: number, concurrency: number, like: string) {
  const [sample] = await Array.fromAsync(
    client.readStream(like, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }),
  )
  const { type, data, metadata } = z
    .object({ type: z.string(), data: z.record(z.string(), z.unknown()), metadata: z.record(z.string(), z.unknown()) })
    .parse(sample?.event)
  const streams = Array.from({ length: concurrency }, () => ({
    name: `bare_${crypto.randomUUID()}`,
    revision: undefined as bigint | undefined,
  }))
  const run = (total: number) =>
    timed(total, concurrency, async (worker) => {
      const stream = streams[worker]
      if (stream === undefined) return
      const event: JSONEventData = jsonEvent({ type: `$bare-${type}`, data, metadata })
      const expectedRevision = stream.revision ?? NO_STREAM
      stream.revision = (await client.appendToStream(stream.name, event, { expectedRevision })).nextExpectedRevision
    })
  await run(count / 10)
  return { seconds: await run(count) }
}

async function scan(url: string, type: string | undefined) {
  const store = await openEventStoreDbStore({ url, clock: systemClock })
  try {
    const beganMs = performance.now()
    let events = 0
    const filter = type === undefined ? {} : { filter: { types: new Set([type]) } }
    for await (const batch of store.readAll({ after: 0, ...filter })) events += batch.events.length
    return { events, seconds: (performance.now() - beganMs) / 1_000 }
  } finally {
    await store.close()
  }
}

/** Without a type by a read, with one by a subscription until it has caught up: the client's reads know no filter. */
async function scanBarely(client: EventStoreDBClient, type: string | undefined) {
  const beganMs = performance.now()
  let events = 0
  if (type === undefined) {
    for await (const { event } of client.readAll())
      if (event !== undefined && !/^(?:\$|daybook-)/.test(event.type)) events++
  } else {
    const filter = eventTypeFilter({ regex: `^(?:${type})$`, maxSearchWindow: 1_000, checkpointInterval: 10 })
    const subscription = client.subscribeToAll({ filter })
    await new Promise<void>((resolve, reject) => {
      subscription.on('data', () => events++)
      subscription.on('caughtUp', resolve)
      subscription.on('error', reject)
    })
    await subscription.unsubscribe()
  }
  return { events, seconds: (performance.now() - beganMs) / 1_000 }
}

answerParent(async (question) => {
  const asked = EventStoreQuestion.parse(question)
  const client = EventStoreDBClient.connectionString(asked.url)
  try {
    switch (asked.kind) {
      case 'handle':
        return await handle(asked.url, asked.count, asked.concurrency, asked.streams)
      case 'append-barely':
        return await appendBarely(client, asked.count, asked.concurrency, asked.like)
      case 'scan':
        return await scan(asked.url, asked.type)
      case 'scan-barely':
        return await scanBarely(client, asked.type)
    }
  } finally {
    await client.dispose()
  }
})
