import { expect, test } from 'vitest'
import { keyedLock } from '../../src/engine/keyed-lock.ts'
import { settled } from '../manual-clock.ts'

test('Who wants the same key takes turns, in order; who wants another does not wait', async () => {
  const lock = keyedLock()
  const log: string[] = []
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const turn = (name: string, keys: readonly string[], until: Promise<void> = Promise.resolve()) =>
    lock(keys, async () => {
      log.push(`${name} in`)
      await until
      log.push(`${name} out`)
    })
  const all = [turn('one', ['a', 'b'], held), turn('two', ['b', 'a']), turn('three', ['a']), turn('other', ['c'])]
  await settled()
  expect(log).toEqual(['one in', 'other in', 'other out'])
  letGo()
  await Promise.all(all)
  expect(log.slice(3)).toEqual(['one out', 'two in', 'two out', 'three in', 'three out'])
})

test('Who fails lets the next one in', async () => {
  const lock = keyedLock()
  const failed = lock(['a'], () => Promise.reject(new Error('no')))
  const next = lock(['a'], () => Promise.resolve('yes'))
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

test('When too many wait for one key, the next is told so', async () => {
  const lock = keyedLock()
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const waiting = Array.from({ length: 200 }, () => lock(['a'], () => held))
  await expect(lock(['a'], () => held)).rejects.toThrow('Too many requests want the same value.')
  letGo()
  await Promise.all(waiting)
  expect(await lock(['a'], () => Promise.resolve('free'))).toBe('free')
})
