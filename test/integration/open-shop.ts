import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { sandboxServer } from '../../src/adapters/sandbox/server.ts'
import { readConfig } from '../../src/config.ts'
import { type Daybook, openDaybook } from '../../src/daybook.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

interface Sent {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a body by what it reads
  readonly body: any
}

export interface OpenShop {
  readonly url: string
  readonly daybook: Daybook
  readonly directory: string
  /** Sends a request, as staff unless a token is given. */
  send(
    method: string,
    path: string,
    options?: { body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Sent>
  /** A command that must be accepted, with a new idempotency key. */
  post(path: string, body?: unknown, options?: { token?: string; headers?: Record<string, string> }): Promise<Sent>
  /** What a query answers once its read model has seen what was written so far. */
  get(path: string, token?: string): Promise<Sent['body']>
  /** A token of the sandbox gateway for a test card. */
  cardToken(number?: string): Promise<string>
  /** Stops the shop, as at a restart; the directory stays until the test is finished. */
  close(): Promise<void>
}

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Opens a whole shop in this process, on files in a directory of its own, with a sandbox gateway over HTTP. */
export async function openShop(settings: Record<string, string> = {}, directory = ownDirectory()): Promise<OpenShop> {
  let callbackUrl: string | undefined
  const sandbox = sandboxServer({
    secret,
    callbackUrl: () => callbackUrl,
    behaviour: { callbackDelayMs: 1 },
    callbackRetryDelayMs: 10,
  })
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const sandboxUrl = await listening
  const config = readConfig({
    DAYBOOK_DATA_DIR: directory,
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    DAYBOOK_LOG_LEVEL: 'error',
    DAYBOOK_GATEWAYS: 'sandbox',
    DAYBOOK_SANDBOX_URL: sandboxUrl,
    DAYBOOK_SANDBOX_SECRET: secret,
    ...settings,
  })
  const daybook = await openDaybook({ config })
  const { url } = await daybook.listen()
  callbackUrl = `${url}/v1/gateways/sandbox/callbacks`
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    closing ??= Promise.all([daybook.close(), sandbox.close()]).then(() => undefined)
    await closing
  }
  onTestFinished(close)

  let position: string | undefined
  let keys = 0
  const send: OpenShop['send'] = async (method, path, { body, token = daybook.adminToken, headers = {} } = {}) => {
    const reply = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await reply.text()
    if (method !== 'GET') position = reply.headers.get('daybook-position') ?? position
    return { status: reply.status, headers: reply.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  const succeed = (sent: Sent): Sent => {
    if (sent.status >= 400) throw new Error(`${sent.status} ${JSON.stringify(sent.body)}`)
    return sent
  }

  return {
    url,
    daybook,
    directory,
    send,
    close,
    async post(path, body = {}, { token, headers } = {}) {
      const key = { 'idempotency-key': `test-${++keys}` }
      return succeed(
        await send('POST', path, { body, headers: { ...key, ...headers }, ...(token !== undefined && { token }) }),
      )
    },
    async get(path, token) {
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

function ownDirectory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}

/** What there is to buy: a teapot, 10 of it, with tax and shipping in Germany. */
export async function stock(shop: OpenShop, quantity = 10): Promise<void> {
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

export async function guest(shop: OpenShop): Promise<Shopper> {
  return (await shop.send('POST', '/v1/guest-tokens', { token: '' })).body
}

/** A cart with teapots, ready to be checked out. */
export async function fillCart(shop: OpenShop, { token }: Shopper, quantity = 2): Promise<string> {
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
export async function checkOut(shop: OpenShop, cartId: string, { token }: Shopper): Promise<string> {
  await shop.post(`/v1/carts/${cartId}/checkout`, {}, { token, headers: { prefer: 'wait=5' } })
  return (await shop.get(`/v1/carts/${cartId}`, token)).orderId
}

/** Pays an order. @returns the status of the answer: 200 when its outcome came in time */
export async function pay(shop: OpenShop, orderId: string, { token }: Shopper, card?: string): Promise<number> {
  const body = { gateway: 'sandbox', token: await shop.cardToken(card) }
  return (await shop.post(`/v1/orders/${orderId}/pay`, body, { token, headers: { prefer: 'wait=5' } })).status
}
