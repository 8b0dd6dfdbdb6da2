import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type EventStore, noStream } from '../../src/engine/event-store.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { type Follower, follow, logOf } from './log-readers.ts'
import { newEvents } from './new-event.ts'
import { fill, filters, isAmong } from './sample-log.ts'

/** Holds a subscriber at its next batch until it is opened. */
function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const pace = (): Promise<void> => {
    arrive()
    return opened
  }
  return { pace, arrived, open }
}

/** Each event once, in order, and the batches say truly where they end. */
async function expectWhole(store: EventStore, follower: Follower, after = 0): Promise<void> {
  const log = await logOf(store, after)
  expect(follower.events).toStrictEqual(log)
  const ids = new Map(log.map(({ position, id }) => [position, id]))
  for (const { position, eventId } of follower.batches) expect(ids.get(position)).toBe(eventId)
}

/** Defines the tests of `subscribe`. */
export function subscribeContract({ open }: EventStoreHarness): void {
  describe('subscribe', () => {
    test('gives what is there, then what comes', async () => {
      const store = await open()
      await fill(store, 5)
      const follower = follow(store)
      await follower.reached((await store.head()).position)
      expect(follower.batches.at(-1)?.caughtUp).toBe(true)
      await store.append('invoice-1', noStream, newEvents(2))
      await follower.reached((await store.head()).position)
      expect(follower.batches.at(-1)?.caughtUp).toBe(true)
      await store.append('invoice-1', 1, newEvents(2))
      await follower.reached((await store.head()).position)
      await expectWhole(store, follower)
      await follower.stop()
    })

    test('resumes at every position, also amid an append, with stored and with live events', async () => {
      const store = await open()
      await fill(store, 10)
      const followers = [{ position: 0 }, ...(await logOf(store))].map(({ position }) => ({
        position,
        follower: follow(store, { after: position }),
      }))
      await store.append('invoice-1', noStream, newEvents(3))
      const { position: head } = await store.head()
      for (const { position, follower } of followers) {
        await follower.reached(head)
        await expectWhole(store, follower, position)
        await follower.stop()
      }
    })

    test('hands over live what the store returns', async () => {
      const store = await open()
      const follower = follow(store)
      for (let revision = noStream; revision < 20; revision += 3) {
        await store.append('cart-1', revision, newEvents(3, { data: { lines: [{ text: 'é\ud800', n: 1e21 }] } }))
        await follower.reached((await store.head()).position)
      }
      await follower.stop()
      const stored = await logOf(store)
      expect(stored).toHaveLength(21)
      expect(follower.events).toStrictEqual(stored)
    })

    test.each(filters)('filters stored and live events, and says how far it has come: %j', async (filter) => {
      const store = await open()
      await fill(store, 20)
      const follower = follow(store, { filter, batchSize: 4 })
      await follower.reached((await store.head()).position)
      await store.append('order-9', noStream, newEvents(9, { type: 'Shipped' }))
      await follower.reached((await store.head()).position)
      await store.append('cart-9', noStream, newEvents(9))
      const head = await store.head()
      await follower.reached(head.position)
      await follower.stop()
      const log = await logOf(store)
      expect(follower.events).toStrictEqual(log.filter((event) => isAmong(filter, event)))
      for (const { events, position, eventId } of follower.batches) {
        expect(events.length).toBeLessThanOrEqual(4)
        expect(log.find((event) => event.position === position)?.id).toBe(eventId)
        expect(events.at(-1)?.position ?? 0).toBeLessThanOrEqual(position)
      }
      expect(follower.batches.at(-1)).toMatchObject({ position: head.position, eventId: head.eventId, caughtUp: true })
    })

    test('keeps to the batch size, stored and live', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(20))
      const follower = follow(store, { batchSize: 3 })
      await follower.reached((await store.head()).position)
      await store.append('cart-1', 19, newEvents(20))
      await follower.reached((await store.head()).position)
      await follower.stop()
      expect(Math.max(...follower.batches.map(({ events }) => events.length))).toBeLessThanOrEqual(3)
      await expectWhole(store, follower)
    })

    test('loses and doubles nothing for one that is too slow', async () => {
      const store = await open(8)
      const { pace, arrived, open: openGate } = gate()
      const slow = follow(store, { pace, batchSize: 5 })
      const fast = follow(store)
      await store.append('cart-1', noStream, newEvents(1))
      await arrived
      for (let revision = 0; revision < 100; revision++) await store.append('cart-1', revision, newEvents(1))
      const { position } = await store.head()
      await fast.reached(position)
      expect(slow.events).toHaveLength(1)
      openGate()
      await slow.reached(position)
      await store.append('cart-1', 100, newEvents(1))
      const head = await store.head()
      for (const follower of [slow, fast]) {
        await follower.reached(head.position)
        await expectWhole(store, follower)
        await follower.stop()
      }
    })

    test('loses and doubles nothing between stored and live events, while many append', async () => {
      const store = await open(32)
      await fill(store, 40)
      const turns = (count: number) => async () => {
        for (let taken = 0; taken < count; taken++) await turn()
      }
      const followers: Follower[] = []
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let revision = noStream; revision < 120; revision += 3) {
          await store.append(`basket-${writer}`, revision, newEvents(3))
          // One comes in after each append of the first, so that they meet every state of the store.
          if (writer === 0)
            followers.push(follow(store, { pace: turns(followers.length % 7), batchSize: 1 + followers.length }))
        }
      })
      await Promise.all(writers)
      const { position } = await store.head()
      for (const follower of followers) {
        await follower.reached(position)
        await expectWhole(store, follower)
        await follower.stop()
      }
      expect(followers).toHaveLength(41)
    })

    test('ends when it is aborted: before it begins, while it waits, and amid a batch', async () => {
      const store = await open()
      const aborted = follow(store)
      await aborted.stop()
      expect(aborted.batches).toEqual([])

      await store.append('cart-1', noStream, newEvents(10))
      const waiting = follow(store)
      await waiting.reached((await store.head()).position)
      await waiting.stop()

      const { pace, arrived, open: openGate } = gate()
      const amid = follow(store, { pace, batchSize: 2 })
      await arrived
      const stopped = amid.stop()
      openGate()
      await stopped
      expect(amid.events).toHaveLength(2)

      await store.append('cart-1', 9, newEvents(1))
      expect(waiting.events).toHaveLength(10)
    })

    test('can be left, and taken up again', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(3))
      const { signal } = new AbortController()
      for await (const { events } of store.subscribe({ after: 0, batchSize: 1, signal })) {
        expect(events).toHaveLength(1)
        break
      }
      const follower = follow(store)
      await follower.reached((await store.head()).position)
      await expectWhole(store, follower)
      await follower.stop()
    })
  })
}
