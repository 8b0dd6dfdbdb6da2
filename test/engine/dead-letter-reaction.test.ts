import { expect, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { letterIdOf, reactionOf } from '../../src/engine/dead-letter-reaction.ts'
import type { EventData, EventStore, RecordedEvent } from '../../src/engine/event-store.ts'
import { newEvent } from '../contract/new-event.ts'

const spend = { name: 'spend', types: new Set(['Deposited']) }

/** A log in which an account's second deposit is the one that failed, behind so many events of other streams. */
async function logWith(others: number): Promise<{ readonly store: EventStore; readonly failed: RecordedEvent }> {
  const store = memoryEventStore()
  for (let number = 0; number < others; number++) {
    await store.append(`account-${number}`, -1, [newEvent({ type: 'Deposited' })])
  }
  const deposits = ['first', 'second', 'third'].map((id) => newEvent({ id, type: 'Deposited' }))
  const { positions } = await store.append('account-a', -1, deposits)
  const failed = await store.eventAt(positions[1] ?? 0)
  if (failed === undefined) throw new Error('The second deposit is not there')
  return { store, failed }
}

function retried(failed: RecordedEvent, data: EventData = {}) {
  const { position, stream, revision } = failed
  const letter = { source: 'reaction', name: 'spend', subject: 'a', position, event: { stream, revision } }
  return { stream: `deadLetter-${letterIdOf(failed, spend)}`, data: { ...letter, ...data } }
}

function withoutEvent({ stream, data: { event: _, ...data } }: ReturnType<typeof retried>) {
  return { stream, data }
}

test('a letter means the event that it was raised for', async () => {
  const { store, failed } = await logWith(2)
  expect(await reactionOf(store, spend, retried(failed))).toEqual(failed)
})

test('a letter of another log means the same event, though another one is at its position here', async () => {
  const before = await logWith(2)
  const now = await logWith(3)
  expect((await now.store.eventAt(before.failed.position))?.id).toBe('first')
  expect(await reactionOf(now.store, spend, retried(before.failed))).toEqual(now.failed)
})

test('a letter that says nothing but a position means the event there', async () => {
  const { store, failed } = await logWith(2)
  expect(await reactionOf(store, spend, withoutEvent(retried(failed)))).toEqual(failed)
})

test('a letter that says nothing but a position of another log means the same event', async () => {
  const before = await logWith(2)
  const now = await logWith(3)
  expect(await reactionOf(now.store, spend, withoutEvent(retried(before.failed)))).toEqual(now.failed)
})

test('a letter of a job, or of another process, means nothing to this one', async () => {
  const { store, failed } = await logWith(2)
  expect(await reactionOf(store, spend, retried(failed, { source: 'job', position: 0 }))).toBeUndefined()
  expect(await reactionOf(store, spend, retried(failed, { name: 'save' }))).toBeUndefined()
})

test('a letter whose event is not in this log means none', async () => {
  const { store, failed } = await logWith(2)
  const elsewhere = { ...failed, id: 'elsewhere', stream: 'account-b' }
  expect(await reactionOf(store, spend, retried(elsewhere))).toBeUndefined()
})
