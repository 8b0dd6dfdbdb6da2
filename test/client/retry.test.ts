import { expect, test } from 'vitest'
import { createClient, ProblemError, UnreachableError } from '../../src/client/client.ts'
import { pauseOf, retryAfterMs, retrying } from '../../src/client/retry.ts'
import { serveHttp } from '../adapters/sandbox/http-server.ts'
import { freePort } from '../free-port.ts'

const soon = { pauseMs: 1 }

/** Answers with these statuses, one after the other, and with the last one ever after. */
async function answering(statuses: readonly number[], retryAfter?: string) {
  const keys: (string | undefined)[] = []
  const url = await serveHttp((request, answer) => {
    const status = statuses[Math.min(keys.length, statuses.length - 1)] ?? 200
    keys.push(String(request.headers['idempotency-key']))
    const headers = retryAfter !== undefined && status !== 200 ? { 'retry-after': retryAfter } : {}
    const problem = { code: 'too-much', detail: 'Come again.', correlationId: 'c-1', errors: [{ detail: 'There.' }] }
    answer.writeHead(status, headers).end(JSON.stringify(status === 200 ? { id: 'cart-1' } : problem))
  })
  return { url, keys }
}

test.each([[429], [503], [502], [504]])('What is answered %i is sent again, with the same key', async (status) => {
  const { url, keys } = await answering([status, status, 200])
  const client = createClient({ url, retry: soon })
  expect(await client.post('/v1/carts', { body: { currency: 'EUR' } })).toEqual({ id: 'cart-1' })
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/)
})

test('Each command has a key of its own, or the one that it is given', async () => {
  const { url, keys } = await answering([200])
  const client = createClient({ url, retry: soon })
  await client.post('/v1/carts', { body: { currency: 'EUR' } })
  await client.post('/v1/carts', { body: { currency: 'EUR' } })
  await client.post('/v1/carts', { body: { currency: 'EUR' }, idempotencyKey: 'mine' })
  expect(new Set(keys).size).toBe(3)
  expect(keys[2]).toBe('mine')
})

test('After so many tries the last answer counts, with all that it says', async () => {
  const { url, keys } = await answering([503], '0')
  const client = createClient({ url, retry: { ...soon, tries: 3 } })
  const refused = await client.get('/v1/carts').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(ProblemError)
  expect(refused).toMatchObject({
    status: 503,
    code: 'too-much',
    message: 'Come again.',
    retryAfterMs: 0,
    correlationId: 'c-1',
    errors: [{ detail: 'There.' }],
  })
  expect(keys).toHaveLength(3)
})

test('Who is asked to wait for longer than there is time is told at once', async () => {
  const { url, keys } = await answering([429], '3600')
  const client = createClient({ url, retry: soon })
  await expect(client.get('/v1/carts')).rejects.toMatchObject({ status: 429, retryAfterMs: 3_600_000 })
  expect(keys).toHaveLength(1)
})

test('What may not be sent twice is sent again only where it was refused', async () => {
  const { url, keys } = await answering([429, 503, 200])
  const send = retrying(fetch, soon)
  expect((await send(new Request(url, { method: 'POST', body: '{}' }))).status).toBe(503)
  expect(keys).toHaveLength(2)
  const lost = await serveHttp((request) => request.socket.destroy())
  await expect(send(new Request(lost, { method: 'POST', body: '{}' }))).rejects.toThrow(UnreachableError)
})

test('An error is not sent again', async () => {
  const { url, keys } = await answering([409])
  await expect(createClient({ url, retry: soon }).get('/v1/carts')).rejects.toMatchObject({ status: 409 })
  expect(keys).toHaveLength(1)
})

test('Where nobody answers, that is said, with the reason', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const failed = await createClient({ url, retry: { ...soon, tries: 2 } })
    .get('/v1/carts')
    .catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(UnreachableError)
  expect(failed).toMatchObject({ cause: expect.any(TypeError) })
})

test('A try that hangs is given up, and another one is made', async () => {
  let requests = 0
  const url = await serveHttp((_request, answer) => {
    if (++requests > 1) answer.end('{"items":[]}')
  })
  const client = createClient({ url, retry: { ...soon, tryMs: 100 } })
  expect(await client.get('/v1/carts')).toEqual({ items: [] })
})

test('A signal ends a request under way, and a pause', async () => {
  const arrived = Promise.withResolvers<void>()
  const hanging = await serveHttp(() => arrived.resolve())
  const underWay = new AbortController()
  const asked = createClient({ url: hanging }).get('/v1/carts', { signal: underWay.signal })
  await arrived.promise
  underWay.abort(new Error('No more'))
  await expect(asked).rejects.toThrow('No more')

  const { url, keys } = await answering([503], '30')
  const pausing = new AbortController()
  const paused = createClient({ url }).get('/v1/carts', { signal: pausing.signal })
  await expect.poll(() => keys.length).toBe(1)
  pausing.abort(new Error('Enough'))
  await expect(paused).rejects.toThrow('Enough')
  expect(keys).toHaveLength(1)
})

test('An answer that is no problem becomes one', async () => {
  const url = await serveHttp((_request, answer) => answer.writeHead(404).end('<h1>Not here</h1>'))
  await expect(createClient({ url }).get('/v1/carts')).rejects.toMatchObject({
    status: 404,
    code: 'no-problem',
    errors: [],
  })
})

test('Pauses double, up to the longest, and are never shorter than was asked for', () => {
  const times = { pauseMs: 100, longestPauseMs: 300 }
  expect([1, 2, 3, 4].map((tried) => pauseOf(tried, undefined, 1, times))).toEqual([100, 200, 300, 300])
  expect(pauseOf(1, undefined, 0, times)).toBe(50)
  expect(pauseOf(1, 2_000, 0, times)).toBe(2_050)
})

test('Retry-After is seconds or a date', () => {
  const now = Date.parse('2026-01-15T09:30:00Z')
  expect(retryAfterMs('3', now)).toBe(3_000)
  expect(retryAfterMs('Thu, 15 Jan 2026 09:30:05 GMT', now)).toBe(5_000)
  expect(retryAfterMs('Thu, 15 Jan 2026 09:29:00 GMT', now)).toBe(0)
  expect(retryAfterMs('soon', now)).toBeUndefined()
  expect(retryAfterMs(null, now)).toBeUndefined()
})
