import { describe, expect, test } from 'vitest'
import { ConflictError, InDoubtError } from '../../src/engine/errors.ts'
import { type EventData, maxAppendBytes, type NewEvent, noStream } from '../../src/engine/event-store.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { logOf, recordedOf, streamOf } from './log-readers.ts'
import { eventOfBytes, newEvent, newEvents } from './new-event.ts'

/** Values that some way of storing them might change. */
const oddData: readonly EventData[] = [
  {},
  { '': '', ' ': null, 'a.b': [], $set: { $type: 1 }, 'é😀': '\u0000\u001f"\\/' },
  { numbers: [0, -1, 0.1, 1e308, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 53 + 2] },
  { text: 'é e\u0301 ﷺ 漢字 👩‍👩‍👧 \u2028\u2029 \ufeff \uffff', lone: ['\ud800', 'a\udc00b', '\udc00\ud800'] },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
  { nested: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`), yes: true, no: false },
  { long: 'ä'.repeat(300_000) },
]

const oddNames = ['cart-', '-1', 'cart', '', 'cart-\ud800']
const fineNames = [
  'cart-1',
  'cart-a-b--c',
  'cart-é😀 漢字',
  `cart-"'; drop`,
  'cart-%_*',
  'Cart-1',
  `cart-${'x'.repeat(500)}`,
]

/** Defines the tests of `append`. */
export function appendContract({ open, loseNextAnswer }: EventStoreHarness): void {
  describe('append', () => {
    test('writes events in order, at rising positions', async () => {
      const store = await open()
      const [first, second] = [newEvents(3), newEvents(2, { type: 'ItemRemoved' })]
      const one = await store.append('cart-1', noStream, first)
      const two = await store.append('cart-1', 2, second)
      expect([one.revision, two.revision]).toEqual([2, 4])
      const positions = [...one.positions, ...two.positions]
      expect(positions).toHaveLength(5)
      expect(positions.every((position, index) => position > (positions[index - 1] ?? 0))).toBe(true)
      expect(positions.every(Number.isSafeInteger)).toBe(true)
      const expected = [...recordedOf('cart-1', noStream, first, one), ...recordedOf('cart-1', 2, second, two)]
      expect(await streamOf(store, 'cart-1')).toStrictEqual(expected)
      expect(await logOf(store)).toStrictEqual(expected)
    })

    test.each([
      ['a stream that exists', noStream],
      ['a revision that is passed', 0],
      ['a revision that is not reached', 7],
    ])('refuses %s, and says the actual revision', async (_, expectedRevision) => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(2))
      const error = await store.append('cart-1', expectedRevision, newEvents(1)).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ConflictError)
      expect(error).toMatchObject({ stream: 'cart-1', expectedRevision, actualRevision: 1 })
      expect(await logOf(store)).toHaveLength(2)
    })

    test('refuses a stream that does not exist where one is expected', async () => {
      const store = await open()
      await expect(store.append('cart-1', 0, newEvents(1))).rejects.toMatchObject({ actualRevision: noStream })
      await expect(store.append('cart-1', noStream, newEvents(1))).resolves.toMatchObject({ revision: 0 })
    })

    test('gives the first result to the same events at the same revision, also later', async () => {
      const store = await open()
      const [opening, events, later] = [newEvents(1), newEvents(3), newEvents(2)]
      await store.append('cart-1', noStream, opening)
      const first = await store.append('cart-1', 0, events)
      expect(await store.append('cart-1', 0, events)).toEqual(first)
      await store.append('cart-2', noStream, newEvents(1))
      const second = await store.append('cart-1', 3, later)
      expect(await store.append('cart-1', 0, events)).toEqual(first)
      expect(await store.append('cart-1', 3, later)).toEqual(second)
      expect(await streamOf(store, 'cart-1')).toHaveLength(6)
    })

    test('refuses what only overlaps with the events at that revision', async () => {
      const store = await open()
      const [a, b, c] = [newEvent(), newEvent(), newEvent()]
      await store.append('cart-1', noStream, [newEvent()])
      const { positions } = await store.append('cart-1', 0, [a, b])
      const overlapping: readonly (readonly [number, readonly NewEvent[]])[] = [
        [0, [a, b, c]],
        [0, [a, c]],
        [0, [c, b]],
        [0, [b]],
        [0, [b, a]],
        [0, [c]],
        [1, [a, b]],
        [noStream, [a, b]],
        [noStream, [a]],
      ]
      for (const [expectedRevision, events] of overlapping) {
        await expect(store.append('cart-1', expectedRevision, events)).rejects.toMatchObject({
          name: 'ConflictError',
          actualRevision: 2,
        })
      }
      // Where an append ended is not stored: events that are all there, at their place, have been written.
      expect(await store.append('cart-1', 1, [b])).toEqual({ revision: 2, positions: positions.slice(1) })
      expect(await store.append('cart-1', 0, [a])).toEqual({ revision: 1, positions: positions.slice(0, 1) })
      expect(await streamOf(store, 'cart-1')).toHaveLength(3)
    })

    test('lets just one of many win that expect the same revision', async () => {
      const store = await open()
      const appends = Array.from({ length: 30 }, () => newEvents(2))
      const settled = await Promise.allSettled(appends.map((events) => store.append('cart-1', noStream, events)))
      const won = settled.findIndex(({ status }) => status === 'fulfilled')
      for (const [index, result] of settled.entries()) {
        if (index === won) continue
        expect(result).toMatchObject({ status: 'rejected', reason: { name: 'ConflictError', actualRevision: 1 } })
      }
      expect((await streamOf(store, 'cart-1')).map(({ id }) => id)).toEqual(appends[won]?.map(({ id }) => id))
    })

    test('gives one result to many of the same at once', async () => {
      const store = await open()
      const events = newEvents(2)
      const results = await Promise.all(Array.from({ length: 30 }, () => store.append('cart-1', noStream, events)))
      expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1)
      expect(await logOf(store)).toHaveLength(2)
    })

    test('keeps what is refused from harming what comes with it', async () => {
      const store = await open()
      await store.append('cart-0', noStream, newEvents(1))
      const appends = Array.from({ length: 40 }, (_, number) => store.append(`cart-${number}`, noStream, newEvents(2)))
      const settled = await Promise.allSettled(appends)
      expect(settled.map(({ status }) => status)).toEqual(['rejected', ...Array(39).fill('fulfilled')])
      expect(await logOf(store)).toHaveLength(79)
      for (let number = 1; number < 40; number++) expect(await streamOf(store, `cart-${number}`)).toHaveLength(2)
    })

    test.runIf(loseNextAnswer)('in doubt gives the first result when it is sent again', async () => {
      const store = await open()
      await store.append('cart-1', noStream, newEvents(1))
      const events = newEvents(2)
      loseNextAnswer?.(store)
      await expect(store.append('cart-1', 0, events)).rejects.toThrow(InDoubtError)
      const result = await store.append('cart-1', 0, events)
      expect((await streamOf(store, 'cart-1')).slice(1)).toStrictEqual(recordedOf('cart-1', 0, events, result))
      await expect(store.append('cart-1', 2, newEvents(1))).resolves.toMatchObject({ revision: 3 })
    })

    test('takes exactly as many bytes as the limit, and not one more', async () => {
      const store = await open()
      const half = maxAppendBytes / 2
      await store.append('cart-1', noStream, [eventOfBytes(half), eventOfBytes(half)])
      await expect(store.append('cart-1', 1, [eventOfBytes(half), eventOfBytes(half + 1)])).rejects.toThrow(RangeError)
      const umlauts = newEvent({ data: { text: 'ä'.repeat(half) } })
      await expect(store.append('cart-1', 1, [umlauts])).rejects.toThrow(RangeError)
      expect(await streamOf(store, 'cart-1')).toHaveLength(2)
    })

    test('refuses no events, and what has no id, no type or an impossible revision', async () => {
      const store = await open()
      await expect(store.append('cart-1', noStream, [])).rejects.toThrow(RangeError)
      await expect(store.append('cart-1', noStream, [newEvent({ id: '' })])).rejects.toThrow(RangeError)
      await expect(store.append('cart-1', noStream, [newEvent({ type: '' })])).rejects.toThrow(RangeError)
      await expect(store.append('cart-1', noStream, [newEvent({ type: 'A\ud800' })])).rejects.toThrow(RangeError)
      for (const revision of [-2, 0.5, Number.NaN]) {
        await expect(store.append('cart-1', revision, newEvents(1))).rejects.toThrow(RangeError)
      }
      expect(await logOf(store)).toEqual([])
    })

    test('takes many events at once', async () => {
      const store = await open()
      const events = newEvents(2_500)
      const result = await store.append('cart-1', noStream, events)
      expect(await streamOf(store, 'cart-1')).toStrictEqual(recordedOf('cart-1', noStream, events, result))
    })

    test('keeps every JSON value as it is', async () => {
      const store = await open()
      const events = oddData.map((data) => newEvent({ data, metadata: { actor: { kind: 'guest', id: 'é\ud800"' } } }))
      const result = await store.append('cart-1', noStream, events)
      expect(await logOf(store)).toStrictEqual(recordedOf('cart-1', noStream, events, result))
    })

    test('keeps what was appended, whatever becomes of the values that were given and read', async () => {
      const store = await open()
      const lines = ['a']
      await store.append('cart-1', noStream, [newEvent({ data: { lines } })])
      lines.push('b')
      const [read] = await streamOf(store, 'cart-1')
      if (Array.isArray(read?.data.lines)) read.data.lines.push('c')
      expect((await streamOf(store, 'cart-1'))[0]?.data).toEqual({ lines: ['a'] })
      expect((await logOf(store))[0]?.data).toEqual({ lines: ['a'] })
    })

    test('tells streams apart by every character of their names', async () => {
      const store = await open()
      for (const [number, name] of fineNames.entries()) await store.append(name, noStream, newEvents(number + 1))
      for (const [number, name] of fineNames.entries()) {
        const events = await streamOf(store, name)
        expect(events.map(({ stream }) => stream)).toEqual(Array(number + 1).fill(name))
      }
    })

    test.each(oddNames)('refuses the stream name %j', async (name) => {
      const store = await open()
      await expect(store.append(name, noStream, newEvents(1))).rejects.toThrow(RangeError)
    })
  })
}
