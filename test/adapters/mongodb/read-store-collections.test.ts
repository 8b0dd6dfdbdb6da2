import { type Db, MongoServerError } from 'mongodb'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectMongo, type MongoConnection } from '../../../src/adapters/mongodb/connection.ts'
import { documentsIn } from '../../../src/adapters/mongodb/documents.ts'
import { queryReads } from '../../../src/adapters/mongodb/query-reads.ts'
import { openMongoReadStore } from '../../../src/adapters/mongodb/read-store.ts'
import type { Find } from '../../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../../read-store-orders.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

/** What of the read store shows only in MongoDB: its collections, its commands, and its failures. */

/** Why queries can't be explained here; empty where they can. */
const whyNotExplained = await reasonNotTo('explain', async ({ command }) => {
  return (await command({ explain: { find: 'orders' }, verbosity: 'executionStats' })) !== undefined
})
/** Why nothing is replicated here; empty where it is. */
const whyNotReplicated = await reasonNotTo('replica set', async ({ command }) => {
  return (await command({ hello: 1 })).setName !== undefined
})

async function reasonNotTo(
  what: string,
  has: (server: { command: Db['command'] }) => Promise<boolean>,
): Promise<string> {
  if (whyNotRun !== '') return whyNotRun
  const { connect, dispose } = emptyDatabase()
  const reason = ` (not run: this server has no ${what})`
  try {
    const { database } = connect()
    return (await has({ command: (command) => database.command(command) })) ? '' : reason
  } catch (error) {
    if (error instanceof MongoServerError) return reason
    throw error
  } finally {
    await dispose()
  }
}

async function emptyStore() {
  const { connect, dispose } = emptyDatabase()
  onTestFinished(dispose)
  const connection = connect()
  const errors: unknown[] = []
  const open = () => openMongoReadStore({ connection, onError: (error) => errors.push(error) })
  return { connection, database: connection.database, errors, store: await open(), open, connect }
}

async function collectionsOf({ database }: MongoConnection): Promise<readonly string[]> {
  const found = await database.listCollections({}, { nameOnly: true }).toArray()
  return found.map(({ name }) => name).sort((left, right) => (left < right ? -1 : 1))
}

type Command = Readonly<Record<string, unknown>>

/** Keeps every command that a connection sends. It must not have been used yet. */
function commandsOf({ database: { client } }: MongoConnection): Command[] {
  const commands: Command[] = []
  Reflect.set(client, 'monitorCommands', true) // the driver has no type for it
  client.on('commandStarted', ({ command }) => commands.push(command))
  return commands
}

describe.skipIf(whyNotRun !== '')(`the collections of the read store${whyNotRun}`, () => {
  test('are one for each of a generation, and go with it', async () => {
    const { store, connection } = await emptyStore()
    const { id } = await store.createGeneration(ordersSpec)
    const next = await store.createGeneration(ordersSpec)
    await store.makeLive(next.id)
    const own = (of: string) => [`${of}.documents.order-lines`, `${of}.documents.orders`, `${of}.shards`]
    for (const generation of [await store.openGeneration(id, ordersSpec), next])
      await generation?.write([put('a', 1, {}), put('a', 1, {}, 'order-lines')], at(1))
    expect(await collectionsOf(connection)).toEqual(['generations', ...[...own(id), ...own(next.id)].sort()])
    await store.dropGeneration(id)
    expect(await collectionsOf(connection)).toEqual(['generations', ...own(next.id)])
  })

  test('that no generation has are dropped when the store is opened, and nothing else', async () => {
    const { store, connection, open, errors } = await emptyStore()
    const { id } = await store.createGeneration(ordersSpec)
    const before = await collectionsOf(connection)
    const orphan = 'orders-3-0123456789abcdef01234567'
    for (const name of [`${orphan}.shards`, `${orphan}.documents.orders`, 'leases', 'orders-3.notes'])
      await connection.database.collection(name).insertOne({})
    await open()
    expect(await collectionsOf(connection)).toEqual([...before, 'leases', 'orders-3.notes'].sort())
    expect((await store.generations()).map((each) => each.id)).toEqual([id])
    expect(errors).toEqual([])
  })

  test('of a generation that is being made are neither seen nor dropped, unless its maker must have died', async () => {
    const { store, connection, open } = await emptyStore()
    const { id } = await store.createGeneration(ordersSpec)
    const pointers = connection.database.collection<{ _id: string }>('generations')
    const entry = `generations.${id}`
    await pointers.updateOne({ _id: 'orders' }, { $set: { [`${entry}.isReady`]: false } })
    const made = await collectionsOf(connection)
    await open()
    expect(await store.generations()).toEqual([])
    expect(await store.openGeneration(id, ordersSpec)).toBeUndefined()
    await expect(store.makeLive(id)).rejects.toThrow(RangeError)
    expect(await collectionsOf(connection)).toEqual(made)
    await pointers.updateOne({ _id: 'orders' }, { $set: { [`${entry}.madeAt`]: Date.now() - 7_200_000 } })
    await open()
    expect(await collectionsOf(connection)).toEqual(['generations'])
  })
})

describe.skipIf(whyNotRun !== '')(`a sharded deployment${whyNotRun}`, () => {
  test('is told to divide each collection by its ids; where it refuses, the store works all the same', async () => {
    const { connect, dispose } = emptyDatabase()
    onTestFinished(dispose)
    const connection = { ...connect(), isSharded: () => true }
    const commands = commandsOf(connection)
    const errors: unknown[] = []
    const store = await openMongoReadStore({ connection, onError: (error) => errors.push(error) })
    const generation = await store.createGeneration(ordersSpec)
    const own = ['shards', 'documents.orders', 'documents.order-lines'].map((name) => `${generation.id}.${name}`)
    const told = commands.filter(({ shardCollection }) => shardCollection !== undefined)
    const { databaseName } = connection.database
    expect(told.map(({ shardCollection, key }) => ({ shardCollection, key }))).toEqual(
      ['generations', 'snapshots', ...own].map((name) => {
        return { shardCollection: `${databaseName}.${name}`, key: { _id: 'hashed' } }
      }),
    )
    for (const error of errors) expect(error).toBeInstanceOf(MongoServerError)
    expect(await generation.write([put('a', 1, {})], at(1))).toEqual([])
    expect(await generation.count('orders')).toBe(1)
  })
})

describe.skipIf(whyNotRun !== '')(`a generation in MongoDB${whyNotRun}`, () => {
  test('that was dropped gives nothing rather than that there is nothing', async () => {
    const { store, connection, open } = await emptyStore()
    const writing = await store.createGeneration(ordersSpec)
    await writing.write([put('a', 1, { status: 'open' })], at(1))
    const reading = await store.openGeneration(writing.id, ordersSpec)
    const find = { collection: 'orders', index: 'byStatus', limit: 9 }
    expect(await reading?.find({ ...find, equals: ['paid'] })).toEqual([])
    await store.dropGeneration(writing.id)
    const gone = { name: 'UnavailableError', code: 'generation-dropped' }
    await expect(reading?.find(find)).rejects.toMatchObject(gone)
    await expect(reading?.keys(find)).rejects.toMatchObject(gone)
    await expect(reading?.read([{ collection: 'orders', id: 'a' }])).rejects.toMatchObject(gone)
    await expect(reading?.count('orders')).rejects.toMatchObject(gone)
    await expect(reading?.checkpoint()).rejects.toMatchObject(gone)
    await expect(writing.write([put('b', 2, {})], at(2))).rejects.toMatchObject(gone)
    await open()
    expect(await collectionsOf(connection)).toEqual(['generations'])
  })

  test('keeps names that MongoDB gives a meaning to, and numbers of any size', async () => {
    const { store } = await emptyStore()
    const body = {
      attributes: { 'size.eu': 42, $set: { $gt: 1 }, '': null, __proto__x: [1] },
      numbers: [2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 0.1],
      _id: 'not the id',
      position: 'not the position',
    }
    const generation = await store.createGeneration(ordersSpec)
    await generation.write([put('a', 1, body)], at(1))
    await generation.write([put('b', 2 ** 52, body)], at(2 ** 52))
    const [a, b] = await generation.read(['a', 'b'].map((id) => ({ collection: 'orders', id })))
    expect(a).toStrictEqual({ id: 'a', position: 1, body })
    expect(b?.position).toBe(2 ** 52)
  })

  test('takes many large documents, in commands that the server can take', async () => {
    const { store } = await emptyStore()
    const generation = await store.createGeneration(ordersSpec)
    const ids = Array.from({ length: 60 }, (_, number) => `order-${number}`)
    const note = 'ü'.repeat(250_000)
    expect(
      await generation.write(
        ids.map((id) => put(id, 1, { note })),
        at(1),
      ),
    ).toEqual([])
    expect(await generation.count('orders')).toBe(60)
    const read = await generation.read(ids.map((id) => ({ collection: 'orders', id })))
    expect(read.every((document) => document?.body?.note === note)).toBe(true)
  })

  test('refuses a document that MongoDB could not take as one that an event made, and stays as it is', async () => {
    const { store } = await emptyStore()
    const generation = await store.createGeneration(ordersSpec)
    const writes = [put('a', 1, {}), put('b', 1, { note: 'x'.repeat(16_000_000) })]
    await expect(generation.write(writes, at(1))).rejects.toThrow(TypeError)
    expect(await generation.count('orders')).toBe(0)
  })

  test('lets nobody overwrite what was written under a higher token, though its position is the expected one', async () => {
    const { connection } = await emptyStore()
    const spec = { name: 'orders', indexes: { byStatus: ['status'] } }
    const documents = documentsIn(
      connection.database,
      'orders',
      spec,
      queryReads(connection.database, {}, () => false),
    )
    const write = (token: number, position: number, expected?: number) => {
      const entry = documents.entry(put('a', position, { token }, 'orders', expected), token, token)
      return documents.write([entry], true)
    }
    expect([...(await write(1, 1))]).toEqual([])
    expect([...(await write(2, 2, 1))]).toEqual([])
    expect([...(await write(1, 3, 2))]).toEqual(['a'])
    expect([...(await write(2, 3, 2))]).toEqual([])
    expect((await documents.read(['a'], true)).get('a')).toMatchObject({ position: 3, body: { token: 2 } })
  })

  test('is read by queries as their settings say, and for writing from the primary, as it survives its loss', async () => {
    const { store, connect } = await emptyStore()
    const { id } = await store.createGeneration(ordersSpec)
    // One that is still built is opened for writing.
    await store.makeLive(id)
    const connection = connect()
    const commands = commandsOf(connection)
    const queries = { readPreference: 'secondaryPreferred', readConcern: 'local' } as const
    const other = await openMongoReadStore({ connection, queries })
    const key = { collection: 'orders', id: 'a' }

    async function readsOf(run: () => Promise<unknown>): Promise<unknown> {
      const before = commands.length
      await run()
      const read = commands.slice(before).filter(({ find, filter }) => find === `${id}.documents.orders` && filter)
      return read.map(({ readConcern }) => readConcern)
    }
    const queried = await other.openGeneration(id, ordersSpec)
    expect(await readsOf(async () => queried?.read([key]))).toEqual([{ level: 'local' }])
    expect(await readsOf(async () => queried?.find({ ...key, index: 'byStatus', limit: 1 }))).toEqual([
      { level: 'local' },
    ])
    await queried?.write([], at(1))
    expect(await readsOf(async () => queried?.read([key]))).toEqual([{ level: 'majority' }])
    const written = await other.openGeneration(id, ordersSpec, new Map([[0, 1]]))
    expect(await readsOf(async () => written?.read([key]))).toEqual([{ level: 'majority' }])

    await written?.write([put('a', 2, {})], at(2))
    const writes = commands.filter(({ insert, update }) => insert ?? update)
    expect(writes.length).toBeGreaterThan(2)
    for (const { writeConcern } of writes) expect(writeConcern).toMatchObject({ w: 'majority', j: true })
  })

  test.skipIf(whyNotReplicated !== '')(
    `shows queries no less than the checkpoint that it gave, whichever server answers them${whyNotReplicated}`,
    async () => {
      const { store, connect } = await emptyStore()
      const writing = await store.createGeneration(ordersSpec)
      const connection = connect()
      const commands = commandsOf(connection)
      const other = await openMongoReadStore({ connection, queries: { readPreference: 'secondaryPreferred' } })
      const reading = await other.openGeneration(writing.id, ordersSpec)
      for (let position = 1; position <= 50; position++) {
        await writing.write([put(`order-${position}`, position, { status: 'open' })], at(position))
        const reached = (await reading?.checkpoint())?.position ?? 0
        const found = await reading?.find({ collection: 'orders', index: 'byStatus', limit: 100 })
        expect(found?.length).toBeGreaterThanOrEqual(reached)
      }
      const finds = commands.filter(({ find, filter }) => find === `${writing.id}.documents.orders` && filter)
      expect(finds).toHaveLength(50)
      for (const { readConcern } of finds) expect(readConcern).toMatchObject({ afterClusterTime: expect.anything() })
    },
  )

  test.skipIf(whyNotExplained !== '')(`reads a page, and keys, from an index alone${whyNotExplained}`, async () => {
    const { store, connect } = await emptyStore()
    const made = await store.createGeneration(ordersSpec)
    const ids = Array.from({ length: 2_000 }, (_, number) => `order-${number}`)
    await made.write(
      ids.map((id, total) => put(id, 1, { status: total % 2 === 0 ? 'open' : null, total })),
      at(1),
    )
    const connection = connect()
    const commands = commandsOf(connection)
    const generation = await (await openMongoReadStore({ connection })).openGeneration(made.id, ordersSpec)
    const page: Find = { collection: 'orders', index: 'byTotal', equals: ['open'], limit: 20 }
    const last = (await made.find(page)).at(-1)?.key ?? []
    const finds: Find[] = [
      page,
      { ...page, after: last },
      { ...page, direction: 'descending', after: last },
      { ...page, from: 100, to: 300 },
      { ...page, equals: [null], after: [null, 501, 'order-501'] },
    ]
    for (const find of finds) {
      for (const examined of [20, 0]) {
        const before = commands.length
        await (examined === 0 ? generation?.keys(find) : generation?.find(find))
        const sent = commands.slice(before).find(({ find: of }) => of === `${made.id}.documents.orders`)
        const { find: of, filter, sort, projection, limit } = sent ?? {}
        const explained = await connection.database.command({
          explain: { find: of, filter, sort, projection, limit },
          verbosity: 'executionStats',
        })
        expect(JSON.stringify(explained)).not.toContain('COLLSCAN')
        expect(JSON.stringify(explained)).not.toContain('"SORT"')
        const { totalDocsExamined = 0, totalKeysExamined = 0 } = explained.executionStats ?? {}
        expect(totalDocsExamined).toBeLessThanOrEqual(examined)
        expect(totalKeysExamined).toBeLessThanOrEqual(21)
      }
    }
  })
})

describe.skipIf(whyNotRun !== '')(`a snapshot in MongoDB${whyNotRun}`, () => {
  const snapshot = { stream: 'order-1', logId: 'log-1', stateVersion: 1, revision: 5, position: 9 }

  test('that is too large is not kept, and the one before it stays', async () => {
    const { store, errors } = await emptyStore()
    await store.saveSnapshot({ ...snapshot, state: 'small' })
    await store.saveSnapshot({ ...snapshot, revision: 6, state: 'x'.repeat(16_000_000) })
    expect(await store.loadSnapshot('order-1')).toEqual({ ...snapshot, state: 'small' })
    expect(errors).toEqual([expect.any(RangeError)])
  })

  test('that is damaged is none', async () => {
    const { store, database, errors } = await emptyStore()
    await store.saveSnapshot({ ...snapshot, state: {} })
    await database.collection<{ _id: string }>('snapshots').updateOne({ _id: 'order-1' }, { $set: { state: '{' } })
    expect(await store.loadSnapshot('order-1')).toBeUndefined()
    expect(errors).toEqual([expect.any(SyntaxError)])
  })
})

test('a MongoDB that can not be reached is unavailable, and its store opens all the same', async () => {
  const connection = connectMongo('mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=50')
  onTestFinished(() => connection.close())
  expect(connection.database.databaseName).toBe('shop')
  const errors: unknown[] = []
  const store = await openMongoReadStore({ connection, onError: (error) => errors.push(error) })
  expect(errors).toHaveLength(1)
  const unavailable = { name: 'UnavailableError', code: 'mongodb-unavailable' }
  await expect(store.generations()).rejects.toMatchObject(unavailable)
  await expect(store.createGeneration(ordersSpec)).rejects.toMatchObject(unavailable)
  await expect(store.loadSnapshot('order-1')).rejects.toMatchObject(unavailable)
})
