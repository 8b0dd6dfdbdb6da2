import { randomUUID } from 'node:crypto'
import type { Collection } from 'mongodb'
import { z } from 'zod'
import { connectMongo } from '../src/adapters/mongodb/connection.ts'
import { openMongoReadStore } from '../src/adapters/mongodb/read-store.ts'
import type { Checkpoint } from '../src/engine/event-store.ts'
import { defineEvents, type Recorded } from '../src/engine/events.ts'
import { collection, projection, specOf } from '../src/engine/projection.ts'
import { project } from '../src/engine/projector.ts'
import type { DocumentWrite, Generation } from '../src/engine/read-store.ts'
import { benchmark } from './benchmark.ts'
import { startMongodb } from './mongodb-server.ts'

/** Read models in MongoDB beside the bare driver, in the same process on the same server. */

const orderCount = 10_000
const customers = 50
const batchSize = 1_000
/** Few, for the stand-in looks at all of them for a page, and it is not the stand-in that is measured. */
const askedCount = 1_000
const queryConcurrency = 8
const queryMs = 3_000
const pageSize = 20

const Order = z.object({
  customer: z.string(),
  status: z.string(),
  placedAt: z.string(),
  total: z.int(),
  lines: z.array(z.object({ sku: z.string(), title: z.string(), quantity: z.int(), amount: z.int() })),
})
type Order = z.output<typeof Order>

const orders = collection('orders', Order, {
  byCustomer: ['customer', 'placedAt'],
  byStatus: ['status', 'placedAt'],
  byPlacedAt: ['placedAt'],
})

const orderEvents = defineEvents('order', {
  Placed: z.object({ id: z.string(), order: Order }),
  Paid: z.object({ id: z.string() }),
})

const history = projection({
  name: 'order-history',
  version: 1,
  collections: [orders],
  from: [orderEvents],
  on: {
    Placed: ({ data }) => orders.change(data.id, () => data.order),
    Paid: ({ data }) => orders.update(data.id, (order) => ({ ...order, status: 'paid' })),
  },
})

function idOf(place: number): string {
  return `order-${String(place).padStart(12, '0')}`
}

function orderOf(place: number): Order {
  const lines = Array.from({ length: 3 }, (_, line) => ({
    sku: `product-${(place * 7 + line) % 1_000}-L`,
    title: `A tall round teapot of ${line} handles, number ${place}`,
    quantity: line + 1,
    amount: 1_999 * (line + 1),
  }))
  const placedAt = new Date(Date.UTC(2026, 0) + place * 1_000).toISOString()
  return { customer: `customer-${place % customers}`, status: 'open', placedAt, total: 11_994, lines }
}

function eventOf(place: number, type: 'Placed' | 'Paid', position: number): Recorded {
  const id = idOf(place)
  const actor = { kind: 'system', id: 'bench' } as const
  const now = '2026-01-01T00:00:00Z'
  const metadata = { commandId: id, correlationId: id, actor, version: 1, recordedAt: now, occurredAt: now }
  const data = type === 'Placed' ? { id, order: orderOf(place) } : { id }
  return { id: `${type}-${id}`, type, stream: id, revision: 0, position, data, metadata }
}

const places = Array.from({ length: orderCount }, (_, place) => place)
const events = (['Placed', 'Paid'] as const).flatMap((type, pass) =>
  places.map((place) => eventOf(place, type, pass * orderCount + place + 1)),
)
const documentBatches = (['open', 'paid'] as const).flatMap((status) =>
  batchesOf(places.map((place) => ({ _id: idOf(place), ...orderOf(place), status }))),
)

function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / batchSize)
  return Array.from({ length: count }, (_, batch) => items.slice(batch * batchSize, (batch + 1) * batchSize))
}

/** What the projector makes of the events, without reading and folding. */
const writeBatches = documentBatches.map((batch, place) =>
  batch.map(({ _id: id, ...body }, number): DocumentWrite => {
    const position = place * batchSize + number + 1
    const expectedPosition = position > orderCount ? position - orderCount : undefined
    return { collection: 'orders', id, expectedPosition, position, body }
  }),
)

function checkpointAt(position: number): Checkpoint {
  return { logId: 'bench', position, eventId: `event-${position}` }
}

type BareOrder = Order & { readonly _id: string }

async function fold(generation: Generation): Promise<void> {
  for (const batch of batchesOf(events)) {
    await project(history, generation, batch, checkpointAt(batch.at(-1)?.position ?? 0))
  }
}

async function write(generation: Generation): Promise<void> {
  for (const batch of writeBatches) {
    const missed = await generation.write(batch, checkpointAt(batch.at(-1)?.position ?? 0))
    if (missed.length > 0) throw new Error(`${missed.length} documents were not written`)
  }
}

/** @param readsFirst whether what is written is read before, as whoever folds has to */
async function writeBare(bare: Collection<BareOrder>, readsFirst: boolean): Promise<void> {
  for (const batch of documentBatches) {
    if (readsFirst) await bare.find({ _id: { $in: batch.map(({ _id }) => _id) } }).toArray()
    await bare.bulkWrite(
      batch.map((document) => {
        const { _id, ...replacement } = document
        if (document.status === 'open') return { insertOne: { document } }
        return { replaceOne: { filter: { _id }, replacement } }
      }),
      { ordered: false },
    )
  }
}

/** Asks for some time, several at once. @returns queries a second */
async function asked(query: (number: number) => Promise<readonly unknown[]>, wanted: number): Promise<number> {
  let count = 0
  const beganMs = performance.now()
  async function ask(): Promise<void> {
    while (performance.now() - beganMs < queryMs) {
      const found = await query(count++)
      if (found.length !== wanted) throw new Error(`A query found ${found.length} documents, not ${wanted}`)
    }
  }
  await Promise.all(Array.from({ length: queryConcurrency }, ask))
  return (count * 1_000) / (performance.now() - beganMs)
}

export const mongodb = benchmark({
  name: 'mongodb',
  title: `The read model of ${orderCount.toLocaleString('en-GB')} orders in MongoDB with three indexes: two states of each written, and folded by the projector from two events each, ${batchSize.toLocaleString('en-GB')} at once; and one of ${askedCount.toLocaleString('en-GB')} asked by ${queryConcurrency} at once for the newest ${pageSize} orders of a customer, or for one order`,
  figures: [
    {
      name: 'writes',
      unit: 'documents/s',
      limit: 'bulkWrite of the same documents with the bare driver, as durable, as many at once, with the same indexes',
      goal: { of: 'ratio', is: 'at least', value: 0.7 },
    },
    {
      name: 'projector',
      unit: 'documents/s',
      limit: 'the same, and each document read before by its id, as many at once',
      goal: { of: 'ratio', is: 'at least', value: 0.7 },
    },
    {
      name: 'page',
      unit: 'queries/s',
      limit: 'find, sort and limit of the bare driver by a compound index',
      goal: { of: 'ratio', is: 'at least', value: 0.7 },
    },
    {
      name: 'document',
      unit: 'queries/s',
      limit: 'findOne of the bare driver by _id',
      goal: { of: 'ratio', is: 'at least', value: 0.7 },
    },
  ],
  async prepare({ progress, defer }) {
    const server = await startMongodb()
    defer(server.stop)
    const shared = connectMongo(server.url)
    defer(shared.close)
    const database = shared.databaseNamed(`bench-${randomUUID()}`)
    defer(async () => void (await database.dropDatabase()))
    const store = await openMongoReadStore({ connection: { ...shared, database } })

    async function emptyCollection(name: string): Promise<Collection<BareOrder>> {
      const bare = database.collection<BareOrder>(name)
      await bare.createIndexes([
        { key: { customer: 1, placedAt: 1, _id: 1 } },
        { key: { status: 1, placedAt: 1, _id: 1 } },
        { key: { placedAt: 1, _id: 1 } },
      ])
      return bare
    }

    async function intoGeneration(fill: (generation: Generation) => Promise<void>): Promise<number> {
      const generation = await store.createGeneration(specOf(history))
      const beganMs = performance.now()
      await fill(generation)
      const seconds = (performance.now() - beganMs) / 1_000
      if ((await generation.count('orders')) !== orderCount) throw new Error('Orders are missing')
      await store.dropGeneration(generation.id)
      return events.length / seconds
    }

    async function intoBare(readsFirst: boolean): Promise<number> {
      const bare = await emptyCollection(`bare-${randomUUID()}`)
      const beganMs = performance.now()
      await writeBare(bare, readsFirst)
      const seconds = (performance.now() - beganMs) / 1_000
      await bare.drop()
      return events.length / seconds
    }

    progress('fills what is asked')
    const filled = await store.createGeneration(specOf(history))
    await filled.write(writeBatches.flat().slice(0, askedCount), checkpointAt(askedCount))
    const generation = await store.openGeneration(filled.id, specOf(history))
    if (generation === undefined) throw new Error('What was filled is not there')
    const bare = await emptyCollection('bare')
    await bare.insertMany(documentBatches.flat().slice(0, askedCount))
    progress('warms up')
    await intoGeneration(fold)
    await intoBare(true)

    return {
      async round() {
        const page = { collection: 'orders', index: 'byCustomer', direction: 'descending', limit: pageSize } as const
        const key = (number: number) => ({ collection: 'orders', id: idOf(number % askedCount) })
        return {
          writes: await intoGeneration(write),
          projector: await intoGeneration(fold),
          page: await asked(
            (number) => generation.find({ ...page, equals: [`customer-${number % customers}`] }),
            pageSize,
          ),
          document: await asked((number) => generation.read([key(number)]), 1),
        }
      },
      async limit() {
        const newest = (number: number) =>
          bare
            .find({ customer: `customer-${number % customers}` })
            .sort({ placedAt: -1, _id: -1 })
            .limit(pageSize)
            .toArray()
        return {
          writes: await intoBare(false),
          projector: await intoBare(true),
          page: await asked(newest, pageSize),
          document: await asked(async (number) => [await bare.findOne({ _id: idOf(number % askedCount) })], 1),
        }
      },
    }
  },
})
