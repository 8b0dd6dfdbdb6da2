import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Receiver, receiver, status, verified } from '../adapters/webhooks/receiver.ts'
import { ask, nextMail, openAccount, password, tokenIn } from '../integration/account-client.ts'
import { fillCart, guest, type ShopClient, shopClient, stock } from '../integration/shop-client.ts'
import { collector } from '../trace-collector.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { whyNotRun } from './servers.ts'

/** Customers and other programs meet several processes as if they were one, whichever of them answers and whichever dies. */

const tracing = fileURLToPath(new URL('../../deploy/tracing.js', import.meta.url))
const patiently = { timeout: 120_000, interval: 50 }
const ada = 'ada@example.com'
const settings = {
  DAYBOOK_WEBHOOKS_ALLOW_PRIVATE: 'true',
  DAYBOOK_QUERY_WAIT_MS: '30000',
  DAYBOOK_SWEEP_EVERY_MS: '2000',
  DAYBOOK_LEASE_MS: '2000',
}

/** A client of each of the processes that answer requests. */
interface Doors {
  readonly one: ShopClient
  readonly other: ShopClient
}

function doorsOf({ of, staffToken, gateway }: Cluster): Doors {
  const [one, other] = of('api').map(({ url }) => shopClient({ url, token: staffToken, sandboxUrl: gateway.url }))
  if (one === undefined || other === undefined) throw new Error('There are no two processes for the API')
  return { one, other }
}

async function logIn(shop: ShopClient, email = ada, rest: object = {}) {
  const { status: answered, body } = await ask(shop, 'log-in', { email, password, ...rest })
  expect(answered, JSON.stringify(body)).toBe(201)
  return body
}

const refresh = (shop: ShopClient, refreshToken: string) => ask(shop, 'refresh', { refreshToken })
const me = (shop: ShopClient, token: string) => shop.send('GET', '/v1/accounts/me', { token })

/** A token of one process is worth the same in another, and each refresh token works once in all of them. */
async function oneSession({ one, other }: Doors): Promise<void> {
  await ask(one, 'register', { email: ada, name: 'Ada Lovelace' })
  const token = tokenIn(await nextMail(one, ada))
  expect((await ask(other, 'confirm', { token, password })).status).toBe(201)
  expect(await ask(one, 'confirm', { token, password })).toMatchObject({ body: { code: 'mail-token-invalid' } })
  const first = await logIn(one)
  expect((await me(other, first.token)).body).toMatchObject({ email: ada })
  const second = (await refresh(other, first.refreshToken)).body
  expect((await refresh(one, first.refreshToken)).body.refreshToken).toBe(second.refreshToken)
  const third = (await refresh(one, second.refreshToken)).body
  expect(await refresh(other, first.refreshToken)).toMatchObject({
    status: 401,
    body: { code: 'refresh-token-invalid' },
  })
  expect((await refresh(one, third.refreshToken)).status).toBe(401)
  const last = await logIn(one)
  expect((await ask(one, 'log-out', {}, last.token)).status).toBe(204)
  expect((await refresh(other, last.refreshToken)).status).toBe(401)
  await expect.poll(async () => (await me(other, last.token)).status, patiently).toBe(401)
}

/** A cart that was filled by way of one comes along with a log-in by way of the other; by two at once, it comes once. */
async function oneCart({ one, other }: Doors): Promise<void> {
  await stock(one)
  const shopper = await guest(one)
  const cartId = await fillCart(one, shopper)
  const { cart } = await logIn(other, ada, { guestToken: shopper.token })
  expect(cart).toMatchObject({ id: cartId, rule: 'handed-over', added: ['TEAPOT'] })
  const again = await guest(other)
  await fillCart(other, again, 5)
  const both = await Promise.all([one, other].map((shop) => logIn(shop, ada, { guestToken: again.token })))
  const taken = both.flatMap((each) => each.cart ?? [])
  expect(new Set(taken.map(({ id, rule }) => `${rule} ${id}`))).toEqual(new Set([`larger-quantity ${cartId}`]))
  const seen = await one.send('GET', `/v1/carts/${cartId}`, {
    token: both[0].token,
    headers: { 'daybook-position': taken[0].position },
  })
  expect(seen.body).toMatchObject({ email: ada, lines: [{ sku: 'TEAPOT', quantity: 5 }] })
}

/** Wrong passwords count together, wherever they were tried. */
async function oneLock({ one, other }: Doors): Promise<void> {
  await openAccount(one, 'eve@example.com')
  const guesses = await Promise.all(
    Array.from({ length: 24 }, (_, turn) =>
      ask(turn % 2 === 0 ? one : other, 'log-in', { email: 'eve@example.com', password: `guess ${turn}` }),
    ),
  )
  expect(guesses.filter((guess) => guess.status === 401)).toHaveLength(10)
  for (const shop of [one, other])
    expect((await ask(shop, 'log-in', { email: 'eve@example.com', password })).status).toBe(429)
}

/** What happens while no worker is there is told when there is one, and what did not arrive is tried again by another. */
async function oneDelivery(cluster: Cluster, { one, other }: Doors, erp: Receiver): Promise<void> {
  const of = async (path: string) => (await other.get(`/v1/webhooks/erp${path}`)).items
  await one.post('/v1/webhooks', { id: 'erp', title: 'ERP', url: erp.url, eventTypes: ['CustomerRegistered'] })
  const { secret } = await other.get('/v1/webhooks/erp/secret')
  erp.reply(status(503))
  await openAccount(one, 'bob@example.com')
  await expect.poll(() => erp.messages.length, patiently).toBe(1)
  const workers = cluster.of('worker')
  await Promise.all(workers.map((worker) => worker.kill()))
  const unattended = async () => (await one.send('GET', '/v1/system')).body.unattended
  await expect.poll(unattended, patiently).toContainEqual({ name: 'request-webhook-deliveries', role: 'worker' })
  await openAccount(other, 'carol@example.com')
  erp.reply(status(200))
  await workers[1]?.start()
  await expect.poll(async () => (await of('/deliveries?status=delivered')).length, patiently).toBe(2)
  await expect.poll(unattended, patiently).toEqual([])
  const [newest] = await of('/deliveries')
  await other.post('/v1/webhooks/erp/rotate-secret')
  const { secret: next } = await one.get('/v1/webhooks/erp/secret')
  const before = erp.messages.length
  await one.post(`/v1/webhook-deliveries/${newest.id}/redeliver`)
  await expect.poll(() => erp.messages.slice(before).map(({ id }) => id), patiently).toEqual([newest.id])
  for (const message of erp.messages) verified(message, secret)
  for (const message of erp.messages.slice(before)) {
    expect(verified(message, next)).toMatchObject({ type: 'CustomerRegistered', data: { email: null, name: null } })
  }
  expect(new Set(erp.messages.map(({ id }) => id)).size).toBe(2)
  await workers[0]?.start()
}

/** While MongoDB is frozen each request is answered well, or 503 with when to come again; afterwards all is as it was. */
async function frozen({ servers }: Cluster, { one, other }: Doors): Promise<void> {
  const { token } = await logIn(one)
  servers.mongo.freeze()
  const answers = await Promise.all(
    [one, other].flatMap((shop) => [
      ask(shop, 'log-in', { email: ada, password }),
      ask(shop, 'log-in', { email: 'nobody@example.com', password }),
      ask(shop, 'forgot-password', { email: 'nobody@example.com' }),
      refresh(shop, 'nonsense'),
      shop.send('GET', '/v1/accounts/sessions', { token }),
      shop.send('GET', '/v1/webhooks'),
      shop.send('GET', '/v1/system'),
    ]),
  ).finally(() => servers.mongo.thaw())
  for (const { status: answered, headers, body } of answers) {
    if (answered !== 503) expect([200, 401], JSON.stringify(body)).toContain(answered)
    else expect([Number(headers.get('retry-after')) > 0, body.code]).toEqual([true, expect.any(String)])
  }
  expect(answers.filter((answer) => answer.status === 503).length).toBeGreaterThanOrEqual(6)
  await expect.poll(async () => (await ask(other, 'log-in', { email: ada, password })).status, patiently).toBe(201)
}

describe.skipIf(whyNotRun !== '')(`accounts and webhooks of a cluster${whyNotRun}`, { timeout: 600_000 }, () => {
  test('whichever process answers, whatever dies, is restarted or is frozen', async () => {
    const traces = await collector()
    const cluster = await startCluster({
      ...settings,
      NODE_OPTIONS: `--import ${tracing}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    })
    const doors = doorsOf(cluster)
    const { one, other } = doors
    await cluster.caughtUp()
    await oneSession(doors)
    await oneCart(doors)
    await oneLock(doors)
    await oneDelivery(cluster, doors, await receiver())

    const { token, refreshToken, customerId } = await logIn(one)
    for (const api of cluster.of('api')) {
      expect(await api.stop(), api.output()).toEqual({ code: 0, signal: null })
      await api.start()
    }
    for (const shop of [one, other]) expect((await me(shop, token)).status).toBe(200)
    expect((await refresh(other, refreshToken)).status).toBe(201)
    await frozen(cluster, doors)

    const correlationId = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736'
    await one.post(
      '/v1/customers',
      { id: 'dora', email: 'dora@example.com', name: 'Dora' },
      { headers: { 'daybook-correlation-id': correlationId } },
    )
    const named = () => traces.named(correlationId.replaceAll('-', ''))
    await expect
      .poll(named, patiently)
      .toEqual(
        expect.arrayContaining([
          'POST /v1/customers',
          'process request-webhook-deliveries',
          'process deliver-webhook',
          'project customers',
        ]),
      )

    await one.post(`/v1/customers/${customerId}/forget`, {}, { token })
    for (const shop of [other, one]) {
      expect((await me(shop, token)).status).toBe(401)
      expect((await ask(shop, 'log-in', { email: ada, password })).body.code).toBe('log-in-failed')
    }
  })
})
