import { expect, test } from 'vitest'
import { type CacheSpace, documentCache } from '../../../src/adapters/sqlite/document-cache.ts'

/** Each entry takes 200 beside its own size. */
const size = 800

test('what is asked for stays, what nobody asks for goes when the budget is spent', () => {
  const cache = documentCache(20_000)
  const space = cache.space<number>()
  space.set('wanted', 1, size)
  space.set('forgotten', 2, size)
  for (let key = 0; key < 100; key++) {
    space.set(`other-${key}`, key, size)
    expect(space.get('wanted')).toBe(1)
  }
  expect(space.get('forgotten')).toBeUndefined()
})

test('all spaces share one budget', () => {
  const cache = documentCache(20_000)
  const [one, other] = [cache.space<number>(), cache.space<number>()]
  one.set('a', 1, size)
  for (let key = 0; key < 100; key++) other.set(`${key}`, key, size)
  const kept = Array.from({ length: 100 }, (_, key) => other.get(`${key}`)).filter((value) => value !== undefined)
  expect(one.get('a')).toBeUndefined()
  expect(kept.length).toBeLessThanOrEqual(20)
})

test('what is forgotten is gone, young or old, and only in its space', () => {
  const cache = documentCache(20_000)
  const [one, other] = [cache.space<number>(), cache.space<number>()]
  one.set('a', 1, size)
  other.set('a', 2, size)
  for (let key = 0; key < 9; key++) other.set(`${key}`, key, size)
  one.delete('a')
  expect(one.get('a')).toBeUndefined()
  expect(other.get('a')).toBe(2)
  other.clear()
  expect(other.get('a')).toBeUndefined()
  expect(other.get('8')).toBeUndefined()
})

test('what would take too much of the budget is not kept', () => {
  const space = documentCache(20_000).space<number>()
  space.set('large', 1, 2_000)
  expect(space.get('large')).toBeUndefined()
  const none = documentCache(0).space<number>()
  none.set('a', 1, 0)
  expect(none.get('a')).toBeUndefined()
})

test.each([
  ['overwritten', () => {}],
  ['deleted', (space: CacheSpace<number>) => space.delete('hot')],
  ['cleared', (space: CacheSpace<number>) => space.clear()],
] as const)('what is %s again and again drives nothing else out', (_, forget) => {
  const cache = documentCache(20_000)
  const [calm, busy] = [cache.space<number>(), cache.space<number>()]
  calm.set('a', 1, size)
  for (let time = 0; time < 100; time++) {
    forget(busy)
    busy.set('hot', time, size)
  }
  expect(calm.get('a')).toBe(1)
  expect(busy.get('hot')).toBe(99)
})

test('what was forgotten by age gives nothing back: the budget holds all the same', () => {
  const space = documentCache(20_000).space<number>()
  for (let key = 0; key < 100; key++) {
    space.set(`${key}`, key, size)
    space.delete(`${key - 15}`)
  }
  const kept = Array.from({ length: 100 }, (_, key) => space.get(`${key}`)).filter((value) => value !== undefined)
  expect(kept.length).toBeLessThanOrEqual(20)
})
