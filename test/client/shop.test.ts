import { expect, test } from 'vitest'
import { createClient, ProblemError } from '../../src/client/client.ts'
import { openShop } from '../integration/open-shop.ts'
import { stock } from '../integration/shop-client.ts'
import { type Fate, lossyProxy } from './lossy-proxy.ts'

const soon = { pauseMs: 1 }
const teapot = { productId: 'teapot', sku: 'TEAPOT', quantity: 2 }

async function stockedShop() {
  const shop = await openShop()
  await stock(shop)
  return shop
}

test.each<[Fate]>([['lose-request'], ['lose-answer'], ['break-answer']])(
  'A command takes effect once where the network does this to it: %s',
  async (fate) => {
    const shop = await stockedShop()
    const { url, seen } = await lossyProxy(shop.url, ['pass', fate, fate, 'pass', fate, 'pass', fate])
    const client = createClient({ url, retry: soon })
    await client.guest()
    const { id } = await client.post('/v1/carts', { body: { currency: 'EUR' } })
    await client.post('/v1/carts/{cartId}/lines', { path: { cartId: id }, body: teapot })
    expect(await client.get('/v1/carts/{cartId}', { path: { cartId: id } })).toMatchObject({ lines: [{ quantity: 2 }] })
    expect((await client.get('/v1/carts')).items).toHaveLength(1)

    const sent = seen.map(({ method, path }) => `${method} ${path.replace(id, '{id}')}`)
    const [guest, open, line] = ['POST /v1/guest-tokens', 'POST /v1/carts', 'POST /v1/carts/{id}/lines']
    const read = 'GET /v1/carts/{id}'
    expect(sent).toEqual([guest, open, open, open, line, line, read, read, 'GET /v1/carts'])
    expect(new Set(seen.slice(1, 4).map(({ key }) => key)).size).toBe(1)
    expect(seen[4]?.key).toBe(seen[5]?.key)
  },
)

test('Queries show what the same client has written, at once and also together', async () => {
  const shop = await stockedShop()
  const client = createClient({ url: shop.url })
  await client.guest()
  const { id: cartId } = await client.post('/v1/carts', { body: { currency: 'EUR' } })
  const path = { cartId }
  for (let quantity = 1; quantity <= 5; quantity++) {
    const command = quantity === 1 ? '/v1/carts/{cartId}/lines' : undefined
    if (command) await client.post(command, { path, body: { ...teapot, quantity } })
    else await client.post('/v1/carts/{cartId}/quantity', { path, body: { sku: 'TEAPOT', quantity } })
    expect((await client.get('/v1/carts/{cartId}', { path })).lines).toMatchObject([{ quantity }])
  }
  const opened = await Promise.all(
    Array.from({ length: 8 }, () => client.post('/v1/carts', { body: { currency: 'EUR' } })),
  )
  const carts = await client.get('/v1/carts')
  expect(new Set(carts.items.map(({ id }) => id))).toEqual(new Set([cartId, ...opened.map(({ id }) => id)]))
})

test('A position of a log that is no more is forgotten', async () => {
  const shop = await stockedShop()
  const other = await stockedShop()
  let now = shop
  const client = createClient({
    url: shop.url,
    getToken: () => now.daybook.adminToken,
    fetch: (request) => fetch(new Request(request.url.replace(shop.url, now.url), request)),
  })
  await client.post('/v1/stock-items/{sku}/receive', {
    path: { sku: 'TEAPOT' },
    body: { quantity: 1, reference: 'DN-2' },
  })
  now = other
  expect((await client.get('/v1/products', { query: { currency: 'EUR' } })).items).toHaveLength(1)
})

test('What the shop refuses is an error that says why, where and what to do', async () => {
  const shop = await stockedShop()
  const client = createClient({ url: shop.url })
  const wrong = await client.post('/v1/carts', { body: { currency: 'Euro' } }).catch((error: unknown) => error)
  expect(wrong).toBeInstanceOf(ProblemError)
  expect(wrong).toMatchObject({ status: 401, code: 'token-required' })

  await client.guest()
  await expect(client.post('/v1/carts', { body: { currency: 'Euro' } })).rejects.toMatchObject({
    status: 422,
    errors: [{ pointer: '#/currency', detail: expect.any(String) }],
    correlationId: expect.stringMatching(/^[\w.-]{8,64}$/),
  })
  const { id, revision } = await client.post('/v1/carts', { body: { currency: 'EUR' } })
  const add = { path: { cartId: id }, body: teapot, ifMatch: revision }
  await client.post('/v1/carts/{cartId}/lines', add)
  await expect(client.post('/v1/carts/{cartId}/lines', { ...add, idempotencyKey: 'late' })).rejects.toMatchObject({
    status: 412,
    code: 'revision-mismatch',
    details: { revision: revision + 1 },
  })
  const unknown = { path: { cartId: id }, body: { ...teapot, sku: 'TEACUP' }, correlationId: 'my-own-request' }
  await expect(client.post('/v1/carts/{cartId}/lines', unknown)).rejects.toMatchObject({
    status: 404,
    correlationId: 'my-own-request',
  })
})

test('Pages are fetched as their items are asked for', async () => {
  const shop = await stockedShop()
  const { url, seen } = await lossyProxy(shop.url, [])
  const staff = createClient({ url, token: shop.daybook.adminToken })
  for (let each = 0; each < 6; each++) {
    await staff.post('/v1/products', {
      body: {
        id: `cup-${each}`,
        slug: `cup-${each}`,
        texts: { en: { title: `Cup ${each}`, description: '' } },
        variants: [{ sku: `CUP-${each}`, prices: { EUR: 500 } }],
        publish: true,
      },
    })
  }
  const query = { q: 'cup', currency: 'EUR', limit: 2 }
  const pages = () => seen.filter(({ path }) => path.startsWith('/v1/products?')).length
  const titles = new Set<string>()
  for await (const { title } of staff.paginate('/v1/products', { query })) titles.add(title)
  expect(titles).toEqual(new Set([0, 1, 2, 3, 4, 5].map((each) => `Cup ${each}`)))
  expect(pages()).toBe(3)
  for await (const first of staff.paginate('/v1/products', { query })) {
    expect(first.title).toMatch(/^Cup/)
    break
  }
  expect(pages()).toBe(4)

  const stopping = new AbortController()
  const items = staff.paginate('/v1/products', { query, signal: stopping.signal })
  await items.next()
  await items.next()
  stopping.abort(new Error('Seen enough'))
  await expect(items.next()).rejects.toThrow('Seen enough')
})

test('A guest is one guest, however often it is asked for', async () => {
  const shop = await stockedShop()
  const { url, seen } = await lossyProxy(shop.url, [])
  const client = createClient({ url })
  expect(client.session()).toBeUndefined()
  const [one, two] = await Promise.all([client.guest(), client.guest()])
  const three = await client.guest()
  expect([two.customerId, three.customerId]).toEqual([one.customerId, one.customerId])
  expect(client.session()).toMatchObject({ kind: 'guest', customerId: one.customerId })
  expect(seen).toHaveLength(1)
})
