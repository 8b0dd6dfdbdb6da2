import { describe, expect, test } from 'vitest'
import { UnavailableError } from '../../src/engine/errors.ts'
import { noStream } from '../../src/engine/event-store.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { collected, follow, logOf, streamOf } from './log-readers.ts'
import { newEvents } from './new-event.ts'
import { fill } from './sample-log.ts'

/** Defines the tests of what outlives a store, of its checkpoints and of its end. */
export function lifeContract({ open, reopen, sharesLog = false }: EventStoreHarness): void {
  describe('a checkpoint', () => {
    const checkpoint = (position: number) => ({ logId: 'a-log', position, eventId: `event ${position}` })

    test('is the latest that was saved by its name', async () => {
      const store = await open()
      expect(await store.loadCheckpoint('fulfilOrder')).toBeUndefined()
      await store.saveCheckpoint('fulfilOrder', checkpoint(1))
      await store.saveCheckpoint('refund', checkpoint(5))
      await store.append('cart-1', noStream, newEvents(1))
      await store.saveCheckpoint('fulfilOrder', checkpoint(2))
      expect(await store.loadCheckpoint('fulfilOrder')).toEqual(checkpoint(2))
      expect(await store.loadCheckpoint('refund')).toEqual(checkpoint(5))
      expect(await store.loadCheckpoint('fulfil')).toBeUndefined()
      expect(await logOf(store)).toHaveLength(1)
    })

    test('is the last one in the order of the calls, whatever its position', async () => {
      const store = await open()
      await Promise.all([9, 3, 7, 5].map((position) => store.saveCheckpoint('refund', checkpoint(position))))
      expect(await store.loadCheckpoint('refund')).toEqual(checkpoint(5))
    })

    test('counts no more when it is saved with a lower fence than one before', async () => {
      const store = await open()
      await store.saveCheckpoint('refund', checkpoint(1), 7)
      await store.saveCheckpoint('refund', checkpoint(2), 6)
      await store.saveCheckpoint('refund', checkpoint(3))
      expect(await store.loadCheckpoint('refund')).toEqual(checkpoint(1))
      await store.saveCheckpoint('refund', checkpoint(4), 7)
      expect(await store.loadCheckpoint('refund')).toEqual(checkpoint(4))
      await store.saveCheckpoint('refund', checkpoint(5), 8)
      expect(await store.loadCheckpoint('refund')).toEqual(checkpoint(5))
      await store.saveCheckpoint('fulfilOrder', checkpoint(6))
      expect(await store.loadCheckpoint('fulfilOrder')).toEqual(checkpoint(6))
    })

    test.runIf(reopen)('outlives the store', async () => {
      const store = await open()
      await store.saveCheckpoint('fulfilOrder', checkpoint(1))
      const appended = store.append('cart-1', noStream, newEvents(1))
      await store.saveCheckpoint('fulfilOrder', checkpoint(2))
      await appended
      await store.saveCheckpoint('refund', checkpoint(3))
      const again = await reopen?.(store)
      expect(await again?.loadCheckpoint('fulfilOrder')).toEqual(checkpoint(2))
      expect(await again?.loadCheckpoint('refund')).toEqual(checkpoint(3))
    })
  })

  describe('a log', () => {
    test.skipIf(sharesLog)(`has an id of its own${sharesLog ? ' (not run: the log is shared)' : ''}`, async () => {
      const [one, other] = [await open(), await open()]
      expect(one.logId).not.toBe('')
      expect(one.logId).not.toBe(other.logId)
      expect(await logOf(other)).toEqual([])
    })

    test.runIf(reopen)('is the same when it is opened again', async () => {
      let store = await open()
      await fill(store, 20)
      const events = newEvents(2)
      const first = await store.append('invoice-1', noStream, events)
      const [logId, log, head] = [store.logId, await logOf(store), await store.head()]
      for (let times = 0; times < 2; times++) {
        store = (await reopen?.(store)) ?? store
        expect(store.logId).toBe(logId)
        expect(await logOf(store)).toStrictEqual(log)
        expect(await store.head()).toEqual(head)
        expect(await store.append('invoice-1', noStream, events)).toEqual(first)
        await expect(store.append('invoice-1', 0, newEvents(1))).rejects.toMatchObject({ actualRevision: 1 })
      }
      const { positions } = await store.append('invoice-1', 1, newEvents(1))
      expect(positions[0]).toBeGreaterThan(head.position)
      const follower = follow(store, { after: head.position })
      await follower.reached(positions[0] ?? Number.NaN)
      expect(follower.events).toHaveLength(1)
      await follower.stop()
    })
  })

  describe('close', () => {
    test('lets appends under way be written', async () => {
      const store = await open()
      const appends = Array.from({ length: 50 }, (_, number) => store.append(`cart-${number}`, noStream, newEvents(1)))
      const closed = store.close()
      for (const { positions } of await Promise.all(appends)) expect(positions).toHaveLength(1)
      await closed
    })

    test.runIf(reopen)('loses nothing that was answered', async () => {
      const store = await open()
      const appends = Array.from({ length: 50 }, (_, number) => store.append(`cart-${number}`, noStream, newEvents(2)))
      const again = await reopen?.(store)
      await Promise.all(appends)
      if (again === undefined) throw new Error('The store was not opened again')
      expect(await logOf(again)).toHaveLength(100)
      expect(await streamOf(again, 'cart-49')).toHaveLength(2)
    })

    test('ends subscriptions with an error, for they have not been asked to end', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(1))
      const follower = follow(store)
      await follower.reached((await store.head()).position)
      await store.close()
      expect(await follower.ended).toMatchObject({ code: 'log-closed' })
    })

    test('can be called twice; nothing else can be called after it', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(1))
      await Promise.all([store.close(), store.close()])
      await store.close()
      const calls = [
        () => store.append('cart-1', 0, newEvents(1)),
        () => collected(store.readStream('cart-1')),
        () => collected(store.readAll({ after: 0 })),
        () => collected(store.subscribe({ after: 0, signal: new AbortController().signal })),
        () => store.head(),
        () => store.eventAt(1),
        () => store.loadCheckpoint('refund'),
        () => store.saveCheckpoint('refund', { logId: store.logId, position: 0, eventId: '' }),
      ]
      for (const call of calls) {
        const error = await call().catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(UnavailableError)
        expect(error).toMatchObject({ code: 'log-closed' })
      }
    })
  })
}
