import { describe, expect, onTestFinished, test } from 'vitest'
import type {
  Document,
  Find,
  FoundDocument,
  Generation,
  ProjectionSpec,
  ReadStore,
  Snapshot,
} from '../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../read-store-orders.ts'

/** What every read store must do. What is found by an index is in `read-store-find.ts`. */

export interface ReadStoreHarness {
  readonly store: ReadStore
  /** Another store over the same storage, as another thread or the next process opens it; absent where nothing outlives the store. */
  readonly open?: () => Promise<ReadStore>
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}

/**
 * Defines the tests of the port.
 * @param harness makes an empty store
 */
export function readStoreContract(harness: () => Promise<ReadStoreHarness>): void {
  async function emptyStore(): Promise<ReadStoreHarness> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made
  }

  async function emptyGeneration(spec = ordersSpec): Promise<Generation> {
    const { store } = await emptyStore()
    return store.createGeneration(spec)
  }

  describe('documents', () => {
    test('are read in the order of the keys, from several collections at once', async () => {
      const generation = await emptyGeneration()
      await generation.write(
        [put('a', 1, { status: 'paid' }), put('b', 2, { status: 'open' }), put('a', 2, { sku: 'x' }, 'order-lines')],
        at(2),
      )
      const [line, none, b, a, again] = await generation.read([
        { collection: 'order-lines', id: 'a' },
        { collection: 'order-lines', id: 'b' },
        { collection: 'orders', id: 'b' },
        { collection: 'orders', id: 'a' },
        { collection: 'orders', id: 'b' },
      ])
      expect(line).toEqual({ id: 'a', position: 2, body: { sku: 'x' } })
      expect(none).toBeUndefined()
      expect(a).toEqual({ id: 'a', position: 1, body: { status: 'paid' } })
      expect(b).toEqual({ id: 'b', position: 2, body: { status: 'open' } })
      expect(again).toEqual(b)
      expect(await generation.read([])).toEqual([])
    })

    test('come back by the thousand', async () => {
      const generation = await emptyGeneration()
      const ids = Array.from({ length: 2_000 }, (_, index) => `order-${index}`)
      expect(
        await generation.write(
          ids.map((id, index) => put(id, index + 1, { index })),
          at(2_000),
        ),
      ).toEqual([])
      const documents = await generation.read(ids.map((id) => ({ collection: 'orders', id })))
      expect(documents.map((document) => document?.body)).toEqual(ids.map((_, index) => ({ index })))
    })

    test('hold all that JSON holds, and leave out what it leaves out', async () => {
      const generation = await emptyGeneration()
      const body = {
        text: 'Grüße, 世界 🛒 "\\\u0000\n',
        numbers: [0, -1.5, 9007199254740991, 1e300],
        nested: { yes: true, no: false, nothing: null, list: [{}, []] },
        '': 'an empty name',
      }
      await generation.write([put('a/ü 🛒', 1, { ...body, absent: undefined })], at(1))
      const [document] = await generation.read([{ collection: 'orders', id: 'a/ü 🛒' }])
      expect(document?.body).toStrictEqual(body)
    })

    test('are not changed by who wrote or read them', async () => {
      const generation = await emptyGeneration()
      const tags = ['one']
      await generation.write([put('a', 1, { tags })], at(1))
      tags.push('two')
      const [read] = await generation.read([{ collection: 'orders', id: 'a' }])
      Object.assign(read?.body ?? {}, { tags: 'three' })
      const [again] = await generation.read([{ collection: 'orders', id: 'a' }])
      expect(again?.body).toEqual({ tags: ['one'] })
    })

    test('of a collection that there is not are refused', async () => {
      const generation = await emptyGeneration()
      await expect(generation.read([{ collection: 'carts', id: 'a' }])).rejects.toThrow(RangeError)
      await expect(generation.write([put('a', 1, {}, 'carts')], at(1))).rejects.toThrow(RangeError)
      await expect(generation.count('carts')).rejects.toThrow(RangeError)
    })

    test.each([
      ['a list', ['paid']],
      ['an object', { name: 'paid' }],
      ['a number that JSON cannot say', Number.NaN],
    ])('whose indexed field holds %s are refused, and the checkpoint stays', async (_, status) => {
      const generation = await emptyGeneration()
      await generation.write([], at(1))
      await expect(generation.write([put('a', 2, { status })], at(2))).rejects.toThrow(TypeError)
      expect(await generation.checkpoint()).toEqual(at(1))
      expect(await bodies(generation)).toEqual([])
    })
  })

  describe('a fenced write', () => {
    test('replaces the document that is at the expected position', async () => {
      const generation = await emptyGeneration()
      await generation.write([put('a', 5, { status: 'open' })], at(5))
      expect(await generation.write([put('a', 9, { status: 'paid' }, 'orders', 5)], at(9))).toEqual([])
      expect(await generation.read([{ collection: 'orders', id: 'a' }])).toEqual([
        { id: 'a', position: 9, body: { status: 'paid' } },
      ])
    })

    test.each([
      ['there is no document', undefined, 4],
      ['there is one unexpectedly', 5, undefined],
      ['the document is behind', 5, 6],
      ['the document is ahead', 5, 4],
    ])('that misses because %s is not done; the others are, and the checkpoint stays', async (_, found, expected) => {
      const generation = await emptyGeneration()
      const before = found === undefined ? [] : [put('a', found, { status: 'open' })]
      await generation.write(before, at(5))
      const missed = await generation.write(
        [put('b', 9, { status: 'paid' }), put('a', 9, { status: 'paid' }, 'orders', expected), put('c', 9, {})],
        at(9),
      )
      expect(missed).toEqual([{ collection: 'orders', id: 'a' }])
      const [a, b, c] = await generation.read(['a', 'b', 'c'].map((id) => ({ collection: 'orders', id })))
      expect(a).toEqual(found === undefined ? undefined : { id: 'a', position: found, body: { status: 'open' } })
      expect([b?.position, c?.position]).toEqual([9, 9])
      expect(await generation.checkpoint()).toEqual(at(5))
    })

    test('done a second time misses', async () => {
      const generation = await emptyGeneration()
      const write = put('a', 9, { status: 'paid' })
      await generation.write([write], at(9))
      expect(await generation.write([write], at(10))).toEqual([{ collection: 'orders', id: 'a' }])
    })
  })

  describe('a checkpoint', () => {
    test('is not there before the first write, and then the last one', async () => {
      const generation = await emptyGeneration()
      expect(await generation.checkpoint()).toBeUndefined()
      await generation.write([], at(0))
      expect(await generation.checkpoint()).toEqual(at(0))
      await generation.write([put('a', 2 ** 40, {})], at(2 ** 52))
      expect(await generation.checkpoint()).toEqual(at(2 ** 52))
    })
  })

  describe('a tombstone', () => {
    test('keeps its position and is read, but neither found nor counted', async () => {
      const generation = await emptyGeneration()
      await generation.write([put('a', 1, { status: 'open' }), put('b', 1, { status: 'open' })], at(1))
      await generation.write([put('a', 2, undefined, 'orders', 1), put('c', 2, undefined)], at(2))
      const [a, , c] = await generation.read(['a', 'b', 'c'].map((id) => ({ collection: 'orders', id })))
      expect(a).toEqual({ id: 'a', position: 2, body: undefined })
      expect(c).toEqual({ id: 'c', position: 2, body: undefined })
      expect((await findAll(generation)).map(({ id }) => id)).toEqual(['b'])
      expect(await generation.count('orders')).toBe(1)
    })

    test('is a document again after a later write', async () => {
      const generation = await emptyGeneration()
      await generation.write([put('a', 1, { status: 'open' })], at(1))
      await generation.write([put('a', 2, undefined, 'orders', 1)], at(2))
      expect(await generation.write([put('a', 3, { status: 'new' })], at(3))).toHaveLength(1)
      expect(await generation.write([put('a', 3, { status: 'paid' }, 'orders', 2)], at(3))).toEqual([])
      expect(await bodies(generation)).toEqual([{ status: 'paid' }])
      expect(await generation.count('orders')).toBe(1)
    })

    test('is swept once it is old enough; documents never are', async () => {
      const generation = await emptyGeneration()
      await generation.write(
        [
          put('old', 1, undefined),
          put('a', 1, {}),
          put('edge', 5, undefined),
          put('line', 2, undefined, 'order-lines'),
        ],
        at(5),
      )
      expect(await generation.sweep(5)).toBe(2)
      expect(await generation.sweep(5)).toBe(0)
      const read = await generation.read(['old', 'a', 'edge'].map((id) => ({ collection: 'orders', id })))
      expect(read.map((document) => document?.id)).toEqual([undefined, 'a', 'edge'])
      expect(await generation.checkpoint()).toEqual(at(5))
      expect(await generation.write([put('old', 7, {})], at(7))).toEqual([])
    })
  })

  describe('generations', () => {
    test('are listed with their states', async () => {
      const { store } = await emptyStore()
      expect(await store.generations()).toEqual([])
      const first = await store.createGeneration(ordersSpec)
      const carts = await store.createGeneration({ name: 'carts', version: 1, collections: [] })
      expect(new Set([first.id, carts.id]).size).toBe(2)
      expect(await store.generations()).toEqual([
        { id: first.id, projection: 'orders', version: 3, state: 'building' },
        { id: carts.id, projection: 'carts', version: 1, state: 'building' },
      ])
      expect(first.spec).toEqual(ordersSpec)
    })

    test('are swapped: one is live, the one before it is retired, other projections are left alone', async () => {
      const { store } = await emptyStore()
      const [one, two] = [await store.createGeneration(ordersSpec), await store.createGeneration(ordersSpec)]
      const carts = await store.createGeneration({ name: 'carts', version: 1, collections: [] })
      const states = async () => (await store.generations()).map(({ state }) => state)
      await store.makeLive(carts.id)
      await store.makeLive(one.id)
      expect(await states()).toEqual(['live', 'building', 'live'])
      await store.makeLive(two.id)
      await store.makeLive(two.id)
      expect(await states()).toEqual(['retired', 'live', 'live'])
      await store.makeLive(one.id)
      expect(await states()).toEqual(['live', 'retired', 'live'])
    })

    test('keep their documents apart', async () => {
      const { store } = await emptyStore()
      const [one, two] = [await store.createGeneration(ordersSpec), await store.createGeneration(ordersSpec)]
      await one.write([put('a', 1, { from: 'one' })], at(1))
      await two.write([put('a', 2, { from: 'two' })], at(2))
      expect(await bodies(one)).toEqual([{ from: 'one' }])
      expect(await bodies(two)).toEqual([{ from: 'two' }])
      expect([await one.checkpoint(), await two.checkpoint()]).toEqual([at(1), at(2)])
    })

    test('that are no longer live are read and fed until they are dropped', async () => {
      const { store } = await emptyStore()
      const old = await store.createGeneration(ordersSpec)
      await old.write(
        Array.from({ length: 5 }, (_, index) => put(`order-${index}`, 1, { status: 'open' })),
        at(1),
      )
      await store.makeLive(old.id)
      const [first, second] = await find(old, { index: 'byStatus', limit: 2 })
      const next = await store.createGeneration(ordersSpec)
      await store.makeLive(next.id)
      await old.write([put('order-9', 2, { status: 'open' })], at(2))
      const rest = await find(old, { index: 'byStatus', limit: 9, ...(second && { after: second.key }) })
      expect([first, second, ...rest].map((document) => document?.id)).toEqual(
        [0, 1, 2, 3, 4, 9].map((index) => `order-${index}`),
      )
      await store.dropGeneration(old.id)
      expect(await store.openGeneration(old.id, ordersSpec)).toBeUndefined()
      expect(await bodies(next)).toEqual([])
    })

    test('are dropped with all that they hold, as often as one likes, but never a live one', async () => {
      const { store } = await emptyStore()
      const [one, two] = [await store.createGeneration(ordersSpec), await store.createGeneration(ordersSpec)]
      await store.makeLive(two.id)
      await expect(store.dropGeneration(two.id)).rejects.toThrow(RangeError)
      await store.dropGeneration(one.id)
      await store.dropGeneration(one.id)
      await store.dropGeneration('orders-3-unknown')
      expect((await store.generations()).map(({ id }) => id)).toEqual([two.id])
      await expect(store.makeLive(one.id)).rejects.toThrow(RangeError)
      expect((await store.generations()).map(({ state }) => state)).toEqual(['live'])
    })

    test.each<[string, ProjectionSpec]>([
      ['another version', { ...ordersSpec, version: 4 }],
      ['another name', { ...ordersSpec, name: 'carts' }],
      ['a collection less', { ...ordersSpec, collections: ordersSpec.collections.slice(1) }],
      ['another index', withIndexes({ byStatus: ['status'] })],
      ['an index over other fields', withIndexes({ byStatus: ['status'], byTotal: ['total', 'status'] })],
    ])('are not opened with %s', async (_, spec) => {
      const { store } = await emptyStore()
      const { id } = await store.createGeneration(ordersSpec)
      expect(await store.openGeneration(id, spec)).toBeUndefined()
      expect(await store.openGeneration(id, ordersSpec)).toBeDefined()
    })

    test('are opened whatever the order of collections and indexes', async () => {
      const { store } = await emptyStore()
      const { id } = await store.createGeneration(ordersSpec)
      const turned = withIndexes({ byTotal: ['status', 'total'], byStatus: ['status'] })
      const spec = { ...turned, collections: turned.collections.toReversed() }
      const generation = await store.openGeneration(id, spec)
      expect(await generation?.write([put('a', 1, { status: 'open' })], at(1))).toEqual([])
    })

    test('stay when they are closed', async () => {
      const { store } = await emptyStore()
      const first = await store.createGeneration(ordersSpec)
      await first.write([put('a', 1, { status: 'open' })], at(1))
      await first.close()
      await first.close()
      const again = await store.openGeneration(first.id, ordersSpec)
      expect(await again?.checkpoint()).toEqual(at(1))
    })
  })

  describe('storage', () => {
    test('shows what one store writes to another', async ({ skip }) => {
      const { store, open } = await emptyStore()
      if (open === undefined) return skip('nothing outlives the store')
      const other = await open()
      const writing = await other.createGeneration(ordersSpec)
      const reading = await store.openGeneration(writing.id, ordersSpec)
      for (let position = 1; position <= 20; position++) {
        await writing.write([put(`order-${position}`, position, { status: 'open' })], at(position))
        expect(await reading?.count('orders')).toBe(position)
        expect(await reading?.checkpoint()).toEqual(at(position))
      }
      await other.makeLive(writing.id)
      expect((await store.generations()).map(({ state }) => state)).toEqual(['live'])
      await other.close()
      expect(await reading?.count('orders')).toBe(20)
    })

    test('keeps everything when it is closed and opened again', async ({ skip }) => {
      const { store, open } = await emptyStore()
      if (open === undefined) return skip('nothing outlives the store')
      const [live, building] = [await store.createGeneration(ordersSpec), await store.createGeneration(ordersSpec)]
      await live.write([put('a', 1, { status: 'open' }), put('b', 1, undefined)], at(1))
      await store.makeLive(live.id)
      await store.saveSnapshot(snapshot({}))
      await store.close()

      const again = await open()
      expect((await again.generations()).map(({ id, state }) => [id, state])).toEqual([
        [live.id, 'live'],
        [building.id, 'building'],
      ])
      const opened = await again.openGeneration(live.id, ordersSpec)
      const read = await opened?.read(['a', 'b'].map((id) => ({ collection: 'orders', id })))
      expect(read).toEqual([
        { id: 'a', position: 1, body: { status: 'open' } },
        { id: 'b', position: 1, body: undefined },
      ])
      expect(await opened?.checkpoint()).toEqual(at(1))
      expect(await again.loadSnapshot('order-1')).toEqual(snapshot({}))
      await again.close()
    })
  })

  describe('a snapshot', () => {
    test('comes back as it was saved', async () => {
      const { store } = await emptyStore()
      expect(await store.loadSnapshot('order-1')).toBeUndefined()
      const state = { open: [['a', 1]], note: 'Grüße 🛒', nothing: null, total: -0.5 }
      await store.saveSnapshot(snapshot({ state }))
      await store.saveSnapshot(snapshot({ stream: 'order-2', revision: 1 }))
      expect(await store.loadSnapshot('order-1')).toStrictEqual(snapshot({ state }))
    })

    test.each<[string, Partial<Snapshot>, boolean]>([
      ['a newer one', { revision: 101 }, true],
      ['one of the same revision', { stateVersion: 2 }, true],
      ['an older one', { revision: 99 }, false],
      ['an older one of another log', { logId: 'log-2', revision: 5 }, true],
    ])('and %s', async (_, changes, replaces) => {
      const { store } = await emptyStore()
      await store.saveSnapshot(snapshot({}))
      const later = snapshot({ ...changes, state: 'later' })
      await store.saveSnapshot(later)
      expect(await store.loadSnapshot('order-1')).toEqual(replaces ? later : snapshot({}))
    })
  })
}

function snapshot(changes: Partial<Snapshot>): Snapshot {
  return { stream: 'order-1', logId: 'log-1', stateVersion: 1, revision: 100, position: 2 ** 40, state: {}, ...changes }
}

function withIndexes(indexes: Readonly<Record<string, readonly string[]>>): ProjectionSpec {
  return { ...ordersSpec, collections: [{ name: 'orders', indexes }, ...ordersSpec.collections.slice(1)] }
}

function find(generation: Generation, options: Omit<Find, 'collection'>): Promise<readonly FoundDocument[]> {
  return generation.find({ collection: 'orders', ...options })
}

function findAll(generation: Generation): Promise<readonly FoundDocument[]> {
  return find(generation, { index: 'byStatus', limit: 100 })
}

async function bodies(generation: Generation): Promise<readonly Document[]> {
  return (await findAll(generation)).map(({ body }) => body)
}
