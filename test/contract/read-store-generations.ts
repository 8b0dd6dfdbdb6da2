import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type {
  Document,
  Find,
  FoundDocument,
  Generation,
  ProjectionSpec,
  Snapshot,
} from '../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../read-store-orders.ts'
import type { ReadStoreHarness } from './read-store-harness.ts'

/** What every read store must do with generations, with what outlives it, and with snapshots. */

/**
 * Defines these tests.
 * @param harness makes an empty store
 */
export function generationsContract(harness: () => Promise<ReadStoreHarness>): void {
  async function emptyStore(): Promise<ReadStoreHarness> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made
  }

  describe('generations', () => {
    test('are listed with their states', async () => {
      const { store } = await emptyStore()
      expect(await store.generations()).toEqual([])
      const first = await store.createGeneration(ordersSpec)
      const carts = await store.createGeneration({ name: 'carts', version: 1, collections: [] })
      expect(new Set([first.id, carts.id]).size).toBe(2)
      expect(await store.generations()).toEqual([
        { id: first.id, projection: 'orders', version: 3, state: 'building', shards: 1 },
        { id: carts.id, projection: 'carts', version: 1, state: 'building', shards: 1 },
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

    test('that are filled first are searched once their indexes are made', async () => {
      const { store } = await emptyStore()
      const filled = await store.createGenerationToFill(ordersSpec)
      await filled.write([put('a', 1, { status: 'open' }), put('b', 1, { status: 'closed' })], at(1))
      await filled.write([put('b', 2, { status: 'open' }, 'orders', 1)], at(2))
      expect(await filled.read([{ collection: 'orders', id: 'b' }])).toMatchObject([{ position: 2 }])
      await filled.makeIndexes()
      await filled.makeIndexes()
      const found = await find(filled, { index: 'byStatus', equals: ['open'], limit: 9 })
      expect(found.map(({ id }) => id)).toEqual(['a', 'b'])
      await filled.write([put('a', 3, { status: 'closed' }, 'orders', 1)], at(3))
      expect(await find(filled, { index: 'byStatus', equals: ['open'], limit: 9 })).toMatchObject([{ id: 'b' }])
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
        await writing.flush()
        expect(await reading?.count('orders')).toBe(position)
        expect(await reading?.checkpoint()).toEqual(at(position))
      }
      await other.makeLive(writing.id)
      expect((await store.generations()).map(({ state }) => state)).toEqual(['live'])
      await other.close()
      expect(await reading?.count('orders')).toBe(20)
    })

    test('gives what another has written since it was last read, at the latest once the event loop has gone on', async ({
      skip,
    }) => {
      const { store, open } = await emptyStore()
      if (open === undefined) return skip('nothing outlives the store')
      const other = await open()
      onTestFinished(() => other.close())
      const writing = await other.createGeneration(ordersSpec)
      const reading = await store.openGeneration(writing.id, ordersSpec)
      const key = { collection: 'orders', id: 'a' }
      const find = { collection: 'orders', index: 'byStatus', equals: ['open'], limit: 9 }
      for (let position = 1; position <= 3; position++) {
        const before = position === 1 ? undefined : position - 1
        await writing.write([put('a', position, { status: 'open', position }, 'orders', before)], at(position))
        await writing.flush()
        await setImmediate()
        const body = { status: 'open', position }
        expect(await reading?.read([key])).toEqual([{ id: 'a', position, body }])
        expect(await reading?.find(find)).toEqual([{ id: 'a', position, body, key: ['open', 'a'] }])
      }
      await writing.write([put('a', 4, undefined, 'orders', 3)], at(4))
      await writing.flush()
      await setImmediate()
      expect(await reading?.find(find)).toEqual([])
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

async function bodies(generation: Generation): Promise<readonly Document[]> {
  return (await find(generation, { index: 'byStatus', limit: 100 })).map(({ body }) => body)
}
