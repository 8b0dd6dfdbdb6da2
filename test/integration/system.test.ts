import { beforeEach, describe, expect, test } from 'vitest'
import { local } from '../../src/cli/connection.ts'
import { discardDeadLetter, listDeadLetters, retryAllDeadLetters, showDeadLetter } from '../../src/cli/dead-letters.ts'
import { printStatus } from '../../src/cli/status.ts'
import { traceIdOf } from '../../src/engine/tracing.ts'
import { printedLines } from '../cli/printed.ts'
import { recordSpans } from '../engine/recorded-spans.ts'
import { openShop } from './open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from './shop-client.ts'
import { outside, troubles } from './troubled-shop.ts'

/** What operators see of a shop, and do about it. */

beforeEach(() => {
  outside.isDown = true
  outside.tries = 0
})

const openTroubled = () =>
  openShop({ DAYBOOK_SWEEP_EVERY_MS: '200', DAYBOOK_LOG_LEVEL: 'silent' }, undefined, [troubles])
type Shop = Awaited<ReturnType<typeof openTroubled>>

async function addProduct(shop: Shop, id: string, publish = false) {
  const texts = { en: { title: id, description: id } }
  await shop.post('/v1/products', { id, slug: id, texts, variants: [{ sku: id, prices: { EUR: 100 } }], publish })
}

const system = (shop: Shop) => shop.get('/v1/system')

describe('GET /v1/system', () => {
  test('says how a shop does, with figures that are real', async () => {
    const shop = await openShop()
    await stock(shop)
    for (let times = 0; times < 3; times++) await shop.get('/v1/products?currency=EUR&language=en', '')
    await shop.get('/v1/stock-levels/TEAPOT')
    const found = await system(shop)
    expect(found).toMatchObject({
      version: shop.daybook.version,
      status: 'ready',
      degraded: [],
      profile: { log: 'sqlite', readModels: 'sqlite', jobs: 'sqlite' },
      roles: ['api', 'projector', 'worker'],
      log: { unit: 'events', position: expect.stringMatching(/^.{10}\./), waitingAppends: 0 },
      deadLetters: { count: 0, isMore: false, items: [] },
      jobs: { waiting: 0, active: 0, delayed: 0, dead: 0 },
      commands: { waiting: 0, waitingBytes: 0, streams: 0 },
      waiters: { positions: 0, outcomes: 0 },
    })
    await expect.poll(() => shop.daybook.engine.projections.status()[0]?.position).toBe(found.log.number)
    expect(found.log.appended).toBe(found.log.number)
    expect(found.foldCache).toMatchObject({ entries: expect.any(Number), capacity: 10_000 })
    expect(found.foldCache.hits).toBeGreaterThan(0)
    expect(found.foldCache.misses).toBeGreaterThan(0)
    expect(found.documentCache.hits).toBeGreaterThan(0)
    expect(found.processes.map(({ name }: { name: string }) => name)).toContain('fulfil-order')
    expect(found.openWork.map(({ job }: { job: string }) => job)).toContain('expire-order')
    const log = found.disk.files.find(({ name }: { name: string }) => name === 'log')
    expect(log.bytes).toBeGreaterThan(4_096)
    expect(found.disk.freeBytes).toBeLessThan(found.disk.totalBytes)
    expect(JSON.stringify(found)).not.toContain(shop.directory)
  })

  test('is for operators', async () => {
    const shop = await openShop()
    const { token } = await guest(shop)
    expect((await shop.send('GET', '/v1/system', { token })).status).toBe(403)
    expect((await shop.send('GET', '/v1/system', { token: '' })).status).toBe(401)
  })

  test('names the event that poisoned a read model, and forgets it when it is skipped', async () => {
    const shop = await openTroubled()
    await addProduct(shop, 'poison')
    await addProduct(shop, 'saucer')
    const titles = async () => {
      const { projections, degraded } = await system(shop)
      return { ...projections.find(({ name }: { name: string }) => name === 'product-titles'), degraded }
    }
    await expect.poll(titles).toMatchObject({
      status: 'stopped',
      poison: { type: 'ProductCreated' },
      degraded: ['product-titles'],
    })
    expect((await titles()).lag).toBeGreaterThan(0)
    await shop.post('/v1/projections/product-titles/skip')
    await expect.poll(titles).toMatchObject({ status: 'live', lag: 0, degraded: [] })
  })
})

describe('a dead letter over HTTP', () => {
  async function withLetter() {
    const shop = await openTroubled()
    await addProduct(shop, 'teapot', true)
    const letters = async () => (await shop.get('/v1/dead-letters')).items
    await expect.poll(letters).toHaveLength(1)
    const [letter] = await letters()
    return { shop, letter, letters }
  }

  test('is counted, shown, and gone once its cause is mended and it is retried, however often that is asked for', async () => {
    const { shop, letter, letters } = await withLetter()
    await expect
      .poll(() => system(shop))
      .toMatchObject({
        deadLetters: { count: 1, items: [{ name: 'announce-product', count: 1 }] },
        jobs: { dead: 1 },
      })
    expect(await shop.get(`/v1/dead-letters/${letter.id}`)).toMatchObject({
      source: 'job',
      name: 'announce-product',
      subject: 'announce-product:teapot',
      reason: 'The outside is down',
    })
    outside.isDown = false
    const retry = () => shop.send('POST', `/v1/dead-letters/${letter.id}/retry`)
    expect([(await retry()).status, (await retry()).status]).toEqual([200, 200])
    await expect.poll(letters).toEqual([])
    await expect.poll(async () => (await shop.get('/v1/open-work')).items).toEqual([])
    await expect.poll(() => system(shop)).toMatchObject({ jobs: { waiting: 0, active: 0, dead: 0 } })
    expect(outside.tries).toBe(2)
  })

  test('is discarded with a reason, once, and is tried no more', async () => {
    const { shop, letter, letters } = await withLetter()
    const discard = (body: object) => shop.send('POST', `/v1/dead-letters/${letter.id}/discard`, { body })
    expect(await discard({})).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/reason' }] } })
    const first = await discard({ reason: 'Announced by hand' })
    expect(first.status).toBe(200)
    expect((await discard({ reason: 'Announced by hand' })).body).toEqual(first.body)
    await expect.poll(letters).toEqual([])
    await expect.poll(async () => (await shop.get('/v1/open-work')).items).toEqual([])
    await expect.poll(() => system(shop)).toMatchObject({ jobs: { dead: 0 }, deadLetters: { count: 0 } })
    expect((await shop.send('POST', `/v1/dead-letters/${letter.id}/retry`)).body.code).toBe('dead-letter-discarded')
    expect(outside.tries).toBe(1)
  })
})

describe('daybook status and daybook dead-letters', () => {
  const { printed } = printedLines()

  test('say what is wrong and what to do, and are all right when it is done', async () => {
    const shop = await openTroubled()
    const connection = local(shop.daybook)
    await addProduct(shop, 'poison')
    await addProduct(shop, 'teapot', true)
    await expect.poll(() => system(shop)).toMatchObject({ degraded: ['product-titles'], deadLetters: { count: 1 } })
    expect(await printStatus(connection, {})).toBe(false)
    const said = printed.join('\n')
    expect(said).toContain('daybook projections skip product-titles')
    expect(said).toContain('1 set aside: 1 × announce-product.')
    expect(said).toContain('daybook dead-letters')

    await listDeadLetters(connection)
    expect(printed.join('\n')).toContain('The outside is down')
    outside.isDown = false
    expect(await retryAllDeadLetters(connection)).toBe(1)
    await shop.post('/v1/projections/product-titles/skip')
    await expect.poll(() => system(shop)).toMatchObject({ degraded: [], deadLetters: { count: 0 } })
    await printStatus(connection, { json: true })
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ status: 'ready' })
  })

  test('discard with a reason what is not to be done', async () => {
    const shop = await openTroubled()
    const connection = local(shop.daybook)
    await addProduct(shop, 'teapot', true)
    await expect.poll(async () => (await shop.get('/v1/dead-letters')).items).toHaveLength(1)
    const [{ id }] = (await shop.get('/v1/dead-letters')).items
    await showDeadLetter(connection, id)
    expect(JSON.parse(printed.join('\n'))).toMatchObject({ id, name: 'announce-product' })
    await discardDeadLetter(connection, id, 'Announced by hand')
    await expect.poll(async () => (await shop.get('/v1/dead-letters')).items).toEqual([])
    await expect(showDeadLetter(connection, id)).rejects.toThrow('no such thing')
  })
})

describe('traces', () => {
  test('All that follows from a request is in its trace, over processes and jobs', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const cartId = await fillCart(shop, shopper)
    const { spans } = recordSpans()
    const orderId = await checkOut(shop, cartId, shopper)
    await pay(shop, orderId, shopper)
    await expect
      .poll(() => shop.get(`/v1/orders/${orderId}`, shopper.token))
      .toMatchObject({ status: 'confirmed', paymentStatus: 'captured' })
    const request = spans().find(({ name }) => name === 'POST /v1/orders/{orderId}/pay')
    expect(request?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/orders/{orderId}/pay',
      'http.response.status_code': 200,
    })
    const trace = request?.spanContext().traceId
    expect(trace).toBe(traceIdOf(String(request?.attributes['daybook.correlation_id'])))
    const names = () => spans().flatMap((span) => (span.spanContext().traceId === trace ? [span.name] : []))
    for (const name of [
      'authorise',
      'handle PayOrder',
      'wait for mailbox',
      'load',
      'decide PayOrder',
      'append',
      'process fulfil-order',
      'process authorise-payment',
      'process capture-payment',
    ]) {
      expect(names()).toContain(name)
    }
    const batch = spans().find(({ name, links }) => name === 'project orders' && links.length > 0)
    expect(batch?.links[0]?.context.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(JSON.stringify(spans().map(({ attributes }) => attributes))).not.toContain('ada@example.com')
  })

  test('A caller’s trace is continued, and its id is the correlation id', async () => {
    const shop = await openShop()
    const { spans } = recordSpans()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const { headers } = await shop.send('GET', '/v1/products?currency=EUR&language=en', { headers: { traceparent } })
    expect(headers.get('daybook-correlation-id')).toBe('4bf92f35-77b3-4da6-a3ce-929d0e0e4736')
    await expect.poll(() => spans().map(({ name }) => name)).toContain('GET /v1/products')
    const request = spans().find(({ name }) => name === 'GET /v1/products')
    expect(request?.parentSpanContext).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
    })
    const query = spans().find(({ name }) => name.startsWith('query '))
    expect(query?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId)
  })
})
