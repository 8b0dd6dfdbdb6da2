import { expect, test } from 'vitest'
import { liveTail } from '../../../src/adapters/sqlite/live-tail.ts'
import type { RecordedEvent } from '../../../src/engine/event-store.ts'
import { newEvent } from '../../contract/new-event.ts'

function events(from: number, to: number): readonly RecordedEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const { id, type, data, metadata } = newEvent()
    return { position: from + index, stream: 'cart-1', revision: from + index - 1, id, type, data, metadata }
  })
}

const positions = (found: readonly RecordedEvent[] | undefined) => found?.map(({ position }) => position)

test('the tail has what was added, behind any position', () => {
  const tail = liveTail(10, 100, 1_000)
  expect(tail.after(10, 5)).toEqual([])
  tail.add(events(11, 13), 30)
  tail.add(events(14, 14), 10)
  expect(positions(tail.after(10, 5))).toEqual([11, 12, 13, 14])
  expect(positions(tail.after(12, 5))).toEqual([13, 14])
  expect(positions(tail.after(10, 2))).toEqual([11, 12])
  expect(positions(tail.after(14, 5))).toEqual([])
  expect(tail.head()).toBe(14)
})

test('one who has read further in the store than the tail knows of finds nothing newer', () => {
  const tail = liveTail(10, 100, 1_000)
  expect(tail.after(12, 5)).toEqual([])
  tail.add(events(11, 13), 30)
  expect(positions(tail.after(12, 5))).toEqual([13])
})

test('one who is behind what is kept is sent to the store', () => {
  const tail = liveTail(10, 3, 1_000)
  expect(tail.after(9, 5)).toBeUndefined()
  for (let position = 11; position < 5_000; position++) tail.add(events(position, position), 1)
  expect(tail.after(4_995, 5)).toBeUndefined()
  expect(positions(tail.after(4_996, 5))).toEqual([4_997, 4_998, 4_999])
})

test('the tail is bounded in bytes too', () => {
  const tail = liveTail(0, 100, 50)
  tail.add(events(1, 4), 40)
  tail.add(events(5, 5), 30)
  expect(tail.after(1, 5)).toBeUndefined()
  expect(positions(tail.after(2, 5))).toEqual([3, 4, 5])
  tail.add(events(6, 6), 51)
  expect(tail.after(5, 5)).toBeUndefined()
  expect(tail.after(6, 5)).toEqual([])
})

test('a tail that has been lost sends everybody to the store, until it is sure again', () => {
  const tail = liveTail(10, 100, 1_000)
  let woken = 0
  const stop = tail.onWake(() => woken++)
  tail.add(events(11, 12), 20)
  tail.lose()
  expect(woken).toBe(1)
  expect(tail.after(11, 5)).toBeUndefined()
  expect(tail.after(12, 5)).toBeUndefined()
  tail.add(events(20, 21), 20)
  expect(tail.after(18, 5)).toBeUndefined()
  expect(positions(tail.after(19, 5))).toEqual([20, 21])
  stop()
  tail.wake()
  expect(woken).toBe(1)
})
