import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Message, type Receiver, receiver, status, verified } from '../adapters/webhooks/receiver.ts'
import { openShop } from './open-shop.ts'
import { checkOut, fillCart, guest, pay, type ShopClient, stock } from './shop-client.ts'

const allowed = { DAYBOOK_WEBHOOKS_ALLOW_PRIVATE: 'true' }

async function subscribe(shop: ShopClient, { url }: Receiver, eventTypes: readonly string[], id = 'erp') {
  await shop.post('/v1/webhooks', { id, title: 'ERP', url, eventTypes })
  return await secretOf(shop, id)
}

async function secretOf(shop: ShopClient, id = 'erp'): Promise<string> {
  return (await shop.get(`/v1/webhooks/${id}/secret`)).secret
}

/** Waits for so many messages, and for what is recorded of them. */
async function delivered(shop: ShopClient, { messages }: Receiver, count: number): Promise<readonly Message[]> {
  await expect.poll(() => messages.length).toBe(count)
  const path = '/v1/webhooks/erp/deliveries?status=delivered'
  await expect.poll(async () => (await shop.get(path)).items.length).toBe(count)
  return messages
}

function receive(shop: ShopClient, reference: string) {
  return shop.post('/v1/stock-items/TEAPOT/receive', { quantity: 1, reference })
}

async function deliveries(shop: ShopClient, query = ''): Promise<Items> {
  return (await shop.get(`/v1/webhooks/erp/deliveries${query}`)).items
}
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects by what it reads
type Items = any[]

test('what a webhook asks for is sent from its creation on, signed, complete and without personal data', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  await stock(shop)
  const secret = await subscribe(shop, erp, ['OrderPlaced', 'StockReceived'])
  const ada = await guest(shop)
  const orderId = await checkOut(shop, await fillCart(shop, ada), ada)
  const [message] = await delivered(shop, erp, 1)

  const body = message && verified(message, secret)
  expect(body?.type).toBe('OrderPlaced')
  expect(body?.data).toMatchObject({ customerId: ada.customerId, currency: 'EUR', email: null })
  expect(message?.body.toString()).not.toMatch(/ada@example|Lovelace|sealed1/)
  expect(body?.event).toMatchObject({ stream: `order-${orderId}`, subject: orderId, revision: 0, version: 1 })
  const token = String(body?.event?.position)
  const order = await shop.send('GET', `/v1/orders/${orderId}`, { headers: { 'daybook-position': token } })
  expect(order.status).toBe(200)
  expect((await deliveries(shop))[0]).toMatchObject({
    id: message?.id,
    webhookId: 'erp',
    eventId: body?.event?.id,
    eventType: 'OrderPlaced',
    stream: `order-${orderId}`,
    status: 'delivered',
    nextAttemptAt: null,
    attempts: [{ attempt: 1, status: 204, code: null }],
  })
  expect(await pay(shop, orderId, ada)).toBe(200)
  await receive(shop, 'DN-2')
  expect((await delivered(shop, erp, 2)).map((each) => verified(each, secret).type)).toEqual([
    'OrderPlaced',
    'StockReceived',
  ])
})

test('the guide verifies what is sent, and shows what it is', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  await stock(shop)
  const secret = await subscribe(shop, erp, ['StockReceived'])
  await receive(shop, 'DN-2')
  const [message] = await delivered(shop, erp, 1)

  const guide = readFileSync('docs/webhooks.md', 'utf8')
  const sample = /```js\n(.*?)```/s.exec(guide)?.[1] ?? ''
  const { isGenuine } = await import(`data:text/javascript,${encodeURIComponent(`${sample}\nexport { isGenuine }`)}`)
  const { headers = {}, body = Buffer.alloc(0) } = message ?? {}
  expect(isGenuine(secret, headers, body)).toBe(true)
  expect(isGenuine(secret, headers, Buffer.concat([body, Buffer.from(' ')]))).toBe(false)
  expect(isGenuine(secret, headers, body, Date.now() + 600_000)).toBe(false)
  expect(isGenuine(secret, { ...headers, 'webhook-timestamp': undefined }, body)).toBe(false)
  expect(isGenuine('whsec_AAAA', headers, body)).toBe(false)
  const shown = JSON.parse(/```json\n(.*?)```/s.exec(guide)?.[1] ?? '')
  const sent = JSON.parse(body.toString())
  expect(Object.keys(shown)).toEqual(Object.keys(sent))
  expect(Object.keys(shown.event)).toEqual(Object.keys(sent.event))
})

test('while a secret is replaced both sign, and one that is known to others signs no more at once', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  await stock(shop)
  const first = await subscribe(shop, erp, ['StockReceived'])
  await shop.post('/v1/webhooks/erp/rotate-secret')
  const rotated = await shop.get('/v1/webhooks/erp/secret')
  expect(rotated.previous.secret).toBe(first)
  expect(rotated.secret).not.toBe(first)
  await receive(shop, 'DN-2')
  const [both] = await delivered(shop, erp, 1)
  if (both) expect(verified(both, first)).toEqual(verified(both, rotated.secret))

  await shop.post('/v1/webhooks/erp/rotate-secret', { previousForMs: 0 })
  expect((await shop.get('/v1/webhooks/erp/secret')).previous).toBeNull()
  await receive(shop, 'DN-3')
  const [, alone] = await delivered(shop, erp, 2)
  const third = await secretOf(shop)
  expect(alone && verified(alone, third).type).toBe('StockReceived')
  expect(() => alone && verified(alone, rotated.secret)).toThrow()
})

test('a message is sent again by hand, under its id', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  await stock(shop)
  await subscribe(shop, erp, ['StockReceived'])
  erp.reply(status(500))
  await receive(shop, 'DN-2')
  await expect.poll(async () => (await deliveries(shop))[0]?.attempts.length).toBe(1)
  const [failed] = await deliveries(shop, '?status=pending')
  expect(failed.attempts[0]).toMatchObject({ status: 500, code: 'status-500' })
  await expect.poll(async () => (await shop.get('/v1/webhooks/erp')).failingSince).not.toBeNull()
  erp.reply(status(200))
  await shop.post(`/v1/webhook-deliveries/${failed.id}/redeliver`)
  await expect.poll(async () => (await shop.get(`/v1/webhook-deliveries/${failed.id}`)).status).toBe('delivered')
  expect(erp.messages.map(({ id }) => id)).toEqual([failed.id, failed.id])
  await expect.poll(async () => (await shop.get('/v1/webhooks/erp')).failingSince).toBeNull()
  const shown = await shop.get(`/v1/webhook-deliveries/${failed.id}`)
  expect(shown.attempts.map((each: { status: number }) => each.status)).toEqual([500, 200])
})

test('a test message says whether the receiver can be reached', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  const secret = await subscribe(shop, erp, ['OrderPlaced'])
  const wait = { headers: { prefer: 'wait=10' } }
  const sent = await shop.post('/v1/webhooks/erp/test', {}, wait)
  expect(sent.status).toBe(201)
  const { status: standing } = await shop.get(sent.headers.get('location') ?? '')
  expect(standing).toBe('delivered')
  const [message] = erp.messages
  expect(message && verified(message, secret)).toMatchObject({ type: 'webhook.test', data: { webhookId: 'erp' } })
  erp.reply(status(500))
  const failed = await shop.post('/v1/webhooks/erp/test', {}, wait)
  expect((await shop.get(failed.headers.get('location') ?? '')).status).toBe('failed')
})

test('a receiver that is gone for good is left alone, until somebody enables its webhook', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  await stock(shop)
  await subscribe(shop, erp, ['StockReceived'])
  erp.reply(status(410))
  await receive(shop, 'DN-2')
  await expect.poll(async () => (await shop.get('/v1/webhooks/erp')).status).toBe('disabled')
  expect((await shop.get('/v1/webhooks/erp')).disabled.cause).toBe('gone')
  await receive(shop, 'DN-3')
  expect((await shop.send('POST', '/v1/webhooks/erp/test')).body.code).toBe('webhook-disabled')
  erp.reply(status(200))
  await shop.post('/v1/webhooks/erp/enable')
  await receive(shop, 'DN-4')
  await expect.poll(() => erp.messages.length).toBe(2)
  await expect.poll(() => deliveries(shop)).toHaveLength(2)
})

test('nothing private is called, whatever it is called', async () => {
  const shop = await openShop()
  const insecure = { title: 'ERP', url: 'http://erp.example/', eventTypes: ['OrderPlaced'] }
  expect((await shop.send('POST', '/v1/webhooks', { body: insecure })).status).toBe(422)
  const erp = await receiver()
  const port = new URL(erp.url).port
  const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '0.0.0.0']
  for (const [number, host] of hosts.entries()) {
    const id = `private-${number}`
    await shop.post('/v1/webhooks', { id, title: host, url: `https://${host}:${port}/`, eventTypes: ['OrderPlaced'] })
    const { headers } = await shop.post(`/v1/webhooks/${id}/test`, {}, { headers: { prefer: 'wait=10' } })
    const { status: standing, attempts } = await shop.get(headers.get('location') ?? '')
    expect([host, standing, attempts[0].code]).toEqual([host, 'failed', 'address-not-allowed'])
  }
})

test('webhooks are changed by whoever may, and each request takes effect once', async () => {
  const shop = await openShop(allowed)
  const erp = await receiver()
  const { token } = await guest(shop)
  const body = { title: 'ERP', url: erp.url, eventTypes: ['OrderPlaced'] }
  expect((await shop.send('POST', '/v1/webhooks', { body, token })).status).toBe(403)
  expect((await shop.send('POST', '/v1/webhooks', { body: { ...body, eventTypes: ['Nonsense'] } })).status).toBe(422)
  for (const url of ['ftp://a.example/', 'https://user:word@a.example/', 'nonsense'])
    expect((await shop.send('POST', '/v1/webhooks', { body: { ...body, url } })).status, url).toBe(422)
  const twice = { body, headers: { 'idempotency-key': 'one' } }
  const made = await shop.send('POST', '/v1/webhooks', twice)
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe(`/v1/webhooks/${made.body.id}`)
  expect((await shop.send('POST', '/v1/webhooks', twice)).body).toEqual(made.body)
  const { id } = made.body
  const shown = await shop.send('GET', `/v1/webhooks/${id}`)
  expect(shown.body).toMatchObject({ id, ...body, status: 'active', disabled: null, failingSince: null, revision: 0 })
  const other = await shop.post('/v1/webhooks', { ...body, id: 'other' })
  expect(other.body.revision).toBe(1)
  const path = `/v1/webhooks/${id}/change`
  const stale = await shop.send('POST', path, { body: { title: 'B' }, headers: { 'if-match': '"0"' } })
  expect(stale.status).toBe(412)
  const fresh = { body: { title: 'B' }, headers: { 'if-match': '"1"' } }
  expect((await shop.send('POST', path, fresh)).status).toBe(200)
  expect((await shop.get(`/v1/webhooks/${id}`)).title).toBe('B')
  expect((await shop.send('POST', '/v1/webhooks/nobody/disable')).status).toBe(404)
  await shop.post(`/v1/webhooks/${id}/disable`, { reason: 'Moves' })
  expect((await shop.get(`/v1/webhooks/${id}`)).disabled).toMatchObject({ cause: 'staff', reason: 'Moves' })
  expect((await shop.send('DELETE', `/v1/webhooks/${id}`)).status).toBe(200)
  expect((await shop.get('/v1/webhooks')).items.map((each: { id: string }) => each.id)).toEqual(['other'])
  expect((await shop.send('GET', `/v1/webhooks/${id}/secret`)).status).toBe(404)
  expect((await shop.send('GET', '/v1/webhooks', { token })).status).toBe(403)
})
