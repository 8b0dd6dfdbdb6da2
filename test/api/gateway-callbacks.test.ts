import { expect, test } from 'vitest'
import { serve, signed } from './serve.ts'

const notice = {
  noticeId: 'evt:1/2',
  kind: 'authorised',
  paymentId: 'payment-1',
  reference: 'ref-1',
  amount: 1_000,
  currency: 'EUR',
  occurredAt: '2026-01-01T00:00:00.000Z',
}

const route = 'POST /v1/gateways/sandbox/callbacks'
const bytes = JSON.stringify(notice)

test('A callback is an event before it is answered, and safe twice', async () => {
  const { send, store } = await serve()
  for (let times = 0; times < 2; times++) {
    const answer = await send(route, { raw: bytes, headers: signed(bytes) })
    expect(answer.statusCode).toBe(204)
    expect(answer.body).toBe('')
  }
  const found = []
  for await (const { events } of store.readAll({ after: 0 })) found.push(...events)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({
    stream: 'gatewayCallback-sandbox.evt%3A1%2F2',
    type: 'GatewayCallbackReceived',
    data: { ...notice, gateway: 'sandbox' },
  })
})

test('A callback is verified over its bytes, whatever they say they are', async () => {
  const { send } = await serve()
  const spaced = JSON.stringify(notice, null, 2)
  const headers = { ...signed(spaced), 'content-type': 'text/plain' }
  expect((await send(route, { raw: spaced, headers })).statusCode).toBe(204)
})

test.each([
  ['changed', `${bytes} `],
  ['empty', ''],
])('A callback that was %s is 401, and nothing is stored', async (_name, raw) => {
  const { send, store } = await serve()
  const answer = await send(route, { raw, headers: signed(bytes) })
  expect(answer.statusCode).toBe(401)
  expect(answer.json().code).toBe('callback-forged')
  expect((await store.head()).position).toBe(0)
})

test('A callback that is signed, and is no notice, is 422', async () => {
  const { send } = await serve()
  const raw = JSON.stringify({ ...notice, amount: -1 })
  const answer = await send(route, { raw, headers: signed(raw) })
  expect(answer.statusCode).toBe(422)
  expect(answer.json().errors[0].pointer).toBe('#/amount')
})

test('A gateway that is not there is 404, and a body that is too large 413', async () => {
  const { send } = await serve({ limits: { bodyBytes: 1_000 } })
  expect((await send('POST /v1/gateways/other/callbacks', { raw: bytes })).json().code).toBe('gateway-not-found')
  expect((await send(route, { raw: 'x'.repeat(2_000) })).statusCode).toBe(413)
})
