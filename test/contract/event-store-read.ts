import { describe, expect, test } from 'vitest'
import { noStream } from '../../src/engine/event-store.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { collected, logOf, streamOf } from './log-readers.ts'
import { newEvents } from './new-event.ts'
import { fill, filters, isAmong } from './sample-log.ts'

/** Defines the tests of `readStream`, `readAll`, `head` and `eventAt`. */
export function readContract({ open }: EventStoreHarness): void {
  describe('readStream', () => {
    test('has nothing of a stream that does not exist', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(1))
      expect(await collected(store.readStream('cart-2'))).toEqual([])
      expect(await collected(store.readStream('cart'))).toEqual([])
    })

    test('begins at any revision', async () => {
      const store = await open()
      await fill(store, 30)
      await store.append('invoice-1', noStream, newEvents(12))
      const all = await streamOf(store, 'invoice-1')
      for (let revision = 0; revision <= 13; revision++) {
        expect(await streamOf(store, 'invoice-1', revision)).toEqual(all.slice(revision))
      }
    })

    test('gives a long stream in batches, whole', async () => {
      const store = await open()
      for (let revision = noStream; revision < 2_000; revision += 667) {
        await store.append('cart-1', revision, newEvents(667))
        await store.append('cart-2', revision, newEvents(667))
      }
      const batches = await collected(store.readStream('cart-1', { fromRevision: 1 }))
      expect(batches.length).toBeGreaterThan(1)
      expect(batches.every(({ length }) => length > 0)).toBe(true)
      const read = batches.flat()
      expect(read.map(({ revision }) => revision)).toEqual(read.map((_, index) => index + 1))
      expect(read).toHaveLength(2_000)
    })
  })

  describe('readAll', () => {
    test('has no batch where there is nothing', async () => {
      const store = await open()
      expect(await collected(store.readAll({ after: 0 }))).toEqual([])
      await store.append('cart-1', noStream, newEvents(1))
      const { position } = await store.head()
      expect(await collected(store.readAll({ after: position }))).toEqual([])
    })

    test('begins behind any position, and ends at the head', async () => {
      const store = await open()
      await fill(store, 12)
      const all = await logOf(store)
      for (const { position } of all) {
        expect(await logOf(store, position)).toEqual(all.filter((event) => event.position > position))
      }
    })

    test('keeps to the batch size, and says of each batch where it ends', async () => {
      const store = await open()
      await fill(store, 20)
      const all = await logOf(store)
      for (const batchSize of [1, 2, 7, all.length - 1, all.length, all.length + 1]) {
        const batches = await collected(store.readAll({ after: 0, batchSize }))
        expect(batches.flatMap(({ events }) => events)).toEqual(all)
        for (const { events, position, eventId } of batches) {
          expect(events.length).toBeLessThanOrEqual(batchSize)
          expect({ position, id: eventId }).toMatchObject({ position: events.at(-1)?.position, id: events.at(-1)?.id })
        }
        expect(batches.map(({ caughtUp }) => caughtUp)).toEqual(batches.map((_, index) => index === batches.length - 1))
      }
    })

    test.each(filters)('filters, and says how far it has come: %j', async (filter) => {
      const store = await open()
      await fill(store, 25)
      const all = await logOf(store)
      const matching = all.filter((event) => isAmong(filter, event))
      const head = all.at(-1)
      for (const batchSize of [1, 3, 500]) {
        const batches = await collected(store.readAll({ after: 0, filter, batchSize }))
        expect(batches.flatMap(({ events }) => events)).toEqual(matching)
        expect(batches.at(-1)).toMatchObject({ position: head?.position, eventId: head?.id, caughtUp: true })
        for (const { events, position, eventId } of batches) {
          expect(events.length).toBeLessThanOrEqual(batchSize)
          expect(all.find((event) => event.position === position)?.id).toBe(eventId)
          expect(events.at(-1)?.position ?? 0).toBeLessThanOrEqual(position)
        }
      }
    })

    test('sees what is appended while it reads, once and in order', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(20))
      const seen: number[] = []
      let appended = 0
      for await (const { events } of store.readAll({ after: 0, batchSize: 5 })) {
        seen.push(...events.map(({ revision }) => revision))
        if (appended < 3) await store.append('cart-1', 19 + appended++, newEvents(1))
      }
      expect(seen).toEqual(Array.from({ length: 23 }, (_, revision) => revision))
    })

    test('can be left at any time', async () => {
      const store = await open()
      await fill(store, 10)
      for await (const { events } of store.readAll({ after: 0, batchSize: 1 })) if (events.length > 0) break
      for await (const events of store.readStream('cart-0')) if (events.length > 0) break
      await store.append('invoice-1', noStream, newEvents(1))
      expect((await logOf(store)).at(-1)?.stream).toBe('invoice-1')
    })
  })

  describe('head and eventAt', () => {
    test('know the last event and each one, and nothing between', async () => {
      const store = await open()
      expect(await store.head()).toEqual({ logId: store.logId, position: 0, eventId: '' })
      expect(await store.eventAt(0)).toBeUndefined()
      expect(await store.eventAt(1)).toBeUndefined()
      await fill(store, 6)
      const all = await logOf(store)
      const last = all.at(-1)
      expect(await store.head()).toEqual({ logId: store.logId, position: last?.position, eventId: last?.id })
      const near = new Set(all.flatMap((event) => [-2, -1, 0, 1, 2].map((distance) => event.position + distance)))
      for (const position of near) {
        expect(await store.eventAt(position)).toEqual(all.find((event) => event.position === position))
      }
    })
  })
}
