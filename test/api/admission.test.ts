import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { admission } from '../../src/api/admission.ts'
import { operation } from '../../src/api/operation-route.ts'
import { positionTokens } from '../../src/api/position-token.ts'
import { anyone } from '../../src/engine/access.ts'
import { serve } from './serve.ts'

/** An operation that goes on for as long as it is let. */
function lasting() {
  let begun = 0
  let finish = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const last = operation({
    name: 'last',
    method: 'POST',
    path: '/v1/lasting',
    summary: 'Last',
    who: anyone(),
    parameters: z.object({}),
    status: 204,
    async run() {
      begun++
      await finished
    },
  })
  return { last, finish, begun: () => begun }
}

/** The fictional shop over HTTP, for only what comes by a socket is bounded. */
async function overHttp(given: Parameters<typeof serve>[0]) {
  const shop = await serve(given)
  const listens: Promise<string> = shop.app.listen({ host: '127.0.0.1', port: 0 })
  const url = await listens
  async function ask(route: string, as?: string, sent: { body?: unknown; headers?: Record<string, string> } = {}) {
    const [method = '', path = ''] = route.split(' ')
    const headers = {
      ...sent.headers,
      ...(as !== undefined && { authorization: `Bearer ${as}` }),
      ...(sent.body !== undefined && { 'content-type': 'application/json' }),
    }
    const body = sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }
    const answer = await fetch(new URL(path, url), { method, headers, ...body })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, json: text === '' ? undefined : JSON.parse(text) }
  }
  return { ...shop, url, ask }
}

test('What is more than the server takes is told at once to come again, and nothing of it is read', async () => {
  const { last, finish, begun } = lasting()
  const counted: unknown[] = []
  const metrics = { request: (...told: unknown[]) => counted.push(told), command: () => {} }
  const { ask } = await overHttp({ limits: { maxRequests: 2 }, api: { operations: [last], metrics } })
  const taken = [ask('POST /v1/lasting'), ask('POST /v1/lasting')]
  await expect.poll(begun).toBe(2)
  const { status, headers, json } = await ask('GET /nothing', 'no token', {
    headers: { origin: 'https://shop.example' },
  })
  expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'overloaded', '1'])
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(headers.get('daybook-correlation-id')).toBe(json.correlationId)
  // So that a web page can tell its user; pages of others learn nothing.
  expect(headers.get('access-control-allow-origin')).toBe('https://shop.example')
  const foreign = await ask('GET /nothing', undefined, { headers: { origin: 'https://other.example' } })
  expect(foreign.headers.has('access-control-allow-origin')).toBe(false)
  expect(counted).toContainEqual(['GET', 'none', 503, 0])
  finish()
  expect((await Promise.all(taken)).map((answer) => answer.status)).toEqual([204, 204])
  expect((await ask('GET /nothing')).status).toBe(404)
})

test('A page of any origin can read that it has to come again, where all may call', async () => {
  const { last, finish, begun } = lasting()
  const { ask } = await overHttp({ limits: { maxRequests: 1 }, api: { operations: [last], corsOrigins: ['*'] } })
  const taken = ask('POST /v1/lasting')
  await expect.poll(begun).toBe(1)
  const { status, headers } = await ask('GET /nothing', undefined, { headers: { origin: 'https://other.example' } })
  expect([status, headers.get('access-control-allow-origin')]).toEqual([503, 'https://other.example'])
  finish()
  await taken
})

test('Health is told however much there is to do', async () => {
  const { last, finish, begun } = lasting()
  const { ask } = await overHttp({ limits: { maxRequests: 1 }, api: { operations: [last] } })
  const taken = ask('POST /v1/lasting')
  await expect.poll(begun).toBe(1)
  expect((await ask('GET /nothing')).status).toBe(503)
  expect((await ask('GET /health/live')).status).toBe(200)
  expect((await ask('GET /health/ready')).status).toBe(200)
  finish()
  await taken
})

test('Who only waits for an outcome, or for a read model, keeps nobody out', async () => {
  const { ask, ada, newKey, staff, openVenue, store, clock, send } = await overHttp({
    limits: { maxRequests: 1, queryWaitMs: 60_000 },
  })
  const tokens = positionTokens(store.logId)
  const { position } = (await openVenue('globe')).json()
  const later = tokens.tokenOf(tokens.positionOf(position) + 1)
  const reading = ask('GET /v1/venues/globe', undefined, { headers: { 'daybook-position': later } })
  const body = { venueId: 'globe', seats: 2, email: 'ada@example.com' }
  async function bookings() {
    await clock.advance(100)
    return (await send('GET /v1/bookings', { as: staff })).json().items
  }
  const waiting = []
  for (const booked of [1, 2, 3]) {
    // Until then the one before may not have come to its waiting.
    await expect.poll(async () => (await ask('GET /nothing')).status).toBe(404)
    waiting.push(ask('POST /v1/bookings', ada, { body, headers: { ...newKey(), prefer: 'wait=30' } }))
    await expect.poll(bookings).toHaveLength(booked)
  }
  for (const { bookingId } of await bookings()) {
    expect((await send(`POST /v1/bookings/${bookingId}/confirm`, { as: staff })).statusCode).toBe(200)
  }
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 201, 201])
  expect((await reading).status).toBe(200)
})

test('Who goes away, or sends slowly, takes no place from others', async () => {
  const { last, finish, begun } = lasting()
  const { app, url, ask } = await overHttp({ limits: { maxRequests: 1 }, api: { operations: [last] } })
  onTestFinished(finish)
  const gone = new AbortController()
  const asking = fetch(`${url}/v1/lasting`, { method: 'POST', signal: gone.signal }).catch(() => 'gone')
  await expect.poll(begun).toBe(1)
  gone.abort()
  expect(await asking).toBe('gone')
  await expect.poll(async () => (await ask('GET /nothing')).status).toBe(404)

  const arrived = once(app.server, 'request')
  const slow = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => {
    slow.destroy()
  })
  const head =
    'POST /v1/lasting HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{'
  slow.write(head)
  await arrived
  await expect.poll(async () => (await ask('GET /nothing')).status).toBe(404)
  expect((await ask('GET /nothing')).status).toBe(404)
})

/** A server of nothing else. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** One that answers when it is told to, and whose clock is moved by the test. */
async function bare(limits: { maxRequests: number; maxTurnMs: number }) {
  let time = 0
  let busyMs = 0
  let waiting: ServerResponse[] = []
  const { server } = admission({ ...limits, corsOrigins: [], now: () => time })
  const url = await listening(
    server({}, (_request, response) => {
      time += busyMs
      waiting.push(response)
    }),
  )
  // Connections that stay open are all read in one turn.
  const pool = new Pool(url, { connections: null })
  onTestFinished(() => pool.destroy())
  function finishAll(): void {
    for (const response of waiting) response.end()
    waiting = []
  }
  /** Asks so many times at once. @returns how many were taken */
  async function taken(count: number, eachBusyMs = 0): Promise<number> {
    let refused = 0
    busyMs = eachBusyMs
    const asked = Array.from({ length: count }, async () => {
      const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
      await body.dump()
      if (statusCode === 503) refused++
    })
    await expect.poll(() => waiting.length + refused, { interval: 1 }).toBe(count)
    finishAll()
    await Promise.all(asked)
    return count - refused
  }
  return { taken }
}

test('While the event loop is too busy fewer are taken, and later as many as before', async () => {
  const { taken } = await bare({ maxRequests: 60, maxTurnMs: 50 })
  expect(await taken(80)).toBe(60)
  for (let turn = 0; turn < 10; turn++) await taken(1, 500)
  expect(await taken(80)).toBe(40)
  for (let turn = 0; turn < 40; turn++) await taken(1)
  expect(await taken(80)).toBe(60)
})

test('Of those that came together the event loop begins no more than it can answer in time', async () => {
  const { taken } = await bare({ maxRequests: 1_000, maxTurnMs: 100 })
  expect(await taken(60)).toBe(60)
  expect(await taken(60, 20)).toBeLessThan(60)
  expect(await taken(60)).toBe(60)
})

test('Who waits in the kernel is counted, too: a server that answers each as it comes would never refuse', async () => {
  const { server } = admission({ maxRequests: 20, maxTurnMs: 1_000, corsOrigins: [], now: () => 0 })
  const url = await listening(server({}, (_request, response) => response.end()))
  // Each by a connection of its own, and each of those is accepted in a turn of its own.
  const answers = await Promise.all(Array.from({ length: 200 }, () => fetch(url, { headers: { connection: 'close' } })))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
})
