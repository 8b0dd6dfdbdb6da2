import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { latestPosition } from '../../src/client/position.ts'

/** A client of a shop, wherever it runs, and what tests buy and sell there. */

export interface Sent {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a body by what it reads
  readonly body: any
}

interface RequestOptions {
  body?: unknown
  token?: string
  headers?: Record<string, string>
}

export interface ShopClient {
  readonly url: string
  readonly sandboxUrl: string
  /** Sends a request, as staff unless a token is given. */
  send(method: string, path: string, options?: RequestOptions): Promise<Sent>
  /** A command that must be accepted, with a new idempotency key. */
  post(path: string, body?: unknown, options?: { token?: string; headers?: Record<string, string> }): Promise<Sent>
  /** What a query answers once its read model has seen what was written so far. */
  get(path: string, token?: string): Promise<Sent['body']>
  /** A token of the sandbox gateway for a test card. */
  cardToken(number?: string): Promise<string>
}

export interface ShopClientOptions {
  readonly url: string
  /** Where each request goes, where several processes serve one shop. */
  readonly nextUrl?: () => string
  /** What may do everything. */
  readonly token: string
  readonly sandboxUrl: string
}

/** Remembers the position of what it wrote, so that it reads its writes. */
export function shopClient(options: ShopClientOptions): ShopClient {
  const { url, nextUrl = () => url, token: adminToken, sandboxUrl } = options
  const latest = latestPosition()
  // Another client, as after a restart, makes other requests.
  const client = randomUUID()
  let keys = 0
  /** On a machine that is busy with other things the server may have to ask to come again. */
  async function send(
    method: string,
    path: string,
    { body, token = adminToken, headers = {} }: RequestOptions = {},
    retries = 30,
  ): Promise<Sent> {
    const reply = await fetch(new URL(path, nextUrl()), {
      method,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await reply.text()
    const retryAfterSeconds = Number(reply.headers.get('retry-after'))
    if (reply.status === 503 && JSON.parse(text).code === 'overloaded' && retries > 0) {
      await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1_000))
      return await send(method, path, { body, token, headers }, retries - 1)
    }
    const reached = method === 'GET' ? null : reply.headers.get('daybook-position')
    if (reached !== null) latest.reached(reached)
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const succeed = (sent: Sent): Sent => {
    if (sent.status >= 400) throw new Error(`${sent.status} ${JSON.stringify(sent.body)}`)
    return sent
  }

  return {
    url,
    sandboxUrl,
    send,
    async post(path, body = {}, { token, headers } = {}) {
      const key = { 'idempotency-key': `${client}-${++keys}` }
      return succeed(
        await send('POST', path, { body, headers: { ...key, ...headers }, ...(token !== undefined && { token }) }),
      )
    },
    async get(path, token) {
      const position = latest.get()
      const headers = position === undefined ? {} : { 'daybook-position': position }
      return succeed(await send('GET', path, { headers, ...(token !== undefined && { token }) })).body
    },
    async cardToken(number = '4242424242424242') {
      const reply = await fetch(`${sandboxUrl}/v1/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ number, expiry: '12/40', cvc: '123' }),
      })
      return z.object({ token: z.string() }).parse(await reply.json()).token
    },
  }
}

/** What there is to buy: a teapot, 10 of it, with tax and shipping in Germany. */
export async function stock(shop: ShopClient, quantity = 10): Promise<void> {
  await shop.send('PUT', '/v1/tax-rates/DE', { body: { taxCategory: 'standard', rate: 1900 } })
  await shop.send('PUT', '/v1/shipping-methods/standard', {
    body: { titles: { en: 'Standard' }, prices: { EUR: 490 } },
  })
  await shop.post('/v1/categories', { id: 'kitchen', slug: 'kitchen', titles: { en: 'Kitchen' } })
  await shop.post('/v1/products', {
    id: 'teapot',
    slug: 'teapot',
    texts: { en: { title: 'Blue teapot', description: 'Holds one litre.' } },
    categoryIds: ['kitchen'],
    variants: [{ sku: 'TEAPOT', prices: { EUR: 2499 } }],
    publish: true,
  })
  await shop.post('/v1/stock-items/TEAPOT/receive', { quantity, reference: 'DN-1' })
}

export const address = { name: 'Ada Lovelace', line1: 'Kanalstr. 1', city: 'Hamburg', postalCode: '20095' }

export interface Shopper {
  readonly token: string
  readonly customerId: string
}

export async function guest(shop: ShopClient): Promise<Shopper> {
  return (await shop.send('POST', '/v1/guest-tokens', { token: '' })).body
}

/** A cart with teapots, ready to be checked out. */
export async function fillCart(shop: ShopClient, { token }: Shopper, quantity = 2): Promise<string> {
  const { id } = (await shop.post('/v1/carts', { currency: 'EUR' }, { token })).body
  await shop.post(`/v1/carts/${id}/lines`, { productId: 'teapot', sku: 'TEAPOT', quantity }, { token })
  await shop.post(
    `/v1/carts/${id}/address`,
    { country: 'DE', email: 'ada@example.com', shippingAddress: address },
    { token },
  )
  await shop.post(`/v1/carts/${id}/shipping`, { method: 'standard' }, { token })
  return id
}

/** Checks a cart out. @returns the order's id, once its stock was reserved or refused */
export async function checkOut(shop: ShopClient, cartId: string, { token }: Shopper): Promise<string> {
  await shop.post(`/v1/carts/${cartId}/checkout`, {}, { token, headers: { prefer: 'wait=30' } })
  return (await shop.get(`/v1/carts/${cartId}`, token)).orderId
}

/** Pays an order. @returns the status of the answer: 200 when its outcome came in time */
export async function pay(shop: ShopClient, orderId: string, { token }: Shopper, card?: string): Promise<number> {
  const body = { gateway: 'sandbox', token: await shop.cardToken(card) }
  return (await shop.post(`/v1/orders/${orderId}/pay`, body, { token, headers: { prefer: 'wait=30' } })).status
}
