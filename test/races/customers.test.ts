import { expect, test } from 'vitest'
import { openShop } from '../integration/open-shop.ts'
import { unlimited } from './crowd.ts'

test('of many customers with one e-mail address one is registered, and the others are told why not', async () => {
  const { send, get, post } = await openShop(unlimited)
  const rivals = 8
  for (let round = 0; round < 15; round++) {
    const spellings = [`ada${round}@example.com`, `Ada${round}@Example.com`, `ADA${round}@EXAMPLE.COM`]
    const ids = Array.from({ length: rivals }, (_, number) => `customer-${round}-${number}`)
    const register = (id: string, number: number) =>
      send('POST', '/v1/customers', { body: { id, email: spellings[number % spellings.length], name: 'Ada' } })
    const answers = await Promise.all(ids.map(register))
    const winners = ids.filter((_, number) => answers[number]?.status === 201)
    expect(winners).toHaveLength(1)
    for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, body.code]).toEqual([409, 'e-mail-address-taken'])
    }
    // Nothing is left of the others: their ids are free, and not theirs.
    const position = answers.find(({ status }) => status === 201)?.headers.get('daybook-position') ?? ''
    const headers = { 'daybook-position': position }
    const found = await Promise.all(ids.map((id) => send('GET', `/v1/customers/${id}`, { headers })))
    expect(found.map(({ status }) => status === 200)).toEqual(ids.map((id) => winners.includes(id)))
    const loser = ids.find((id) => !winners.includes(id))
    await post('/v1/customers', { id: loser, email: `other${round}@example.com`, name: 'Bob' })
  }
  expect((await get('/v1/admin/customers?limit=100')).items).toHaveLength(30)
}, 60_000)
