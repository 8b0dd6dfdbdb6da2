import { expect, test } from 'vitest'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { deadLetterEvents } from '../../src/engine/dead-letter.ts'
import { job } from '../../src/engine/job.ts'
import { type OpenWork, openWork } from '../../src/engine/open-work.ts'
import { idOf } from '../../src/engine/streams.ts'
import { openWorkQueries } from '../../src/projections/open-work.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import type { Happening } from '../../src/testing/recording.ts'

const capture = job({
  name: 'capture',
  of: payment,
  from: [paymentEvents],
  opens: { CaptureRequested: (event) => ({ target: idOf(event.stream), key: '', dueAt: event.metadata.occurredAt }) },
  settles: { PaymentCaptured: (event) => ({ target: idOf(event.stream), key: '' }) },
  isOpen: () => true,
  run: async () => [],
})
const work = openWork([capture])
const { given } = readModel(work)
const [listOpenWork] = openWorkQueries(work)
const operator = { principal: asStaff('system') }
const of = (id: string) => happenings(paymentEvents, id)
const orderId = 'order-1'

test('work is listed while it is open, what is due first', async () => {
  const shop = given(
    of('one')('CaptureRequested', { orderId }),
    of('two')('CaptureRequested', { orderId }),
    of('three')('CaptureRequested', { orderId }),
    of('two')('PaymentCaptured', { orderId, amount: 100, currency: 'EUR' }),
  )
  expect(await shop.ask(listOpenWork, {}, operator)).toMatchObject({
    items: [
      { id: 'capture:one', job: 'capture', target: 'one', dueAt: '2026-01-15T09:30:00.000Z' },
      { id: 'capture:three' },
    ],
  })
  expect(await shop.ask(listOpenWork, { dueTo: '2026-01-15T10:31:00+01:00' }, operator)).toMatchObject({
    items: [{ id: 'capture:one' }],
  })
  expect(await shop.ask(listOpenWork, { job: 'expire' }, operator)).toMatchObject({ items: [] })
  expect(await shop.ask(listOpenWork, { job: 'capture' }, operator)).toMatchObject({ items: [{}, {}] })
})

test('work that was set aside says so, is taken up again when it is retried, and gone when it is discarded', async () => {
  const letter = happenings(deadLetterEvents, 'letter')
  const about = { source: 'job', name: 'capture', subject: 'capture:one', dueAt: '2026-01-15T09:30:00.000Z' } as const
  const opened = of('one')('CaptureRequested', { orderId })
  const raised = letter('DeadLetterRaised', { ...about, position: 0, reason: 'Down' })
  const retried = letter('DeadLetterRetried', { ...about, position: 0 })
  const discarded = letter('DeadLetterDiscarded', { work: about, reason: 'Done by hand' })
  const marks = async (...events: Happening[]) => {
    const { items } = (await given(...events).ask(listOpenWork, {}, operator)) as { items: OpenWork[] }
    return items.map(({ deadLetter }) => deadLetter)
  }
  expect(await marks(opened)).toEqual([undefined])
  expect(await marks(opened, raised)).toEqual(['open'])
  expect(await marks(opened, raised, retried)).toEqual(['retried'])
  expect(await marks(opened, raised, discarded)).toEqual([])
  const ofAnotherTime = { ...about, dueAt: '2025-12-24T00:00:00.000Z' }
  expect(await marks(opened, letter('DeadLetterDiscarded', { work: ofAnotherTime, reason: 'Old' }))).toEqual([
    undefined,
  ])
})

test('only operators may ask', async () => {
  await expect(given().ask(listOpenWork, {}, { principal: asStaff('orders') })).rejects.toThrow('forbidden')
})
