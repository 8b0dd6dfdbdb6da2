import { expect, test, vi } from 'vitest'
import { serve } from './serve.ts'

const guest = { venueId: 'globe', seats: 2, email: 'ada@example.com' }

test('A command that creates is answered 201, with where it can be read', async () => {
  const { openVenue } = await serve()
  const answer = await openVenue('globe')
  expect(answer.statusCode).toBe(201)
  expect(answer.headers.location).toBe('/v1/venues/globe')
  expect(answer.json()).toEqual({ id: 'globe', revision: 0, position: answer.headers['daybook-position'] })
})

test('Another command is answered 200, with the revision after it', async () => {
  const { openVenue, send, staff } = await serve()
  await openVenue('globe')
  const answer = await send('POST /v1/venues/globe/rename', { as: staff, body: { slug: 'rose', title: 'Rose' } })
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({ id: 'globe', revision: 1 })
})

test('The same key is the same request, and has an id of its own for each caller and each route', async () => {
  const { openVenue, send, ada, bob } = await serve()
  await openVenue('globe')
  const headers = { 'idempotency-key': 'once' }
  const first = await send('POST /v1/bookings', { as: ada, body: guest, headers })
  const again = await send('POST /v1/bookings', { as: ada, body: guest, headers })
  const reordered = { email: guest.email, seats: 2, venueId: 'globe' }
  const differently = await send('POST /v1/bookings', { as: ada, body: reordered, headers })
  const others = await send('POST /v1/bookings', { as: bob, body: guest, headers })
  expect(again.statusCode).toBe(201)
  expect(again.json()).toEqual(first.json())
  expect(differently.json()).toEqual(first.json())
  expect(others.statusCode).toBe(201)
  expect(others.json().id).not.toBe(first.json().id)
})

test('The same key with another body is refused', async () => {
  const { openVenue, send, ada } = await serve()
  await openVenue('globe')
  const headers = { 'idempotency-key': 'once' }
  await send('POST /v1/bookings', { as: ada, body: guest, headers })
  const answer = await send('POST /v1/bookings', { as: ada, body: { ...guest, seats: 3 }, headers })
  expect(answer.statusCode).toBe(422)
  expect(answer.json().code).toBe('idempotency-key-reused')
})

test('The same key many times at once takes effect once', async () => {
  const { openVenue, send, ada, store } = await serve()
  await openVenue('globe')
  const headers = { 'idempotency-key': 'once' }
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => send('POST /v1/bookings', { as: ada, body: guest, headers })),
  )
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  const filter = { categories: new Set(['booking']) }
  for await (const { events } of store.readAll({ after: 0, filter })) expect(events).toHaveLength(1)
})

test('Without a key each request is a new one', async () => {
  const { send, staff } = await serve()
  const ids = new Set<string>()
  for (const slug of ['globe', 'rose']) {
    ids.add((await send('POST /v1/venues', { as: staff, body: { slug, title: 'Globe' } })).json().id)
  }
  expect(ids.size).toBe(2)
})

test('A command that needs a key says so, and what is no key is refused', async () => {
  const { send, ada } = await serve()
  const missing = await send('POST /v1/bookings', { as: ada, body: guest })
  expect(missing.statusCode).toBe(400)
  expect(missing.json().code).toBe('idempotency-key-required')
  for (const key of ['', 'x'.repeat(201), 'a\u00e9']) {
    const answer = await send('POST /v1/bookings', { as: ada, body: guest, headers: { 'idempotency-key': key } })
    expect(answer.json().code).toBe('idempotency-key-invalid')
  }
})

test('If-Match takes the revision, and nothing else', async () => {
  const { openVenue, send, staff } = await serve()
  await openVenue('globe')
  const rename = (tag: string) =>
    send('POST /v1/venues/globe/rename', {
      as: staff,
      body: { slug: 'globe', title: 'Rose' },
      headers: { 'if-match': tag },
    })
  expect((await rename('"0"')).statusCode).toBe(200)
  const stale = await rename('"0"')
  expect(stale.statusCode).toBe(412)
  expect(stale.json()).toMatchObject({ code: 'revision-mismatch', details: { revision: 1 } })
  for (const tag of ['0', 'W/"0"', '"a"', '*', '"0", "1"']) expect((await rename(tag)).statusCode).toBe(400)
})

test('A retry with If-Match gets its first answer though the revision has moved on', async () => {
  const { openVenue, send, staff } = await serve()
  await openVenue('globe')
  const rename = () =>
    send('POST /v1/venues/globe/rename', {
      as: staff,
      body: { slug: 'globe', title: 'Rose' },
      headers: { 'if-match': '"0"', 'idempotency-key': 'once' },
    })
  const first = await rename()
  expect((await rename()).body).toBe(first.body)
})

test('A broken rule is 409 with its code and its facts; what does not exist is 404', async () => {
  const { openVenue, send, staff, ada, newKey } = await serve()
  await openVenue('globe')
  const broken = await send('POST /v1/venues', { as: staff, body: { slug: 'rose', title: 'Forbidden' } })
  expect(broken.statusCode).toBe(409)
  expect(broken.headers['content-type']).toContain('application/problem+json')
  expect(broken.json()).toMatchObject({
    type: 'about:blank',
    title: 'Conflict',
    status: 409,
    code: 'title-forbidden',
    detail: 'A venue can’t be called so.',
    details: { title: 'Forbidden' },
    correlationId: broken.headers['daybook-correlation-id'],
  })
  const missing = await send('POST /v1/bookings', { as: ada, body: { ...guest, venueId: 'no' }, headers: newKey() })
  expect(missing.statusCode).toBe(404)
  expect(missing.json().code).toBe('venue-not-found')
})

test('Faults are found all at once, each with its place', async () => {
  const { send, ada, newKey } = await serve()
  const body = { seats: 0, email: 'no', 'a/b~c': 1 }
  const answer = await send('POST /v1/bookings', { as: ada, body, headers: newKey() })
  expect(answer.statusCode).toBe(422)
  expect(answer.json().code).toBe('invalid')
  const pointers = answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)
  expect(pointers.sort()).toEqual(['#/a~1b~0c', '#/email', '#/seats', '#/venueId'])
})

test.each([
  ['a list', []],
  ['a text', 'x'],
  ['null', null],
  ['a personal value that is null', { ...guest, email: null }],
  ['a lone surrogate', { ...guest, venueId: '\ud800' }],
  ['deep nesting', { ...guest, deep: JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) }],
])('A body that is %s is refused', async (_name, body) => {
  const { send, ada, newKey } = await serve()
  const answer = await send('POST /v1/bookings', { as: ada, body, headers: newKey() })
  expect(answer.statusCode).toBe(422)
})

test('A field of the path is no field of the body, and is checked like one', async () => {
  const { book, send, ada } = await serve()
  const { id } = await book()
  const put = (seat: string, body: object) => send(`PUT /v1/bookings/${id}/seats/${seat}`, { as: ada, body })
  expect((await put('a1', { label: 'window' })).statusCode).toBe(200)
  expect((await put('a1', { label: 'window', seat: 'a2' })).json().errors).toEqual([
    { detail: 'It is in the path already.', pointer: '#/seat' },
  ])
  expect((await put('%21', { label: 'window' })).json().errors[0].parameter).toBe('seat')
})

test('A command without content may be sent without a body', async () => {
  const { book, send, ada, staff } = await serve()
  const { id } = await book()
  expect((await send(`POST /v1/bookings/${id}/confirm`, { as: staff })).statusCode).toBe(200)
  expect((await send(`POST /v1/bookings/${id}/confirm`, { as: staff, raw: '' })).statusCode).toBe(200)
  expect((await send(`DELETE /v1/bookings/${id}`, { as: ada })).statusCode).toBe(200)
})

test('What is somebody else’s does not exist', async () => {
  const { book, send, ada, bob } = await serve()
  const { id } = await book(ada)
  const theirs = await send(`DELETE /v1/bookings/${id}`, { as: bob })
  const nobodys = await send('DELETE /v1/bookings/none', { as: bob })
  expect(theirs.statusCode).toBe(404)
  expect({ ...theirs.json(), details: 0, correlationId: 0 }).toEqual({
    ...nobodys.json(),
    details: 0,
    correlationId: 0,
  })
})

test('Personal data is sealed before anything is stored', async () => {
  const { book, store } = await serve()
  await book()
  for await (const { events } of store.readAll({ after: 0 })) {
    expect(JSON.stringify(events)).not.toContain('ada@example.com')
  }
})

test('Events say who asked, under which correlation id', async () => {
  const { openVenue, send, staff, store } = await serve()
  await openVenue('globe')
  const answer = await send('POST /v1/venues/globe/rename', {
    as: staff,
    body: { slug: 'globe', title: 'Rose' },
    headers: { 'daybook-correlation-id': 'trace-0001' },
  })
  expect(answer.headers['daybook-correlation-id']).toBe('trace-0001')
  const { position } = await store.head()
  expect((await store.eventAt(position))?.metadata).toMatchObject({
    actor: { kind: 'staff', id: 'all' },
    correlationId: 'trace-0001',
  })
  const bad = await send('GET /v1/venues/globe', { headers: { 'daybook-correlation-id': 'a b' } })
  expect(bad.json().code).toBe('correlation-id-invalid')
})

test('History can be brought in by who may, and not from the future', async () => {
  const { openVenue, send, staff, ada, newKey, store } = await serve()
  await openVenue('globe')
  const rename = (as: string, at: string) =>
    send('POST /v1/venues/globe/rename', {
      as,
      body: { slug: 'globe', title: 'Rose' },
      headers: { 'daybook-occurred-at': at },
    })
  expect((await rename(staff, '2011-12-09T12:50:00Z')).statusCode).toBe(200)
  const event = await store.eventAt((await store.head()).position)
  expect(event?.metadata).toMatchObject({ occurredAt: '2011-12-09T12:50:00.000Z', imported: true })
  for (const at of ['yesterday', '2011-12-09', '2999-01-01T00:00:00Z']) {
    expect((await rename(staff, at)).json().code).toBe('occurred-at-invalid')
  }
  const headers = { ...newKey(), 'daybook-occurred-at': '2011-12-09T12:50:00Z' }
  const forbidden = await send('POST /v1/bookings', { as: ada, body: guest, headers })
  expect(forbidden.statusCode).toBe(403)
  expect(forbidden.json().code).toBe('import-forbidden')
})

test('What starts work is no history: the work would never be done', async () => {
  const { book, send, staff } = await serve()
  const { id } = await book()
  const headers = { 'daybook-occurred-at': '2011-12-09T12:50:00Z' }
  const refused = await send(`POST /v1/bookings/${id}/confirm`, { as: staff, headers })
  expect(refused.statusCode).toBe(400)
  expect(refused.json().code).toBe('occurred-at-not-allowed')
  expect((await send(`POST /v1/bookings/${id}/confirm`, { as: staff })).statusCode).toBe(200)
})

test('Prefer: wait answers with the outcome, or 202 when it does not come in time', async () => {
  const { openVenue, send, ada, staff, clock, engine } = await serve()
  const until = vi.spyOn(engine.watch, 'until')
  await openVenue('globe')
  const key = { 'idempotency-key': 'once' }
  const { id } = (await send('POST /v1/bookings', { as: ada, body: guest, headers: key })).json()
  const headers = { ...key, prefer: 'wait=5' }

  const slow = send('POST /v1/bookings', { as: ada, body: guest, headers })
  await expect.poll(() => until.mock.calls).toHaveLength(1)
  await clock.advance(5_000)
  const late = await slow
  expect(late.statusCode).toBe(202)
  expect(late.headers['preference-applied']).toBeUndefined()
  expect(late.json().id).toBe(id)

  const waiting = send('POST /v1/bookings', { as: ada, body: guest, headers })
  await expect.poll(() => until.mock.calls).toHaveLength(2)
  const confirmed = await send(`POST /v1/bookings/${id}/confirm`, { as: staff })
  const answer = await waiting
  expect(answer.statusCode).toBe(201)
  expect(answer.headers['preference-applied']).toBe('wait=5')
  expect(answer.headers['daybook-position']).toBe(confirmed.headers['daybook-position'])
})

test('Who would wait when too many do is answered at once', async () => {
  const { openVenue, send, ada, newKey } = await serve({ limits: { outcomeWaiters: 0 } })
  await openVenue('globe')
  const headers = { ...newKey(), prefer: 'wait=30' }
  expect((await send('POST /v1/bookings', { as: ada, body: guest, headers })).statusCode).toBe(202)
})
