import { once } from 'node:events'
import { connect } from 'node:net'
import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { boundRequests } from '../../src/api/admission.ts'
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

test('What is more than the server takes is told at once to come again, and nothing of it is read', async () => {
  const { last, finish, begun } = lasting()
  const { send } = await serve({ limits: { maxRequests: 2 }, api: { operations: [last] } })
  const taken = [send('POST /v1/lasting'), send('POST /v1/lasting')]
  await expect.poll(begun).toBe(2)
  const unreadable = { raw: '{"a":', headers: { origin: 'https://shop.example' } }
  const refused = await send('POST /v1/venues', unreadable)
  expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([503, 'overloaded', '1'])
  // So that a web page can tell its user.
  expect(refused.headers['access-control-allow-origin']).toBe('https://shop.example')
  expect((await send('GET /v1/venues/none')).statusCode).toBe(503)
  finish()
  expect((await Promise.all(taken)).map(({ statusCode }) => statusCode)).toEqual([204, 204])
  expect((await send('POST /v1/venues', unreadable)).statusCode).not.toBe(503)
})

test('Health is told however much there is to do', async () => {
  const { last, finish, begun } = lasting()
  const { send } = await serve({ limits: { maxRequests: 1 }, api: { operations: [last] } })
  const taken = send('POST /v1/lasting')
  await expect.poll(begun).toBe(1)
  expect((await send('GET /health/live')).statusCode).toBe(200)
  expect((await send('GET /health/ready')).statusCode).toBe(200)
  finish()
  await taken
})

test('Who only waits for an outcome, or for a read model, keeps nobody out', async () => {
  const { openVenue, send, ada, newKey, staff, store, clock } = await serve({
    limits: { maxRequests: 3, queryWaitMs: 60_000 },
  })
  const { position } = (await openVenue('globe')).json()
  const later = positionTokens(store.logId).tokenOf(positionTokens(store.logId).positionOf(position) + 1)
  const reading = send('GET /v1/venues/globe', { headers: { 'daybook-position': later } })
  const body = { venueId: 'globe', seats: 2, email: 'ada@example.com' }
  async function bookings() {
    await clock.advance(100)
    return (await send('GET /v1/bookings', { as: staff })).json().items
  }
  const waiting = []
  for (const booked of [1, 2, 3, 4]) {
    waiting.push(send('POST /v1/bookings', { as: ada, body, headers: { ...newKey(), prefer: 'wait=30' } }))
    await expect.poll(bookings).toHaveLength(booked)
  }
  for (const { bookingId } of await bookings()) {
    expect((await send(`POST /v1/bookings/${bookingId}/confirm`, { as: staff })).statusCode).toBe(200)
  }
  expect((await Promise.all(waiting)).map(({ statusCode }) => statusCode)).toEqual([201, 201, 201, 201])
  expect((await reading).statusCode).toBe(200)
})

/** A server over HTTP with one address, that answers when it is told to. */
async function listening(limits: { maxRequests: number; maxTurnMs: number }, now?: () => number) {
  const app = fastify({ return503OnClosing: false })
  boundRequests(app, limits, now)
  app.setErrorHandler((_error, _request, reply) => reply.code(503).send())
  let waiting: (() => void)[] = []
  app.get('/', async () => {
    await new Promise<void>((resolve) => waiting.push(resolve))
    return ''
  })
  app.post('/', async () => '')
  const listens: Promise<string> = app.listen({ host: '127.0.0.1', port: 0 })
  const address = await listens
  onTestFinished(() => {
    for (const resolve of waiting) resolve()
    return app.close()
  })
  function finishAll(): void {
    for (const resolve of waiting) resolve()
    waiting = []
  }
  return { app, address, port: Number(new URL(address).port), finishAll, begun: () => waiting.length }
}

/** Asks so many times at once. @returns how many were let in */
async function letIn({ address, begun, finishAll }: Awaited<ReturnType<typeof listening>>, count: number) {
  let refused = 0
  const asked = Array.from({ length: count }, async () => {
    const { status } = await fetch(address)
    if (status === 503) refused++
  })
  await expect.poll(() => begun() + refused, { interval: 1 }).toBe(count)
  finishAll()
  await Promise.all(asked)
  return count - refused
}

test('While the event loop is late fewer are let in, and later as many as before', async () => {
  let [time, turnMs] = [0, 0]
  const server = await listening({ maxRequests: 120, maxTurnMs: 50 }, () => {
    time += turnMs
    return time
  })
  expect(await letIn(server, 140)).toBe(120)
  turnMs = 500
  for (let turn = 0; turn < 30; turn++) await letIn(server, 1)
  expect(await letIn(server, 140)).toBe(100)
  turnMs = 1
  for (let turn = 0; turn < 40; turn++) await letIn(server, 1)
  expect(await letIn(server, 140)).toBe(120)
})

test('Who goes away, or sends slowly, takes no place from others', async () => {
  const server = await listening({ maxRequests: 1, maxTurnMs: 1_000 })
  const gone = new AbortController()
  const asking = fetch(server.address, { signal: gone.signal }).catch(() => 'gone')
  await expect.poll(server.begun).toBe(1)
  gone.abort()
  expect(await asking).toBe('gone')
  const post = async () => (await fetch(server.address, { method: 'POST' })).status
  await expect.poll(post).toBe(200)

  const arrived = once(server.app.server, 'request')
  const slow = connect(server.port, '127.0.0.1')
  onTestFinished(() => {
    slow.destroy()
  })
  slow.write('POST / HTTP/1.1\r\nHost: shop\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nslow')
  await arrived
  expect(await post()).toBe(200)
  expect(await post()).toBe(200)
})
