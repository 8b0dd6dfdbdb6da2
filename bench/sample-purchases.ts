import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { random } from '../src/cli/random.ts'
import { derivedId } from '../src/engine/streams.ts'
import { openConnection, succeed } from './connection.ts'
import { type Sku, skus } from './goods.ts'
import { declinedToken, gatewayName } from './instant-gateway.ts'
import { registerShoppers, type Shop } from './shop.ts'

/** Purchases of the kinds that a shop has, each made through the API once: what big stores are made of. */

/** Parts of a purchase between which days lie; each is the stretch of the log behind the one before it, up to a position. */
export type PurchaseParts = readonly { readonly after: number; readonly upTo: number }[]

interface Kind {
  readonly name: string
  /** How many of a hundred purchases are like this. */
  readonly share: number
  /** Buys, and gives what happens on later days, in order. */
  buy(post: Post, purchase: Purchase): Promise<readonly (() => Promise<unknown>)[]>
}

interface Line extends Sku {
  readonly quantity: number
}

interface Purchase {
  /** Of who buys. */
  readonly token: string
  /** Who sends it out. */
  readonly staff: Shop['send']
  readonly country: string
  readonly lines: readonly Line[]
}

const email = 'ada@example.com'
const shippingAddress = { name: 'Ada Lovelace', line1: 'Kanalstr. 1', city: 'Hamburg', postalCode: '20095' }
const soldOut: Sku = { productId: 'sold-out', sku: 'sold-out' }
const members = 200

/** Sends a command that must be accepted, waits for its outcome, and gives the id that it is answered with. */
type Post = (path: string, body: unknown, token: string) => Promise<string>

async function fillCart(post: Post, { token, country, lines }: Purchase): Promise<string> {
  const id = await post('/v1/carts', { currency: 'EUR' }, token)
  for (const line of lines) await post(`/v1/carts/${id}/lines`, line, token)
  await post(`/v1/carts/${id}/address`, { country, email, shippingAddress }, token)
  return id
}

/** @returns the order's id, its stock reserved or refused */
async function checkOut(post: Post, purchase: Purchase): Promise<string> {
  const { token } = purchase
  const id = await fillCart(post, purchase)
  await post(`/v1/carts/${id}/shipping`, { method: 'standard' }, token)
  await post(`/v1/carts/${id}/checkout`, {}, token)
  return derivedId('order', id)
}

async function pay(post: Post, orderId: string, shopper: string, token = 'tok_good'): Promise<void> {
  await post(`/v1/orders/${orderId}/pay`, { gateway: gatewayName, token }, shopper)
}

async function buy(post: Post, purchase: Purchase): Promise<string> {
  const orderId = await checkOut(post, purchase)
  await pay(post, orderId, purchase.token)
  return orderId
}

/** Ships all of an order, and delivers it. */
function sendOut(orderId: string, { staff }: Purchase) {
  const shipmentId = `shipment-${orderId}`
  const shipment = { shipmentId, carrier: 'DHL', trackingCode: 'JD0146' }
  return [
    () => staff('POST', `/v1/orders/${orderId}/ship`, shipment),
    () => staff('POST', `/v1/orders/${orderId}/deliver`, { shipmentId }),
  ]
}

const kinds: readonly [Kind, ...Kind[]] = [
  {
    name: 'delivered',
    share: 57,
    buy: async (post, purchase) => sendOut(await buy(post, purchase), purchase),
  },
  {
    name: 'abandoned in the cart',
    share: 12,
    async buy(post, purchase) {
      await fillCart(post, purchase)
      return []
    },
  },
  {
    name: 'paid and not shipped yet',
    share: 12,
    async buy(post, purchase) {
      await buy(post, purchase)
      return []
    },
  },
  {
    name: 'delivered and paid back in part',
    share: 8,
    async buy(post, purchase) {
      const orderId = await buy(post, purchase)
      const lines = purchase.lines.slice(0, 1).map(({ sku }) => ({ lineId: sku, quantity: 1 }))
      const reason = 'Too small'
      return [
        ...sendOut(orderId, purchase),
        () => purchase.staff('POST', `/v1/orders/${orderId}/refund`, { lines, reason }),
      ]
    },
  },
  {
    name: 'paid and cancelled',
    share: 5,
    async buy(post, purchase) {
      const orderId = await buy(post, purchase)
      return [() => post(`/v1/orders/${orderId}/cancel`, { reason: 'Changed my mind' }, purchase.token)]
    },
  },
  {
    name: 'declined once, then paid',
    share: 4,
    async buy(post, purchase) {
      const orderId = await checkOut(post, purchase)
      await pay(post, orderId, purchase.token, declinedToken)
      await pay(post, orderId, purchase.token)
      return []
    },
  },
  {
    name: 'sold out',
    share: 2,
    async buy(post, { lines, ...purchase }) {
      await checkOut(post, { ...purchase, lines: [...lines.slice(1), { ...soldOut, quantity: 1 }] })
      return []
    },
  },
]

/** The mix in words. */
export const purchaseMix = kinds.map(({ name, share }) => `${share} % ${name}`).join(', ')

const Answered = z.object({ id: z.string() })
const Token = z.object({ token: z.string() })
const OpenWork = z.object({ items: z.array(z.unknown()) })

/** Waits until nothing follows any more, neither of events nor of jobs. @returns the position of the last event */
async function calm({ rest, send }: Shop): Promise<number> {
  let position = await rest()
  for (let same = 0; same < 3; ) {
    const { items } = OpenWork.parse(await send('GET', '/v1/open-work?limit=1'))
    const last = position
    position = await rest()
    same = items.length === 0 && position === last ? same + 1 : 0
  }
  return position
}

/**
 * Makes a hundred purchases in the shares of their kinds, one after another, in a shop that is filled.
 * @param onPurchase told how many are made
 */
export async function makePurchases(shop: Shop, onPurchase: (made: number) => void): Promise<readonly PurchaseParts[]> {
  const { next, between, pick } = random(2_000)
  const connection = openConnection(shop.url)
  const purchases: PurchaseParts[] = []

  async function ask(path: string, body: unknown, headers: Record<string, string>): Promise<unknown> {
    const json = { 'content-type': 'application/json', ...headers }
    const answer = await succeed(connection, { method: 'POST', path, headers: json, body: JSON.stringify(body) })
    return JSON.parse(answer.body.toString())
  }

  async function post(path: string, body: unknown, token: string): Promise<string> {
    const headers = { authorization: `Bearer ${token}`, 'idempotency-key': randomUUID(), prefer: 'wait=10' }
    return Answered.parse(await ask(path, body, headers)).id
  }

  function lines(): readonly Line[] {
    const chosen = new Map<string, Line>()
    for (let count = between(1, 4); chosen.size < count; ) {
      // The lower its number, the likelier it is bought.
      const sku = skus[Math.floor(next() ** 2 * skus.length)]
      if (sku) chosen.set(sku.sku, { ...sku, quantity: between(1, 3) })
    }
    return [...chosen.values()]
  }

  await offerSoldOut(shop)
  const shoppers = await registerShoppers(shop, members)
  for (const kind of kinds) {
    for (let made = 0; made < kind.share; made++) {
      const member = next() < 0.4 ? shoppers[between(0, members - 1)] : undefined
      const { token } = member ?? Token.parse(await ask('/v1/guest-tokens', {}, {}))
      const parts: { after: number; upTo: number }[] = []
      let after = await calm(shop)
      const country = pick(['DE', 'DE', 'DE', 'AT', 'FR'])
      const later = await kind.buy(post, { token, staff: shop.send, country, lines: lines() })
      for (const part of [async () => {}, ...later]) {
        await part()
        const upTo = await calm(shop)
        parts.push({ after, upTo })
        after = upTo
      }
      purchases.push(parts)
      onPurchase(purchases.length)
    }
  }
  await connection.close()
  return purchases
}

/** A product of which nothing was ever received, and other countries to send things to. */
async function offerSoldOut({ send }: Shop): Promise<void> {
  const { productId, sku } = soldOut
  for (const country of ['AT', 'FR']) {
    await send('PUT', `/v1/tax-rates/${country}`, { taxCategory: 'standard', rate: 2_000 })
  }
  await send('POST', '/v1/products', {
    id: productId,
    slug: productId,
    texts: { en: { title: 'Sold out', description: 'There was never any.' } },
    variants: [{ sku, prices: { EUR: 1_999 } }],
    publish: true,
  })
}
