import { describe, expect, onTestFinished, test } from 'vitest'
import { FencedError } from '../../src/engine/errors.ts'
import type { DocumentWrite, Fences, Generation, ReadStore } from '../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../read-store-orders.ts'
import type { ReadStoreHarness } from './read-store-harness.ts'

/** What a read store must do with generations that several processes write. */

const shards = 3
const ids = Array.from({ length: 20 }, (_, number) => `order-${number}`)

/** Defines the tests of a store that one process has for itself. @param harness makes an empty store */
export function soleShardContract(harness: () => Promise<ReadStoreHarness>): void {
  test('a generation can not be shared out, for one process has the store', async () => {
    const { store, dispose } = await harness()
    onTestFinished(dispose)
    await expect(store.createGeneration(ordersSpec, 2)).rejects.toThrow(RangeError)
    await expect(store.createGenerationToFill(ordersSpec, 2)).rejects.toThrow(RangeError)
    expect(await store.generations()).toEqual([])
    await store.createGeneration(ordersSpec, 1)
    expect(await store.generations()).toMatchObject([{ shards: 1 }])
  })
}

/** Defines the tests of a store that processes share. @param harness makes an empty store */
export function shardsContract(harness: () => Promise<ReadStoreHarness>): void {
  /** A generation, and how processes open it: each through a store of its own, where there can be several. */
  async function sharedGeneration() {
    const { store, open = async () => store, dispose } = await harness()
    onTestFinished(dispose)
    const whole = await store.createGeneration(ordersSpec, shards)
    async function holding(fences: Record<number, number>): Promise<Generation> {
      const other = await open()
      return opened(other, whole.id, new Map(Object.entries(fences).map(([shard, token]) => [Number(shard), token])))
    }
    return { store, whole, holding }
  }

  async function opened(store: ReadStore, id: string, fences?: Fences): Promise<Generation> {
    const generation = await store.openGeneration(id, ordersSpec, fences)
    if (generation === undefined) throw new Error(`${id} can't be opened`)
    return generation
  }

  describe('a generation that is shared out', () => {
    test('is listed with its shards, and opened with as many', async () => {
      const { store, whole, holding } = await sharedGeneration()
      expect(await store.generations()).toMatchObject([{ id: whole.id, shards }])
      await expect(holding({ [shards]: 1 })).rejects.toThrow(RangeError)
      await expect(holding({ '-1': 1 })).rejects.toThrow(RangeError)
    })

    test('has one checkpoint for each shard; of several it is the one that is the furthest back', async () => {
      const { whole, holding } = await sharedGeneration()
      const [one, others] = [await holding({ 0: 1 }), await holding({ 1: 1, 2: 1 })]
      await one.write([], at(5))
      expect([await one.checkpoint(), await others.checkpoint()]).toEqual([at(5), undefined])
      expect(await whole.checkpoint()).toBeUndefined()
      await others.write([], at(3))
      expect([await one.checkpoint(), await others.checkpoint()]).toEqual([at(5), at(3)])
      expect(await whole.checkpoint()).toEqual(at(3))
    })

    test('gives whoever takes over several shards the place of the last of them, and moves none back', async () => {
      const { holding } = await sharedGeneration()
      await (await holding({ 0: 1 })).write([], at(5))
      await (await holding({ 1: 1 })).write([], at(3))
      const both = await holding({ 0: 2, 1: 2 })
      expect(await both.checkpoint()).toEqual(at(3))
      await both.write([], at(4))
      expect(await both.checkpoint()).toEqual(at(4))
      expect(await (await holding({ 0: 3 })).checkpoint()).toEqual(at(5))
    })

    test('is filled by several at once, each its own shards', async () => {
      const { whole, holding } = await sharedGeneration()
      await Promise.all(
        Array.from({ length: shards }, async (_, shard) => {
          const own = await holding({ [shard]: 1 })
          for (let position = 1; position <= 5; position++) {
            const writes = ids.map((id) => ({
              ...put(`${shard}-${position}-${id}`, position, { status: 'open' }),
              shard,
            }))
            expect(await own.write(writes, at(position))).toEqual([])
          }
        }),
      )
      expect(await whole.count('orders')).toBe(shards * 5 * ids.length)
      expect(await whole.checkpoint()).toEqual(at(5))
    })

    test('takes no document of a shard that is not held', async () => {
      const { whole, holding } = await sharedGeneration()
      const own = await holding({ 1: 1 })
      const strange = [{ ...put('a', 1, {}), shard: 1 }, { ...put('b', 1, {}), shard: 2 }, put('c', 1, {})]
      for (const write of strange.slice(1)) await expect(own.write([write], at(1))).rejects.toThrow(RangeError)
      await expect(own.write(strange, at(1))).rejects.toThrow(RangeError)
      expect(await whole.count('orders')).toBe(0)
      expect(await own.checkpoint()).toBeUndefined()
    })
  })

  describe('a shard that another holds by now', () => {
    test('is not opened with a lower token, and then none of the others is', async () => {
      const { holding } = await sharedGeneration()
      await holding({ 0: 5 })
      await expect(holding({ 0: 4, 1: 9 })).rejects.toThrow(FencedError)
      await holding({ 0: 5 })
      await holding({ 1: 1 })
      await expect(holding({ 0: 4 })).rejects.toThrow(FencedError)
    })

    test('is not written, neither its documents nor its checkpoint', async () => {
      const { holding } = await sharedGeneration()
      const paused = await holding({ 0: 1, 1: 1 })
      await paused.write([put('a', 1, { by: 'one' })], at(1))
      const next = await holding({ 0: 2 })
      const changes = [put('a', 2, { by: 'paused' }, 'orders', 1), put('b', 2, { by: 'paused' })]
      await expect(paused.write(changes, at(2))).rejects.toThrow(FencedError)
      await expect(paused.write([], at(2))).rejects.toThrow(FencedError)
      const read = await next.read(['a', 'b'].map((id) => ({ collection: 'orders', id })))
      expect(read).toEqual([{ id: 'a', position: 1, body: { by: 'one' } }, undefined])
      expect(await next.checkpoint()).toEqual(at(1))
      expect(await (await holding({ 1: 1 })).checkpoint()).toEqual(at(1))
    })

    test('goes to the new holder whole, though the one before it is in the middle of a write', async () => {
      const { holding } = await sharedGeneration()
      const paused = await holding({ 0: 1 })
      await paused.write(
        ids.map((id) => put(id, 1, { by: 'one' })),
        at(1),
      )
      const late = paused
        .write(
          ids.map((id) => put(id, 2, { by: 'paused' }, 'orders', 1)),
          at(2),
        )
        .catch((error) => error)
      const next = await holding({ 0: 2 })
      await writeOver(next, 3, 'next')
      const end = await late
      if (end instanceof Error) expect(end).toBeInstanceOf(FencedError)
      expect(await bodiesOf(next)).toEqual(ids.map(() => ({ by: 'next' })))
      expect(await next.checkpoint()).toEqual(at(3))
      await expect(paused.write([put('x', 4, {})], at(4))).rejects.toThrow(FencedError)
    })
  })

  test('of two that write one document at once one misses it', async () => {
    const { whole, holding } = await sharedGeneration()
    await whole.write(
      ids.map((id) => put(id, 1, {})),
      at(1),
    )
    const writers = [await holding({ 0: 1 }), await holding({ 0: 1 })]
    const all = [...ids, ...ids.map((id) => `new-${id}`)]
    const missed = await Promise.all(
      writers.map(async (writer, number) => {
        const writes = all.map((id, place): DocumentWrite => {
          return put(id, 2 + number, { by: number }, 'orders', place < ids.length ? 1 : undefined)
        })
        return new Set((await writer.write(writes, at(9))).map(({ id }) => id))
      }),
    )
    const read = await whole.read(all.map((id) => ({ collection: 'orders', id })))
    for (const document of read) {
      const winner = Number(document?.body?.by)
      expect(document?.position).toBe(2 + winner)
      expect(missed.map((of) => of.has(document?.id ?? ''))).toEqual([winner === 1, winner === 0])
    }
  })
}

/** Writes all orders as a projector does: what it misses is read again. */
async function writeOver(generation: Generation, position: number, by: string): Promise<void> {
  for (let left: readonly string[] = ids; left.length > 0; ) {
    const read = await generation.read(left.map((id) => ({ collection: 'orders', id })))
    const writes = left.map((id, place) => put(id, position, { by }, 'orders', read[place]?.position))
    left = (await generation.write(writes, at(position))).map(({ id }) => id)
  }
}

async function bodiesOf(generation: Generation) {
  return (await generation.read(ids.map((id) => ({ collection: 'orders', id })))).map((document) => document?.body)
}
