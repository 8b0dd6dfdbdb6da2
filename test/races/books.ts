import { expect } from 'vitest'
import type { z } from 'zod'
import type { Order } from '../../src/projections/orders.ts'
import type { Payment } from '../../src/projections/payments.ts'
import type { StockLevel } from '../../src/projections/stock-levels.ts'
import type { OpenShop } from '../integration/open-shop.ts'

/** What a shop has come to, and whether it adds up. */

type OrderView = z.output<typeof Order>

export interface Books {
  readonly orders: readonly OrderView[]
  readonly payments: readonly Payment[]
  /** By SKU. */
  readonly levels: ReadonlyMap<string, StockLevel>
}

/** A payment as the sandbox gateway has it; amounts in minor units. */
interface Account {
  readonly status: string
  readonly authorised: number
  readonly captured: number
  readonly refunded: number
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** Waits until everything that follows from what was asked has happened, timers apart. */
export async function rest({ daybook, get }: OpenShop): Promise<void> {
  const { processes, projections, handler } = daybook.engine
  await expect
    .poll(
      async () => {
        const open: readonly { job: string }[] = (await get('/v1/open-work?limit=100')).items
        return {
          open: open.filter(({ job }) => job !== 'expire-order'),
          commands: handler.status().waiting,
          reactions: sum(processes.status().map(({ underWay }) => underWay)),
          lag: sum(projections.status().map(({ lag }) => lag)),
          behind: new Set(processes.status().map(({ position }) => position)).size - 1,
        }
      },
      { timeout: 60_000 },
    )
    .toEqual({ open: [], commands: 0, reactions: 0, lag: 0, behind: 0 })
}

async function all<T>(shop: OpenShop, path: string): Promise<readonly T[]> {
  const items: T[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await shop.get(`${path}?limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    items.push(...page.items)
    cursor = page.next
  }
  return items
}

async function accountOf({ sandboxUrl }: OpenShop, { reference }: Payment): Promise<Account> {
  if (reference === null) return { status: 'unknown', authorised: 0, captured: 0, refunded: 0 }
  return JSON.parse(await (await fetch(`${sandboxUrl}/v1/payments/${reference}`)).text())
}

/** The pieces of a line that stay reserved. */
function reservedOf({ status }: OrderView, line: OrderView['lines'][number]): number {
  if (status === 'cancelled' || status === 'rejected') return 0
  const left = Math.max(0, line.quantity - line.shipped - line.refunded)
  return left === 0 ? 0 : line.quantity - line.shipped
}

/**
 * Reads the books of a shop that is at rest, and checks that stock, money and counts add up: those of the orders, of the
 * stock, of the gateway, and of the sales figures.
 * @param received pieces by SKU
 */
export async function balancedBooks(shop: OpenShop, received: Readonly<Record<string, number>>): Promise<Books> {
  await rest(shop)
  const ids = (await all<{ id: string }>(shop, '/v1/admin/orders')).map(({ id }) => id)
  const orders: OrderView[] = await Promise.all(ids.map((id) => shop.get(`/v1/orders/${id}`)))
  const payments = await all<Payment>(shop, '/v1/payments')
  const levels = new Map((await all<StockLevel>(shop, '/v1/stock-levels')).map((level) => [level.sku, level]))

  for (const [sku, pieces] of Object.entries(received)) {
    const lines = orders.flatMap((order) =>
      order.lines.flatMap((line) => (line.sku === sku ? [{ ...line, reserved: reservedOf(order, line) }] : [])),
    )
    const onHand = pieces - sum(lines.map(({ shipped }) => shipped))
    const reserved = sum(lines.map((line) => line.reserved))
    expect(levels.get(sku), sku).toMatchObject({ onHand, reserved, available: onHand - reserved })
    expect(onHand - reserved, `${sku} is not oversold`).toBeGreaterThanOrEqual(0)
  }

  const accounts = await Promise.all(
    payments.map(async (payment) => ({ payment, account: await accountOf(shop, payment) })),
  )
  for (const { id, status: orderStatus, totals, lines, shipping, paid, refunded: back, refunds } of orders) {
    expect(sum(lines.map(({ amount }) => amount)) + shipping.amount, `lines of ${id}`).toBe(totals.total)
    expect(sum(refunds.flatMap((each) => (each.status === 'refunded' ? [each.total] : []))), id).toBe(back)
    expect(back, `${id} gives back no more than it took`).toBeLessThanOrEqual(paid ?? 0)
    const own = accounts.filter(({ payment }) => payment.orderId === id).map(({ account }) => account)
    const taken = sum(own.map(({ captured, refunded }) => captured - refunded))
    const held = sum(
      own.map(({ status, authorised, captured }) => (status === 'cancelled' ? 0 : authorised - captured)),
    )
    expect({ taken, held }, `money of ${id}`).toEqual({ taken: (paid ?? 0) - back, held: 0 })
    if (orderStatus === 'cancelled' || orderStatus === 'rejected') expect(taken, `${id} has ended`).toBe(0)
  }

  const sold = orders.filter(({ paid }) => paid !== null)
  const day = (later: number) => new Date(Date.now() + later * 86_400_000).toISOString().slice(0, 10)
  const [figures] = (await shop.get(`/v1/analytics/sales?currency=EUR&interval=month&from=${day(-1)}&to=${day(1)}`))
    .items
  expect({ orders: figures?.orders ?? 0, revenue: figures?.revenue ?? 0 }, 'sales').toEqual({
    orders: sold.length,
    revenue: sum(
      sold.map(({ totals, refunded, refunds }) => {
        const shipping = sum(refunds.flatMap((each) => (each.status === 'refunded' ? [each.shipping] : [])))
        return totals.items - (refunded - shipping)
      }),
    ),
  })
  expect((await shop.get('/v1/dead-letters')).items).toEqual([])
  return { orders, payments, levels }
}
