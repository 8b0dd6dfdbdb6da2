import { expect, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { ConflictError, CorruptLogError, InDoubtError, UnavailableError } from '../../src/engine/errors.ts'
import { noStream } from '../../src/engine/event-store.ts'
import { watchLogHealth } from '../../src/engine/log-health.ts'
import { newEvent } from '../contract/new-event.ts'

const full = new UnavailableError('log-unavailable', 'The event log takes no writes now.', 1, {
  cause: new Error('the disk is full'),
})

test.each([
  [full, 'the disk is full'],
  [new InDoubtError('nobody knows'), 'nobody knows'],
  [new CorruptLogError('page 7 is damaged'), 'page 7 is damaged'],
])('a log that takes no appends says why until one succeeds, and tells it once: %s', async (error, reason) => {
  const inner = memoryEventStore()
  let fails = true
  const told: unknown[] = []
  const { store, failure } = watchLogHealth(
    { ...inner, append: async (...args) => (fails ? Promise.reject(error) : inner.append(...args)) },
    (failed) => told.push(failed),
  )
  const append = () => store.append('cart-1', noStream, [newEvent()])
  expect(failure()).toBeUndefined()
  for (let tries = 0; tries < 3; tries++) await expect(append()).rejects.toBe(error)
  expect(failure()).toBe(reason)
  fails = false
  await append()
  expect(failure()).toBeUndefined()
  fails = true
  await expect(append()).rejects.toBe(error)
  expect(told).toEqual([error, error])
})

test.each([
  new ConflictError('cart-1', 0, 1),
  new UnavailableError('log-busy', 'Too many appends wait.'),
  new RangeError('no events'),
])('what is the fault of the append says nothing of the log: %s', async (error) => {
  const { store, failure } = watchLogHealth(
    { ...memoryEventStore(), append: async () => Promise.reject(error) },
    () => {
      throw new Error('nobody is to be told')
    },
  )
  await expect(store.append('cart-1', noStream, [newEvent()])).rejects.toBe(error)
  expect(failure()).toBeUndefined()
})
