import { describe, expect, onTestFinished, test } from 'vitest'
import type { Document, FoundDocument, Generation } from '../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../read-store-orders.ts'
import { findContract } from './read-store-find.ts'
import { generationsContract } from './read-store-generations.ts'
import type { ReadStoreHarness } from './read-store-harness.ts'
import { shardsContract, soleShardContract } from './read-store-shards.ts'

/** What every read store must do. What is found by an index, and what generations are, is in the files beside this one. */

/**
 * Defines the tests of the port.
 * @param harness makes an empty store
 * @param options `runs`: how often the property of `find` is tried; fewer for a slow store. `isShared`: whether processes
 *   can share out a generation
 */
export function readStoreContract(
  harness: () => Promise<ReadStoreHarness>,
  options: { readonly runs?: number; readonly isShared: boolean },
): void {
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

    test('are not changed by who wrote them', async () => {
      const generation = await emptyGeneration()
      const tags = ['one']
      await generation.write([put('a', 1, { tags })], at(1))
      tags.push('two')
      const [read] = await generation.read([{ collection: 'orders', id: 'a' }])
      expect(read?.body).toEqual({ tags: ['one'] })
      tags.push('three')
      const [again] = await generation.read([{ collection: 'orders', id: 'a' }])
      expect(again?.body).toEqual({ tags: ['one'] })
    })

    test('are read as they stand after a write that failed', async () => {
      const generation = await emptyGeneration()
      const key = { collection: 'orders', id: 'a' }
      const open = { collection: 'orders', index: 'byStatus', equals: ['open'], limit: 9 }
      await generation.write([put('a', 1, { status: 'open' })], at(1))
      await generation.flush()
      const [before] = await generation.read([key])
      expect(await generation.find(open)).toHaveLength(1)
      const failing = [put('a', 2, { status: 'paid' }, 'orders', 1), put('b', 2, { status: {} })]
      await expect(generation.write(failing, at(2))).rejects.toThrow(TypeError)
      expect(await generation.read([key])).toEqual([before])
      expect(await generation.find(open)).toHaveLength(1)
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

    test('does not move back', async () => {
      const generation = await emptyGeneration()
      await generation.write([put('a', 5, {})], at(5))
      expect(await generation.write([put('b', 3, {})], at(3))).toEqual([])
      expect(await generation.checkpoint()).toEqual(at(5))
      await generation.write([], at(6))
      expect(await generation.checkpoint()).toEqual(at(6))
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

  findContract(harness, options)
  generationsContract(harness)
  if (options.isShared) shardsContract(harness)
  else soleShardContract(harness)
}

function findAll(generation: Generation): Promise<readonly FoundDocument[]> {
  return generation.find({ collection: 'orders', index: 'byStatus', limit: 100 })
}

async function bodies(generation: Generation): Promise<readonly Document[]> {
  return (await findAll(generation)).map(({ body }) => body)
}
