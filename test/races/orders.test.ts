import { expect, test } from 'vitest'
import { type OpenShop, openShop } from '../integration/open-shop.ts'
import { checkOut, fillCart, guest, pay, type Sent, stock } from '../integration/shop-client.ts'
import { balancedBooks, rest } from './books.ts'
import { inTurns, unlimited } from './crowd.ts'

const rounds = 30
const pieces = 1_000

interface Bought {
  readonly orderId: string
  readonly token: string
}

/** Orders of two teapots each, that are paid. */
async function paidOrders(shop: OpenShop): Promise<readonly Bought[]> {
  const orders = await inTurns(rounds, async () => {
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, orderId, shopper)
    return { orderId, token: shopper.token }
  })
  await rest(shop)
  return orders
}

let keys = 0

/** A command with a key of its own. */
function ask(shop: OpenShop, path: string, body: unknown, token?: string): Promise<Sent> {
  const headers = { 'idempotency-key': `race-${++keys}` }
  return shop.send('POST', path, { body, headers, ...(token !== undefined && { token }) })
}

/** Each round begins with another one. */
function turned<T>(all: readonly T[], round: number): readonly T[] {
  return all.map((_, place) => all[(place + round) % all.length]).filter((each) => each !== undefined)
}

function codesOf(answers: readonly Sent[]): readonly unknown[] {
  return answers.filter(({ status }) => status >= 400).map(({ status, body }) => [status, body.code])
}

test('cancel against ship: one of them happens, and the other is told why not', async () => {
  const shop = await openShop(unlimited)
  await stock(shop, pieces)
  const orders = await paidOrders(shop)
  const wins = await Promise.all(
    orders.map(async ({ orderId, token }, round) => {
      const cancel = async () => {
        const { status, body } = await ask(shop, `/v1/orders/${orderId}/cancel`, { reason: 'No' }, token)
        return { what: 'cancel', status, code: body.code }
      }
      const ship = async () => {
        const { status, body } = await ask(shop, `/v1/orders/${orderId}/ship`, {})
        return { what: 'ship', status, code: body.code }
      }
      const all = turned([cancel, ship, cancel, ship], round)
      const answers = await Promise.all(all.map((run) => run()))
      const shipped = answers.filter(({ what, status }) => what === 'ship' && status === 200)
      const cancelled = answers.filter(({ what, status }) => what === 'cancel' && status === 200)
      for (const { status, code } of answers.filter((each) => each.status !== 200)) {
        const reason = shipped.length > 0 ? ['order-shipped', 'nothing-to-ship'] : ['order-ended']
        expect(status).toBe(409)
        expect(reason).toContain(code)
      }
      // Cancelling what is cancelled already is no fault.
      expect([shipped.length, cancelled.length]).toEqual(shipped.length > 0 ? [1, 0] : [0, 2])
      return { orderId, isShipped: shipped.length > 0 }
    }),
  )
  const books = await balancedBooks(shop, { TEAPOT: pieces })
  for (const { orderId, isShipped } of wins) {
    expect(books.orders.find(({ id }) => id === orderId)).toMatchObject(
      isShipped
        ? { status: 'confirmed', paymentStatus: 'captured', fulfilmentStatus: 'shipped', refunded: 0 }
        : { status: 'cancelled', paymentStatus: 'refunded', fulfilmentStatus: 'unfulfilled', refunded: 5_488 },
    )
  }
  expect(new Set(wins.map(({ isShipped }) => isShipped)).size, 'each wins now and then').toBe(2)
}, 60_000)

test('pay against expire: an order is paid and confirmed, or ends and keeps neither stock nor money', async () => {
  const windowMs = 1_500
  const shop = await openShop({ ...unlimited, DAYBOOK_PAYMENT_WINDOW_MS: String(windowMs) })
  await stock(shop, pieces)
  const cards = ['4242424242424242', '4000000000001000', '4000000000001034']
  const tokens = await Promise.all(cards.map((number) => shop.cardToken(number)))
  await Promise.all(
    Array.from({ length: rounds }, async (_, round) => {
      const shopper = await guest(shop)
      const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
      const { placedAt } = await shop.get(`/v1/orders/${orderId}`, shopper.token)
      // From well before the last moment to just after it.
      const payAt = Date.parse(placedAt) + windowMs - 150 + 6 * round
      await new Promise((resolve) => setTimeout(resolve, payAt - Date.now()))
      const payment = { gateway: 'sandbox', token: tokens[round % tokens.length] }
      const { status, body } = await ask(shop, `/v1/orders/${orderId}/pay`, payment, shopper.token)
      if (status !== 200) expect([status, body.code]).toEqual([409, 'order-not-payable'])
      await expect.poll(async () => (await shop.get(`/v1/orders/${orderId}`)).status).not.toBe('pending')
      const order = await shop.get(`/v1/orders/${orderId}`)
      if (status !== 200) expect(order).toMatchObject({ status: 'cancelled', endReason: 'expired', payment: null })
      else if (order.status !== 'confirmed') expect(order).toMatchObject({ status: 'cancelled', endReason: 'expired' })
    }),
  )
  const { orders } = await balancedBooks(shop, { TEAPOT: pieces })
  expect(orders).toHaveLength(rounds)
  for (const { status, paymentStatus } of orders) {
    if (status === 'confirmed') expect(paymentStatus).toBe('captured')
    else expect([status, ['not-paid', 'refunded'].includes(paymentStatus)]).toEqual(['cancelled', true])
  }
}, 60_000)

test('refund against refund: no piece is paid back twice', async () => {
  const shop = await openShop(unlimited)
  await stock(shop, pieces)
  const orders = await paidOrders(shop)
  await Promise.all(
    orders.map(async ({ orderId }, round) => {
      const refund = (quantity: number, shipping: boolean) => ({
        lines: [{ lineId: 'TEAPOT', quantity }],
        shipping,
        reason: 'Broken',
      })
      // Of two pieces and one shipping fee.
      const wanted =
        round % 2 === 0
          ? [refund(2, true), refund(2, true), refund(2, true)]
          : [refund(1, false), refund(1, true), refund(1, true), refund(1, false)]
      const answers = await Promise.all(
        turned(wanted, round).map((body) => ask(shop, `/v1/orders/${orderId}/refund`, body)),
      )
      const refusals = codesOf(answers)
      expect(new Set(refusals.map(String))).toEqual(new Set(['409,refund-too-large']))
      const won = answers.length - refusals.length
      expect(won).toBe(round % 2 === 0 ? 1 : 2)
    }),
  )
  const books = await balancedBooks(shop, { TEAPOT: pieces })
  for (const { refunded, lines, paymentStatus } of books.orders) {
    expect(lines.map((line) => line.refunded)).toEqual([2])
    // Where two single pieces without the fee came first, the fee stays.
    expect([
      [5_488, 'refunded'],
      [4_998, 'partly-refunded'],
    ]).toContainEqual([refunded, paymentStatus])
  }
}, 60_000)

test('refund against cancel: what was paid goes back once', async () => {
  const shop = await openShop(unlimited)
  await stock(shop, pieces)
  const orders = await paidOrders(shop)
  await Promise.all(
    orders.map(async ({ orderId, token }, round) => {
      const part = { lines: [{ lineId: 'TEAPOT', quantity: 1 }], shipping: true, reason: 'Broken' }
      const answers = await Promise.all(
        turned(
          [
            () => ask(shop, `/v1/orders/${orderId}/refund`, part),
            () => ask(shop, `/v1/orders/${orderId}/cancel`, { reason: 'No' }, token),
          ],
          round,
        ).map((run) => run()),
      )
      for (const code of codesOf(answers)) expect(code).toEqual([409, 'refund-too-large'])
    }),
  )
  const books = await balancedBooks(shop, { TEAPOT: pieces })
  for (const order of books.orders) expect(order).toMatchObject({ status: 'cancelled', paid: 5_488, refunded: 5_488 })
}, 60_000)

test('one cart checked out with many keys is one order', async () => {
  const shop = await openShop(unlimited)
  await stock(shop, pieces)
  const carts = await inTurns(rounds, async () => {
    const shopper = await guest(shop)
    return { cartId: await fillCart(shop, shopper), token: shopper.token }
  })
  await Promise.all(
    carts.map(async ({ cartId, token }) => {
      const more = { productId: 'teapot', sku: 'TEAPOT', quantity: 1 }
      const [first, second, added, third] = await Promise.all([
        ask(shop, `/v1/carts/${cartId}/checkout`, {}, token),
        ask(shop, `/v1/carts/${cartId}/checkout`, {}, token),
        ask(shop, `/v1/carts/${cartId}/lines`, more, token),
        ask(shop, `/v1/carts/${cartId}/checkout`, {}, token),
      ])
      expect([first, second, third].map(({ status }) => status)).toEqual([200, 200, 200])
      expect(new Set([first, second, third].map(({ body }) => body.revision)).size).toBe(1)
      if (added.status !== 200) expect([added.status, added.body.code]).toEqual([409, 'cart-checked-out'])
    }),
  )
  const { orders } = await balancedBooks(shop, { TEAPOT: pieces })
  expect(orders).toHaveLength(rounds)
  expect(new Set(orders.map(({ status }) => status))).toEqual(new Set(['pending']))
}, 60_000)
