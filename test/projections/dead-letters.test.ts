import { expect, test } from 'vitest'
import { deadLetterEvents } from '../../src/engine/dead-letter.ts'
import { deadLetterQueries, deadLetters } from '../../src/projections/dead-letters.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'

const { given } = readModel(deadLetters)
const [listDeadLetters] = deadLetterQueries
const operator = { principal: asStaff('system') }
const letter = { source: 'job', name: 'capture-payment', subject: 'payment-1', position: 0, reason: 'Down' } as const
const raised = (id: string, name: string = letter.name) =>
  happenings(deadLetterEvents, id)('DeadLetterRaised', { ...letter, name })

test('what was set aside is listed, the newest first', async () => {
  const shop = given(raised('one'), raised('two'), raised('three', 'refund-payment'))
  expect(await shop.ask(listDeadLetters, {}, operator)).toMatchObject({
    items: [
      { id: 'three', name: 'refund-payment', raisedAt: '2026-01-15T09:32:00.000Z' },
      { id: 'two', subject: 'payment-1', reason: 'Down', revision: 0 },
      { id: 'one' },
    ],
  })
  const ofOne = await shop.ask(listDeadLetters, { name: 'capture-payment' }, operator)
  expect(ofOne).toMatchObject({ items: [{ id: 'two' }, { id: 'one' }] })
})

test('what is retried or discarded is gone, and back when it fails again', async () => {
  const one = happenings(deadLetterEvents, 'one')
  const { source, name, subject, position } = letter
  const retried = one('DeadLetterRetried', { source, name, subject, position })
  const discarded = happenings(deadLetterEvents, 'two')('DeadLetterDiscarded', {})
  const before = [raised('one'), raised('two'), retried, discarded]
  await given(...before).expect({ open: {} })
  const again = given(...before, one('DeadLetterRaised', { ...letter, reason: 'Still down' }))
  expect(await again.ask(listDeadLetters, {}, operator)).toMatchObject({
    items: [{ id: 'one', reason: 'Still down', revision: 2 }],
  })
})

test('only operators may ask', async () => {
  const asked = given().ask(listDeadLetters, {}, { principal: asStaff('orders') })
  await expect(asked).rejects.toThrow('forbidden')
})
