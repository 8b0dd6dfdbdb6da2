import { connect } from 'node:net'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import type { ApiOptions } from '../../src/api/api.ts'
import type { Operation } from '../../src/api/operation-route.ts'
import { operation } from '../../src/api/operation-route.ts'
import { anyone } from '../../src/engine/access.ts'
import { serve } from './serve.ts'

function problemOf(answer: { statusCode: number; headers: Record<string, unknown>; json(): { code: string } }) {
  expect(answer.headers['content-type']).toContain('application/problem+json')
  return [answer.statusCode, answer.json().code]
}

/** Sends bytes as they are and answers what comes back until the server closes. */
function sendBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      received += chunk.toString()
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

const failing: Operation = operation({
  name: 'fail',
  method: 'POST',
  path: '/v1/failures',
  summary: 'Fail',
  who: anyone(),
  parameters: z.object({}),
  status: 204,
  run: () => Promise.reject(new Error('a secret of the inside')),
})

test('What can’t be read is refused before anything is done', async () => {
  const { send, staff } = await serve()
  const post = (raw: string, headers = {}) => send('POST /v1/venues', { as: staff, raw, headers })
  expect(problemOf(await post('{"a":'))).toEqual([400, 'invalid-json'])
  expect(problemOf(await post('{"__proto__":{"a":1}}'))).toEqual([400, 'invalid-json'])
  expect(problemOf(await post('{"constructor":{"prototype":1}}'))).toEqual([400, 'invalid-json'])
  expect(problemOf(await post('{}', { 'content-type': 'text/plain' }))).toEqual([415, 'unsupported-media-type'])
  expect(problemOf(await post('{}', { 'content-type': 'nonsense' }))).toEqual([415, 'unsupported-media-type'])
  expect(problemOf(await post(`"${'x'.repeat(300_000)}"`))).toEqual([413, 'body-too-large'])
  expect(problemOf(await post('['.repeat(200_000)))).toEqual([400, 'invalid-json'])
  const deep = `{"slug":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  expect(problemOf(await post(deep))).toEqual([422, 'invalid'])
})

test('A body that is JSON, with names that are refused, is not called anything else', async () => {
  const { send, staff } = await serve()
  const detailOf = async (raw: string) => (await send('POST /v1/venues', { as: staff, raw })).json().detail
  expect(await detailOf('{"a":')).toBe('The body is not valid JSON.')
  const refused = 'The body has a field `__proto__`, or `constructor` with a field `prototype`. Leave it out.'
  expect(await detailOf('{"a":[{"__proto__":1}]}')).toBe(refused)
  expect(await detailOf('{"constructor":{"prototype":1}}')).toBe(refused)
})

test('Unknown addresses are 404, wrong methods 405 with those that are right', async () => {
  const { send } = await serve()
  expect(problemOf(await send('GET /nothing'))).toEqual([404, 'route-not-found'])
  expect(problemOf(await send('GET /v1/venues/%ff'))).toEqual([400, 'bad-request'])
  const wrong = await send('PUT /v1/bookings/b1')
  expect(problemOf(wrong)).toEqual([405, 'method-not-allowed'])
  expect(wrong.headers.allow).toBe('DELETE, GET')
})

test('An error of the inside is logged, and told to nobody', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
  const { send } = await serve({ api: { operations: [failing], logger } })
  const answer = await send('POST /v1/failures', { headers: { 'daybook-correlation-id': 'trace-0001' } })
  expect(problemOf(answer)).toEqual([500, 'internal'])
  expect(answer.body).not.toContain('secret')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 50,
    correlationId: 'trace-0001',
    err: { message: 'a secret of the inside' },
  })
})

test('Requests that are answered are not logged', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
  const { send } = await serve({ api: { logger } })
  await send('GET /v1/venues/globe')
  await send('POST /v1/venues', { raw: '{' })
  expect(lines).toEqual([])
})

test('Each caller has a limit of requests, and addresses one for those who have no token', async () => {
  const { send, ada } = await serve({ limits: { requestsPerMinute: 3 } })
  for (let count = 0; count < 3; count++) await send('GET /v1/venues/globe', { as: ada })
  const tooMany = await send('GET /v1/venues/globe', { as: ada })
  expect(problemOf(tooMany)).toEqual([429, 'too-many-requests'])
  expect(Number(tooMany.headers['retry-after'])).toBeGreaterThan(0)
  for (let count = 0; count < 3; count++) {
    expect((await send('GET /v1/venues/globe')).statusCode).toBe(404)
  }
  expect((await send('GET /v1/venues/globe')).statusCode).toBe(429)
  expect((await send('GET /nothing')).statusCode).toBe(429)
  expect((await send('GET /health/live')).statusCode).toBe(200)
})

test('Guests count by their address, for anybody can have as many tokens as it likes', async () => {
  const { send, bob, issuer } = await serve({ limits: { requestsPerMinute: 2 } })
  expect((await send('GET /v1/venues/globe', { as: bob })).statusCode).toBe(404)
  expect((await send('GET /v1/venues/globe')).statusCode).toBe(404)
  const another = (await issuer.issue('guest', 'another')).token
  expect((await send('GET /v1/venues/globe', { as: another })).statusCode).toBe(429)
})

test.each<[string, ApiOptions['trustProxy'], boolean]>([
  ['nobody', [], false],
  ['a proxy elsewhere', ['10.0.0.0/8'], false],
  ['its address', ['10.0.0.0/8', '127.0.0.1'], true],
  ['one hop', 1, true],
])(
  'Where %s is trusted, what a proxy says it has seen, and no client, names the address',
  async (_, trustProxy, isBelieved) => {
    const { send } = await serve({ limits: { requestsPerMinute: 1 }, api: { trustProxy } })
    const from = async (forwarded: string) =>
      (await send('GET /v1/venues/globe', { headers: { 'x-forwarded-for': forwarded } })).statusCode
    expect(await from('192.0.2.1')).toBe(404)
    expect(await from('192.0.2.9, 192.0.2.1')).toBe(429)
    expect(await from('192.0.2.2')).toBe(isBelieved ? 404 : 429)
  },
)

test('Who is refused counts, too', async () => {
  const { send } = await serve({ limits: { requestsPerMinute: 2 } })
  for (let count = 0; count < 2; count++) expect((await send('GET /v1/bookings', { as: 'bad' })).statusCode).toBe(401)
  expect((await send('GET /v1/bookings', { as: 'bad' })).statusCode).toBe(429)
})

test('Guest tokens have a limit of their own', async () => {
  const { send, ada } = await serve({ limits: { guestTokensPerMinute: 1 } })
  expect((await send('POST /v1/guest-tokens')).statusCode).toBe(201)
  expect((await send('POST /v1/guest-tokens', { as: ada })).statusCode).toBe(429)
})

test('Pages of named origins may call, others may not', async () => {
  const { send } = await serve()
  const preflight = (origin: string) =>
    send('OPTIONS /v1/bookings', { headers: { origin, 'access-control-request-method': 'POST' } })
  const named = await preflight('https://shop.example')
  expect(named.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).not.toBe(
    'https://evil.example',
  )
  const answer = await send('GET /v1/venues/globe', { headers: { origin: 'https://shop.example' } })
  for (const name of ['Daybook-Position', 'ETag', 'Location', 'Retry-After']) {
    expect(answer.headers['access-control-expose-headers']).toContain(name)
  }
})

test('By default no page of another origin may call', async () => {
  const { send } = await serve({ api: { corsOrigins: [] } })
  const answer = await send('GET /v1/venues/globe', { headers: { origin: 'https://shop.example' } })
  expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
})

test('A server that drains refuses new requests and is not ready, but lives', async () => {
  const { send, drain } = await serve()
  drain()
  const refused = await send('GET /v1/venues/globe')
  expect(problemOf(refused)).toEqual([503, 'draining'])
  expect(refused.headers['retry-after']).toBe('1')
  expect((await send('GET /health/ready')).json().status).toBe('draining')
  expect((await send('GET /health/live')).statusCode).toBe(200)
})

test('Who waits for an outcome is answered when the server stops', async () => {
  const { openVenue, send, ada, newKey, drain, engine } = await serve()
  const until = vi.spyOn(engine.watch, 'until')
  await openVenue('globe')
  const body = { venueId: 'globe', seats: 1, email: 'ada@example.com' }
  const waiting = send('POST /v1/bookings', { as: ada, body, headers: { ...newKey(), prefer: 'wait=30' } })
  await expect.poll(() => until.mock.calls).not.toHaveLength(0)
  drain()
  expect((await waiting).statusCode).toBe(202)
})

test('A stop closes connections that are kept open, those too that it had to wait for', async () => {
  const { app, openVenue, ada, newKey, engine } = await serve()
  const until = vi.spyOn(engine.watch, 'until')
  await openVenue('globe')
  const listening: Promise<string> = app.listen({ port: 0, host: '127.0.0.1' })
  const waiting = fetch(`${await listening}/v1/bookings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ada}`, 'content-type': 'application/json', ...newKey(), prefer: 'wait=30' },
    body: JSON.stringify({ venueId: 'globe', seats: 1, email: 'ada@example.com' }),
  })
  await expect.poll(() => until.mock.calls).not.toHaveLength(0)
  const closed: Promise<void> = app.close()
  const answer = await waiting
  expect([answer.status, answer.headers.get('connection')]).toEqual([202, 'close'])
  await closed
})

test('Over a socket: bodies of 10 MB, broken requests, and a stop that waits for what is under way', async () => {
  const { app, staff, engine } = await serve()
  const listening: Promise<string> = app.listen({ port: 0, host: '127.0.0.1' })
  const address = await listening
  const port = Number(new URL(address).port)

  const large = await fetch(`${address}/v1/venues`, {
    method: 'POST',
    headers: { authorization: `Bearer ${staff}`, 'content-type': 'application/json' },
    body: `{"slug":"${'x'.repeat(10_000_000)}"}`,
  }).then(
    ({ status }) => status,
    // The server may close before all of it was sent.
    () => 413,
  )
  expect(large).toBe(413)
  expect(await sendBytes(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"bad-request"/)
  const overflow = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`
  expect(await sendBytes(port, overflow)).toMatch(/^HTTP\/1.1 431 [\s\S]*"code":"headers-too-large"/)
  const badHost = 'GET /reference HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'
  expect(await sendBytes(port, badHost)).toMatch(/^HTTP\/1.1 400 /)

  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const { waitFor } = engine.projections
  vi.spyOn(engine.projections, 'waitFor').mockImplementation(async (...asked) => {
    await held
    await waitFor(...asked)
  })
  onTestFinished(() => letGo())
  const position = (
    await fetch(`${address}/v1/venues`, {
      method: 'POST',
      headers: { authorization: `Bearer ${staff}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'globe', slug: 'globe', title: 'Globe' }),
    })
  ).headers.get('daybook-position')
  const underWay = fetch(`${address}/v1/venues/globe`, { headers: { 'daybook-position': position ?? '' } })
  await expect.poll(() => vi.mocked(engine.projections.waitFor).mock.calls).not.toHaveLength(0)
  const closed = app.close()
  letGo()
  expect((await underWay).status).toBe(200)
  await closed
  await expect(fetch(`${address}/health/live`)).rejects.toThrow()
})
