import { AssertionError } from 'node:assert/strict'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { staff } from '../../src/engine/access.ts'
import { defineEvents } from '../../src/engine/events.ts'
import { personal } from '../../src/engine/personal-data.ts'
import { collection, projection } from '../../src/engine/projection.ts'
import { documentQuery } from '../../src/engine/query-definition.ts'
import { idOf } from '../../src/engine/streams.ts'
import { asCustomer, asStaff, happenings, readModel } from '../../src/testing/read-model.ts'

/** Tests of the tests of read models: how often a guest was counted. */

const events = defineEvents('counter', { Counted: z.object({ by: z.int(), name: personal(z.string()) }) })
const Count = z.object({ total: z.int(), name: personal(z.string()) })
const counts = collection('counts', Count, {})

const counting = (add: (total: number, by: number) => number) =>
  projection({
    name: 'counts',
    version: 1,
    collections: [counts],
    from: [events],
    on: {
      Counted: ({ stream, data: { by, name } }) =>
        counts.change(idOf(stream), (found) => ({ total: add(found?.total ?? 0, by), name })),
    },
  })
const right = counting((total, by) => total + by)
const { given } = readModel(right)
const getCount = documentQuery({
  name: 'getCount',
  route: 'GET /v1/counts/{counterId}',
  summary: 'See a count',
  who: staff('orders'),
  from: right,
  of: counts,
  parameters: z.object({ counterId: z.string() }),
  id: ({ counterId }) => counterId,
})

const counter = happenings(events, 'c-1')
const counted = [counter('Counted', { by: 2, name: 'Ada' }), counter('Counted', { by: 3, name: 'Ada' })]
const byId = { counterId: 'c-1' }
const principal = asStaff('orders')

test('what is right passes', async () => {
  await given(...counted).expect({ counts: { 'c-1': { total: 5, name: 'Ada' } } })
  expect(await given(...counted).ask(getCount, byId, { principal })).toEqual({ total: 5, name: 'Ada' })
  expect(await given().ask(getCount, byId, { principal })).toBeUndefined()
  expect(await given(...counted).ask(getCount, byId, { principal, forgotten: ['c-1'] })).toEqual({
    total: 5,
    name: null,
  })
})

test('it fails for other documents, and says what differs', async () => {
  const failing = given(...counted).expect({ counts: { 'c-1': { total: 6, name: 'Ada' } } })
  await expect(failing).rejects.toThrow(AssertionError)
  await expect(failing).rejects.toThrow(/counts: [\s\S]*total: 5[\s\S]*total: 6/)
  await expect(given(...counted).expect({ counts: {} })).rejects.toThrow(AssertionError)
  await expect(given(...counted).expect({ others: {} })).rejects.toThrow(AssertionError)
})

test('it fails for a read model that looks at more than the events', async () => {
  let calls = 0
  const counted1 = readModel(counting(() => ++calls)).given(...counted)
  await expect(counted1.documents()).rejects.toThrow('folded one at a time')
})

test('it fails for documents that their schema refuses', async () => {
  const half = readModel(counting((total, by) => total + by / 2)).given(...counted)
  await expect(half.documents()).rejects.toThrow('A document of counts is not what its schema says')
})

test('it fails for an event that its schema refuses', async () => {
  const half = given(counter('Counted', { by: 0.5, name: 'Ada' }))
  await expect(half.documents()).rejects.toThrow('Counted is not what its schema says')
})

test('it fails for who may not ask', async () => {
  await expect(given().ask(getCount, byId)).rejects.toThrow('unauthenticated')
  await expect(given().ask(getCount, byId, { principal: asCustomer('ada') })).rejects.toThrow('forbidden')
})
