import { expect } from 'vitest'
import { type Random, random } from '../../src/cli/random.ts'
import { derivedId } from '../../src/engine/streams.ts'
import { address } from '../integration/shop-client.ts'
import type { Client } from './client.ts'
import type { Accepted, Caller, SentCommand } from './journal.ts'

/** What a busy shop does all day, all of it at once: people browse, buy, pay, cancel; staff counts, ships, pays back. */

export interface Load {
  /** Lets everybody begin nothing new, and waits for what they are at. */
  stop(): Promise<void>
  /** Rejects as soon as anybody got an answer that must not be. */
  readonly failed: Promise<never>
  /** Changes the hot item as fast as can be, by many at once, until it is over. */
  heatUp(isOver: () => boolean): void
  /** Where the stream of the hot item is, as far as it was told. */
  hotRevision(): number
}

export interface LoadOptions {
  readonly client: Client
  readonly seed: number
  /** A token of the gateway for a test card. */
  readonly cardToken: (number: string) => Promise<string>
}

interface Goods {
  readonly productId: string
  readonly sku: string
  readonly price: number
  /** Pieces to begin with; of what is scarce orders are refused. */
  readonly pieces: number
}

const goods: readonly [Goods, ...Goods[]] = [
  { productId: 'teapot', sku: 'TEAPOT', price: 2_499, pieces: 100_000 },
  { productId: 'cup', sku: 'CUP', price: 799, pieces: 100_000 },
  { productId: 'spoon', sku: 'SPOON', price: 149, pieces: 100_000 },
  { productId: 'samovar', sku: 'SAMOVAR', price: 19_900, pieces: 5 },
]
/** Nobody buys it: staff counts it, again and again, for a stream that is long enough to have snapshots. */
export const hotSku = 'HOT'
export const soldSkus: readonly string[] = goods.map(({ sku }) => sku)

const shoppers = 10
const hotAtOnce = 64
/** Weights: most cards are good. */
const cards: readonly [readonly [string, number], ...(readonly [string, number])[]] = [
  ['4242424242424242', 8],
  ['4000000000000002', 1],
  ['4000000000001000', 2],
  ['4000000000001018', 1],
  ['4000000000001026', 2],
  ['4000000000001034', 2],
  ['4000000000001059', 1],
]

type Command = Omit<SentCommand, 'key' | 'method'> & Partial<Pick<SentCommand, 'method'>>

/** Sends commands, each with a key of its own. */
function sender(client: Client, name: string) {
  let sent = 0
  return ({ method = 'POST', ...command }: Command): Promise<Accepted | undefined> =>
    client.command({ ...command, method, key: `${name}-${++sent}` })
}

/** What there is to buy. */
export async function openShop(client: Client): Promise<void> {
  const send = sender(client, 'set-up')
  const staff = (path: string, body: object, category: string, causes: string, method?: 'PUT') =>
    send({ caller: 'staff', path, body, category, causes, ...(method && { method }) })
  await staff('/v1/tax-rates/DE', { taxCategory: 'standard', rate: 1_900 }, 'taxRates', 'TaxRateSet', 'PUT')
  const shipping = { titles: { en: 'Standard' }, prices: { EUR: 490 } }
  await staff('/v1/shipping-methods/standard', shipping, 'shippingMethod', 'ShippingMethodOffered', 'PUT')
  for (const { productId, sku, price, pieces } of goods) {
    await staff(
      '/v1/products',
      {
        id: productId,
        slug: productId,
        texts: { en: { title: `Blue ${productId}`, description: 'For tea.' } },
        categoryIds: [],
        variants: [{ sku, prices: { EUR: price } }],
        publish: true,
      },
      'product',
      'ProductPublished',
    )
    await staff(
      `/v1/stock-items/${sku}/receive`,
      { quantity: pieces, reference: 'first' },
      'stockItem',
      'StockReceived',
    )
  }
  const first = { quantity: 1_000, reference: 'first' }
  await staff(`/v1/stock-items/${hotSku}/receive`, first, 'stockItem', 'StockReceived')
}

/** Starts everybody. What they do follows from the seed; when they do it, and so what comes of it, does not. */
export function startLoad({ client, seed, cardToken }: LoadOptions): Load {
  let stopping = false
  let hotRevision = 0
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)

  function work(name: string, number: number, turn: (chance: Random, name: string) => Promise<void>): Promise<void> {
    const chance = random(seed * 1_000 + number)
    const run = async () => {
      for (let turns = 1; !stopping; turns++) await turn(chance, `${name}-${number}-${turns}`)
    }
    return run().catch(fail)
  }

  async function buy(chance: Random, name: string): Promise<void> {
    const send = sender(client, name)
    const { body: guest } = await client.ask('/v1/guest-tokens')
    const caller: Caller = { token: guest.token }
    const opened = await send({
      caller,
      path: '/v1/carts',
      body: { currency: 'EUR' },
      category: 'cart',
      causes: 'CartOpened',
    })
    if (opened === undefined) throw new Error('A cart can always be opened')
    const { id: cartId } = opened
    const inCart = (what: string, body: object, causes: string, waitS?: number) =>
      send({
        caller,
        path: `/v1/carts/${cartId}/${what}`,
        body,
        category: 'cart',
        causes,
        ...(waitS !== undefined && { waitS }),
      })

    const wanted = new Map<string, number>()
    let last = opened
    for (let lines = chance.between(1, 3); lines > 0; lines--) {
      const { productId, sku } = chance.pick(goods)
      const quantity = chance.between(1, 2)
      const added = await inCart('lines', { productId, sku, quantity }, 'CartLineAdded')
      if (added === undefined) throw new Error('What is on sale can always be put into a cart')
      last = added
      wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
    }
    // Who reads what they wrote sees all of it, each addition once, also over a crash.
    const { status, body: cart } = await client.get(`/v1/carts/${cartId}`, caller, last.position)
    expect(status).toBe(200)
    const lines: readonly { readonly sku: string; readonly quantity: number }[] = cart.lines
    expect(new Map(lines.map(({ sku, quantity }) => [sku, quantity]))).toEqual(wanted)
    expect(cart.revision).toBe(last.revision)
    if (chance.next() < 0.1) return // an abandoned cart

    const to = { country: 'DE', email: `${cartId}@example.com`, shippingAddress: address }
    await inCart('address', to, 'CartAddressSet')
    await inCart('shipping', { method: 'standard' }, 'CartShippingChosen')
    const checkedOut = await inCart('checkout', {}, 'CartCheckedOut', 5)
    if (checkedOut === undefined) throw new Error('A cart with all that it needs can be checked out')
    await follow(chance, name, caller, derivedId('order', cartId), checkedOut.position)
  }

  /** What becomes of an order: most are paid, some are left to expire, cancelled, shipped, paid back. */
  async function follow(
    chance: Random,
    name: string,
    caller: Caller,
    orderId: string,
    position: string,
  ): Promise<void> {
    const send = sender(client, `${name}-order`)
    const toOrder = (by: Caller, what: string, body: object, causes: string, waitS?: number) =>
      send({
        caller: by,
        path: `/v1/orders/${orderId}/${what}`,
        body,
        category: 'order',
        causes,
        ...(waitS !== undefined && { waitS }),
      })
    const cancel = (caller: Caller) =>
      send({
        caller,
        path: `/v1/orders/${orderId}/cancel`,
        body: { reason: 'Changed my mind' },
        category: 'order',
        causes: 'OrderCancelled',
        mayFindItDone: true, // it may have expired
      })
    const look = async (at: string) => await client.get(`/v1/orders/${orderId}`, caller, at)

    // The outcome may not have come in time, and then the order is not there yet, which is no mistake.
    const placed = await look(position)
    if (placed.status !== 200) return
    expect(placed.body.id).toBe(orderId)
    const fate = chance.next()
    if (fate < 0.08) return // left to expire
    if (fate < 0.14) return void (await cancel(caller))
    const [number] = chance.weighted(cards, ([, weight]) => weight)
    const payment = { gateway: 'sandbox', token: await cardToken(number) }
    const paid = await toOrder(caller, 'pay', payment, 'OrderPaymentStarted', chance.next() < 0.5 ? 3 : undefined)
    if (paid === undefined) return
    const { body: order } = await look(paid.position)
    expect(order.revision).toBeGreaterThanOrEqual(paid.revision)
    if (fate < 0.24) await cancel(caller)
    else if (fate < 0.34) {
      const refund = { reason: 'Broken', shipping: fate < 0.29, lines: [firstLine(order)] }
      await toOrder('staff', 'refund', refund, 'OrderRefundRequested')
    } else if (fate < 0.5) {
      const shipped = await toOrder('staff', 'ship', { shipmentId: `${orderId}-1` }, 'OrderShipped')
      if (shipped && fate < 0.42) await toOrder('staff', 'deliver', { shipmentId: `${orderId}-1` }, 'OrderDelivered')
      else if (shipped) await cancel('staff') // too late, which it is told
    }
  }

  function firstLine(order: { readonly lines: readonly [{ readonly lineId: string; readonly quantity: number }] }) {
    const [{ lineId, quantity }] = order.lines
    return { lineId, quantity }
  }

  async function keepStock(chance: Random, name: string): Promise<void> {
    const send = sender(client, name)
    const item = chance.pick(goods)
    const toStock = (what: string, body: object, causes: string) =>
      send({ caller: 'staff', path: `/v1/stock-items/${item.sku}/${what}`, body, category: 'stockItem', causes })
    await toStock('receive', { quantity: chance.between(1, 3), reference: `${name}-in` }, 'StockReceived')
    const change = chance.pick([-2, -1, 1, 2])
    await toStock('adjust', { change, reason: 'Counted', reference: `${name}-count` }, 'StockAdjusted')
    const reservationId = `${name}-held`
    if ((await toStock('reserve', { reservationId, quantity: 2 }, 'StockReserved')) === undefined) return
    const fate = chance.next()
    if (fate < 0.4) await toStock('release', { reservationId }, 'ReservationReleased')
    else if (fate < 0.8)
      await toStock('commit', { reservationId, quantity: 1, reference: `${name}-out` }, 'ReservationCommitted')
  }

  async function register(chance: Random, name: string): Promise<void> {
    const send = sender(client, name)
    const id = `c-${name}`
    const registered = await send({
      caller: 'staff',
      path: '/v1/customers',
      body: { id, email: `${id}@example.com`, name: 'Ada Lovelace' },
      category: 'customer',
      causes: 'CustomerRegistered',
    })
    if (registered === undefined) throw new Error('A new address can always register')
    const path = `/v1/customers/${id}/rename`
    const body = { name: `Ada ${chance.next()}` }
    const renamed = await send({ caller: 'staff', path, body, category: 'customer', causes: 'CustomerRenamed' })
    const { body: found } = await client.get(`/v1/customers/${id}`, 'staff', renamed?.position)
    expect(found).toMatchObject({ id, name: body.name })
  }

  async function browse(chance: Random): Promise<void> {
    const paths = ['', '&q=blue', '&q=teapot', '&limit=2'] as const
    const listed = await client.get(`/v1/products?language=en&currency=EUR${chance.pick(paths)}`, 'staff')
    expect(listed.status).toBe(200)
    expect((await client.get('/v1/admin/orders?limit=20', 'staff')).status).toBe(200)
    expect((await client.get(`/v1/stock-levels/${chance.pick(goods).sku}`, 'staff')).status).toBe(200)
  }

  let counted = 0
  async function count(name: string): Promise<void> {
    const number = ++counted
    const change = number % 2 === 0 ? 1 : -1
    const body = { change, reason: 'Counted', reference: `${name}-${number}` }
    const path = `/v1/stock-items/${hotSku}/adjust`
    const send = sender(client, `${name}-${number}`)
    const answer = await send({ caller: 'staff', path, body, category: 'stockItem', causes: 'StockAdjusted' })
    hotRevision = Math.max(hotRevision, answer?.revision ?? 0)
  }

  const everybody = [
    ...Array.from({ length: shoppers }, (_, number) => work('shopper', number, buy)),
    ...[100, 101].map((number) => work('keeper', number, keepStock)),
    work('registrar', 200, register),
    work('browser', 300, browse),
    work('counter', 400, (_chance, name) => count(name)),
  ]

  return {
    failed,
    hotRevision: () => hotRevision,
    heatUp(isOver) {
      const counting = async () => {
        while (!isOver() && !stopping) await count('heat')
      }
      everybody.push(...Array.from({ length: hotAtOnce }, () => counting().catch(fail)))
    },
    async stop() {
      stopping = true
      await Promise.all(everybody)
    },
  }
}
