import { inspect } from 'node:util'
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client'
import { expect, onTestFinished, test } from 'vitest'
import { CorruptLogError, NewerVersionError } from '../../../src/engine/errors.ts'
import { type EventStore, noStream } from '../../../src/engine/event-store.ts'
import { collected, follow, logOf, streamOf } from '../../contract/log-readers.ts'
import { newEvent, newEvents } from '../../contract/new-event.ts'
import { openStore, startServer } from './opened-store.ts'

/** What the adapter keeps in EventStoreDB beside the shop's events, and what it makes of what others have written there. */

function clientOf(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url)
  onTestFinished(() => client.dispose())
  return client
}

async function eventsOf(client: EventStoreDBClient, stream: string) {
  const events = []
  for await (const { event } of client.readStream(stream)) if (event) events.push(event)
  return events
}

/** Saves a checkpoint, and waits until it is stored. */
async function saveSurely(
  store: EventStore,
  client: EventStoreDBClient,
  position: number,
  fence: number,
): Promise<void> {
  await store.saveCheckpoint('fulfil-order', { logId: store.logId, position, eventId: `event ${position}` }, fence)
  await expect
    .poll(async () => (await eventsOf(client, 'daybook:checkpoint:fulfil%2Dorder')).at(-1)?.data)
    .toMatchObject({ checkpoint: { position }, fence })
}

test('all who open a new log at once agree on its id', async () => {
  const server = await startServer()
  const stores = await Promise.all(Array.from({ length: 8 }, () => openStore(server.url)))
  expect(new Set(stores.map(({ logId }) => logId)).size).toBe(1)
  expect((await openStore(server.url)).logId).toBe(stores[0]?.logId)
})

test('a log of a newer layout is not touched', async () => {
  const server = await startServer()
  const client = clientOf(server.url)
  await client.appendToStream('daybook:log', jsonEvent({ type: 'daybook-log', data: { layout: 2 } }))
  await expect(openStore(server.url)).rejects.toThrow(NewerVersionError)
})

test("the server's and the adapter's own events are seen by nobody, and no batch ends at one", async () => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url), clientOf(server.url)]
  expect(await store.head()).toMatchObject({ position: 0 })
  const follower = follow(store)
  let appended = 0
  for (let revision = noStream; revision < 9; revision += 2) {
    const { positions } = await store.append('cart-1', revision, newEvents(2))
    appended = positions.at(-1) ?? 0
    await saveSurely(store, client, appended, 0)
    await client.setStreamMetadata(`order-${revision}`, { maxAge: 1 })
    await client.appendToStream('order-1', jsonEvent({ type: '$custom', data: {} }))
    await client.appendToStream('order-1', jsonEvent({ type: 'daybook-other', data: {} }))
  }
  expect(await store.head()).toMatchObject({ position: appended })
  const log = await logOf(store)
  expect(log.map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  await follower.reached(appended)
  expect(follower.events).toEqual(log)
  const visible = new Map(log.map(({ position, id }) => [position, id]))
  const filtered = await collected(store.readAll({ after: 0, filter: { exceptTypes: new Set(['Other']) } }))
  for (const { position, eventId } of [...follower.batches, ...filtered]) expect(visible.get(position)).toBe(eventId)
  for await (const { event } of client.readAll()) {
    const position = Number(event?.position.commit)
    expect((await store.eventAt(position))?.id).toBe(visible.get(position))
  }
  await follower.stop()
})

test('a scan that finds little says how far it is, by events that are in the log', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 10_000, readTimeoutMs: 10_000 })
  for (let revision = noStream; revision < 24_999; revision += 2_500) {
    await store.append('cart-1', revision, newEvents(2_500))
  }
  await store.append('order-1', noStream, [newEvent({ type: 'Shipped' })])
  const ids = new Map((await logOf(store)).map(({ position, id }) => [position, id]))
  const batches = await collected(store.readAll({ after: 0, filter: { types: new Set(['Shipped']) } }))
  expect(batches.length).toBeGreaterThan(2)
  expect(batches.flatMap(({ events }) => events)).toHaveLength(1)
  for (const { position, eventId } of batches) expect(ids.get(position)).toBe(eventId)
})

test('a checkpoint of who was fenced off is not written, and does not drive out the one that counts', async () => {
  const server = await startServer()
  const client = clientOf(server.url)
  const [old, heir] = [await openStore(server.url), await openStore(server.url)]
  await saveSurely(old, client, 1, 1)
  await saveSurely(heir, client, 5, 2)
  for (const position of [2, 3, 4]) {
    await old.saveCheckpoint('fulfil-order', { logId: old.logId, position, eventId: '' }, 1)
    expect(await old.loadCheckpoint('fulfil-order')).toMatchObject({ position: 5 })
  }
  await old.close()
  expect(await heir.loadCheckpoint('fulfil-order')).toMatchObject({ position: 5 })
  const kept = await eventsOf(client, 'daybook:checkpoint:fulfil%2Dorder')
  expect(kept.map(({ data }) => data)).toMatchObject([{ fence: 1 }, { fence: 2 }])
})

test('only the last few checkpoints of a name are kept', async () => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url), clientOf(server.url)]
  for (let position = 1; position <= 12; position++) await saveSurely(store, client, position, 0)
  expect(await eventsOf(client, 'daybook:checkpoint:fulfil%2Dorder')).toHaveLength(5)
  expect(await (await openStore(server.url)).loadCheckpoint('fulfil-order')).toMatchObject({ position: 12 })
})

test('many checkpoints in a row are few appends', async () => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url, { checkpointEveryMs: 60_000 }), clientOf(server.url)]
  await saveSurely(store, client, 1, 0)
  for (let position = 2; position <= 1_000; position++) {
    await store.saveCheckpoint('fulfil-order', { logId: store.logId, position, eventId: '' })
  }
  expect(await store.loadCheckpoint('fulfil-order')).toMatchObject({ position: 1_000 })
  await store.close()
  const kept = await eventsOf(client, 'daybook:checkpoint:fulfil%2Dorder')
  expect(kept.map(({ data }) => data)).toMatchObject([
    { checkpoint: { position: 1 } },
    { checkpoint: { position: 1_000 } },
  ])
})

test('data and metadata are JSON in EventStoreDB, for its own tools', async () => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url), clientOf(server.url)]
  const event = newEvent({ data: { text: 'é\ud800', lines: [1] } })
  await store.append('cart-1', noStream, [event])
  const [stored] = await eventsOf(client, 'cart-1')
  expect(stored).toMatchObject({ id: event.id, type: event.type, isJson: true, data: event.data })
  expect(stored?.metadata).toEqual({ ...event.metadata, checksum: expect.any(Number) })
})

test.each([
  ['without a checksum', (metadata: object) => ({ ...metadata, checksum: undefined })],
  ['that was copied to another place', (metadata: object) => metadata],
])('an event %s is damage, wherever it is read', async (_, changed) => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url), clientOf(server.url)]
  const { positions } = await store.append('cart-1', noStream, newEvents(1))
  const [stored] = await eventsOf(client, 'cart-1')
  if (!stored?.isJson || !(stored.metadata instanceof Object)) throw new Error('The event is no JSON')
  const { type, data, metadata } = stored
  const copy = jsonEvent({ type, data, metadata: changed(metadata) })
  const { position } = await client.appendToStream('cart-2', copy, { expectedRevision: NO_STREAM })
  await expect(streamOf(store, 'cart-2')).rejects.toThrow(CorruptLogError)
  await expect(logOf(store)).rejects.toThrow(CorruptLogError)
  await expect(store.eventAt(Number(position?.commit))).rejects.toThrow('Event 0 of stream cart-2')
  expect(await follow(store).ended).toBeInstanceOf(CorruptLogError)
  expect(await store.eventAt(positions[0] ?? 0)).toBeDefined()
})

test('a stream that was deleted in EventStoreDB is damage, not an empty stream', async () => {
  const server = await startServer()
  const [store, client] = [await openStore(server.url), clientOf(server.url)]
  await store.append('cart-1', noStream, newEvents(2))
  await client.deleteStream('cart-1')
  await expect(store.append('cart-1', noStream, newEvents(1))).rejects.toThrow('cart-1 were deleted')
  await expect(streamOf(store, 'cart-1')).rejects.toThrow('cart-1 were deleted')
  await store.append('cart-2', noStream, newEvents(1))
  await client.tombstoneStream('cart-2')
  await expect(store.append('cart-2', 0, newEvents(1))).rejects.toThrow('cart-2 were deleted')
})

test('what EventStoreDB could not keep as it is is refused', async () => {
  const server = await startServer()
  const store = await openStore(server.url)
  const refused = [
    store.append('cart-1', noStream, [newEvent({ id: 'no uuid' })]),
    store.append('cart-1', noStream, [newEvent({ id: newEvent().id.toUpperCase() })]),
    store.append('cart-1', noStream, [newEvent({ type: '$ItemAdded' })]),
    store.append('cart-1', noStream, [newEvent({ type: 'daybook-log' })]),
    store.append('$cart-1', noStream, newEvents(1)),
  ]
  for (const append of refused) await expect(append).rejects.toThrow(RangeError)
  expect(await logOf(store)).toEqual([])
})

test('names that mean something in an expression are filtered as they are', async () => {
  const server = await startServer()
  const store = await openStore(server.url)
  const types = ['A.B', 'AxB', '(A|B)', 'A', 'A+$', '[A]^', 'A\\B', 'a', 'AB']
  await store.append(
    'cart-1',
    noStream,
    types.map((type) => newEvent({ type })),
  )
  for (const type of types) {
    const only = await logOf(store, 0, { types: new Set([type]) })
    expect(only.map((event) => event.type)).toEqual([type])
    const others = await logOf(store, 0, { exceptTypes: new Set([type]) })
    expect(others.map((event) => event.type)).toEqual(types.filter((other) => other !== type))
  }
})

test('an append that is refused for its size says what to set', async () => {
  const server = await startServer({ maxAppendBytes: 1_000 })
  const store = await openStore(server.url)
  await expect(store.append('cart-1', noStream, newEvents(10))).rejects.toThrow('MaxAppendSize')
})

test.each(['esdb://ada:secret@host:x', 'http://ada:secret@host', 'esdb://ada:secret@host?tlsCAFile=/no/such/secret'])(
  'a connection string that is wrong is refused, and not repeated: %s',
  async (url) => {
    const error = await openStore(url).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error)).not.toContain('secret')
  },
)
