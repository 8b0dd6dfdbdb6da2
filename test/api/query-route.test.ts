import { expect, test, vi } from 'vitest'
import { positionTokens } from '../../src/api/position-token.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import { serve } from './serve.ts'

test('A query that sends a position back shows what the command has done', async () => {
  const { openVenue, send, store } = await serve()
  const { position } = (await openVenue('globe')).json()
  const answer = await send('GET /v1/venues/globe', { headers: { 'daybook-position': position } })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers.etag).toBe('"0"')
  expect(answer.headers['cache-control']).toBe('no-store')
  const tokens = positionTokens(store.logId)
  const reached = tokens.positionOf(String(answer.headers['daybook-position']))
  expect(reached).toBeGreaterThanOrEqual(tokens.positionOf(position))
})

test('An answer has what its schema declares, and nothing else', async () => {
  const { openVenue, send } = await serve()
  const { position } = (await openVenue('globe')).json()
  const answer = await send('GET /v1/venues/globe', { headers: { 'daybook-position': position } })
  expect(answer.json()).toEqual({ venueId: 'globe', revision: 0, title: 'Globe' })
})

test('A position that is not reached in time is 503, never a stale answer', async () => {
  const { openVenue, send, engine } = await serve()
  const { position } = (await openVenue('globe')).json()
  const late = new UnavailableError('not-caught-up', 'venues has not yet reached the position asked for. Try again.')
  vi.spyOn(engine.projections, 'waitFor').mockRejectedValue(late)
  const answer = await send('GET /v1/venues/globe', { headers: { 'daybook-position': position } })
  expect(answer.statusCode).toBe(503)
  expect(answer.json().code).toBe('not-caught-up')
  expect(answer.headers['retry-after']).toBe('1')
})

test('A position beyond the log, as after a restore, is unknown once it was waited for', async () => {
  const { openVenue, send, store, clock, engine } = await serve()
  const waitFor = vi.spyOn(engine.projections, 'waitFor')
  await openVenue('globe')
  const far = positionTokens(store.logId).tokenOf(1_000_000)
  const asking = send('GET /v1/venues/globe', { headers: { 'daybook-position': far } })
  await expect.poll(() => waitFor.mock.calls).not.toHaveLength(0)
  await clock.advance(1_000)
  const answer = await asking
  expect(answer.statusCode).toBe(400)
  expect(answer.json().code).toBe('unknown-position')
})

test.each([
  positionTokens('another log').tokenOf(1),
  'nonsense',
  '',
  `${positionTokens('x').tokenOf(1).slice(0, 11)}zzzzzzzzzzz`,
])('A position of another log, or none, is unknown at once: %s', async (position) => {
  const { send } = await serve()
  const answer = await send('GET /v1/venues/globe', { headers: { 'daybook-position': position } })
  expect(answer.statusCode).toBe(400)
  expect(answer.json().code).toBe('unknown-position')
})

test('Positions go to tokens and back', () => {
  const { tokenOf, positionOf } = positionTokens('log')
  for (const position of [0, 1, 36, Number.MAX_SAFE_INTEGER]) expect(positionOf(tokenOf(position))).toBe(position)
})

test('What does not exist is 404', async () => {
  const { send } = await serve()
  const answer = await send('GET /v1/venues/none')
  expect(answer.statusCode).toBe(404)
  expect(answer.json().code).toBe('not-found')
})

test('What is somebody else’s does not exist, and what is one’s own shows personal data', async () => {
  const { book, send, ada, bob, staff } = await serve()
  const { id, position } = await book(ada)
  const headers = { 'daybook-position': position }
  const own = await send(`GET /v1/bookings/${id}`, { as: ada, headers })
  expect(own.json()).toMatchObject({ bookingId: id, email: 'ada@example.com' })
  expect((await send(`GET /v1/bookings/${id}`, { as: staff, headers })).json().email).toBe('ada@example.com')
  const theirs = await send(`GET /v1/bookings/${id}`, { as: bob, headers })
  const nobodys = await send('GET /v1/bookings/none', { as: bob, headers })
  expect(theirs.statusCode).toBe(404)
  expect({ ...theirs.json(), correlationId: 0 }).toEqual({ ...nobodys.json(), correlationId: 0 })
})

test('Personal data of who was forgotten is null', async () => {
  const { book, send, staff, vault } = await serve()
  const { id, position } = await book()
  await vault.forget('ada')
  const answer = await send(`GET /v1/bookings/${id}`, { as: staff, headers: { 'daybook-position': position } })
  expect(answer.json().email).toBeNull()
})

test('Pages lead to each other by cursors', async () => {
  const { book, send, staff } = await serve()
  let position = ''
  for (let count = 0; count < 3; count++) position = (await book()).position
  const page = async (query: string) => {
    const route = `GET /v1/bookings?${query}`
    return (await send(route, { as: staff, headers: { 'daybook-position': position } })).json()
  }
  const first = await page('limit=2')
  expect(first.items).toHaveLength(2)
  expect(first.items[0].email).toBe('ada@example.com')
  const second = await page(`limit=2&cursor=${first.next}`)
  expect(second.items).toHaveLength(1)
  expect(second.next).toBeNull()
  expect((await page(`limit=2&cursor=${second.previous}`)).items).toEqual(first.items)
})

test('A cursor of another query or of a read model that is gone is refused', async () => {
  const { book, send, staff, engine, clock } = await serve()
  await book()
  const headers = { 'daybook-position': (await book()).position }
  const list = (query: string) => send(`GET /v1/bookings?${query}`, { as: staff, headers })
  const { next } = (await list('limit=1')).json()
  expect((await list(`status=open&cursor=${next}`)).json().code).toBe('cursor-invalid')
  expect((await list('cursor=nonsense')).json().code).toBe('cursor-invalid')
  expect((await list('cursor=nonsense')).statusCode).toBe(400)
  await engine.projections.rebuild('bookings')
  expect((await list(`limit=1&cursor=${next}`)).statusCode).toBe(200)
  await clock.advance(60_000)
  const gone = await list(`limit=1&cursor=${next}`)
  expect(gone.statusCode).toBe(410)
  expect(gone.json().code).toBe('cursor-expired')
})

test('A parameter that may come several times may come once', async () => {
  const { book, send, staff } = await serve()
  const headers = { 'daybook-position': (await book()).position }
  const count = async (query: string) =>
    (await send(`GET /v1/bookings?${query}`, { as: staff, headers })).json().items.length
  expect(await count('status=open')).toBe(1)
  expect(await count('status=cancelled')).toBe(0)
  expect(await count('status=confirmed&status=open')).toBe(1)
})

test.each([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['limit=two', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['status=lost', 'status'],
  ['colour=red', 'colour'],
  ['cursor=%00', 'cursor'],
  ['__proto__=1', '__proto__'],
])('Parameters are checked by name: %s', async (query, parameter) => {
  const { send, staff } = await serve()
  const answer = await send(`GET /v1/bookings?${query}`, { as: staff })
  expect(answer.statusCode).toBe(422)
  expect(answer.json().errors[0].parameter).toBe(parameter)
})
