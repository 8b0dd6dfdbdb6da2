import { expect } from 'vitest'
import { z } from 'zod'
import { isEnded, leftOf, type Order } from '../../src/domain/order/state.ts'
import type { Payment } from '../../src/domain/payment/state.ts'
import type { Journal } from './journal.ts'
import { soldSkus } from './load.ts'
import type { Books } from './log-check.ts'

/** What must add up when nothing is under way any more: orders, stock, and money, here and at the gateway. */

/** What the gateway itself knows of a payment. */
const AtGateway = z.object({
  status: z.string(),
  authorised: z.int(),
  captured: z.int(),
  refunded: z.int(),
})

/** Every cart that was checked out became one order, and every order has come to an end or is owed. */
export function checkOrders({ orders, checkedOut, placed }: Books): void {
  expect(placed.toSorted()).toEqual(checkedOut.toSorted())
  expect(new Set(placed).size).toBe(placed.length)
  for (const id of placed) {
    const found = orders.get(id)
    expect(['confirmed', 'completed', 'cancelled', 'rejected'], `order ${id}`).toContain(found?.status)
    const open = [...(found?.refunds.values() ?? [])].filter(({ status }) => status === 'requested')
    expect(open, `order ${id} has no refund under way`).toEqual([])
  }
}

function sum(numbers: Iterable<number>): number {
  return Iterator.from(numbers).reduce((total, each) => total + each, 0)
}

/** What of a SKU an order has reserved and not shipped. */
function owedBy(order: Order, sku: string): number {
  if (isEnded(order)) return 0
  const lines = [...order.lines.values()].filter(({ line }) => line.sku === sku)
  return sum(lines.map((line) => (leftOf(line) === 0 ? 0 : line.line.quantity - line.shipped)))
}

/** What came in is there or has left, and what is reserved is owed to somebody. */
export function checkStock({ orders, placed, stockItems, stockMovements }: Books, journal: Journal): void {
  for (const sku of soldSkus) {
    const item = stockItems.get(sku)
    const sent = journal.all.filter(({ command }) => command.path.startsWith(`/v1/stock-items/${sku}/`))
    const told = (what: string, field: string) =>
      sum(
        sent.flatMap(({ command: { path, body } }) => {
          const value: unknown = path.endsWith(`/${what}`) ? Reflect.get(body, field) : undefined
          return typeof value === 'number' ? [value] : []
        }),
      )
    const moved = (type: string, field: string) =>
      sum(
        stockMovements
          .filter((movement) => movement.type === type && movement.data.sku === sku)
          .map(({ data }) => Number(data[field])),
      )
    expect(moved('StockReceived', 'quantity'), `received of ${sku}`).toBe(told('receive', 'quantity'))
    expect(moved('StockAdjusted', 'change'), `adjusted of ${sku}`).toBe(told('adjust', 'change'))
    const shipped = sum(
      placed.flatMap((id) =>
        [...(orders.get(id)?.lines.values() ?? [])].filter(({ line }) => line.sku === sku).map((line) => line.shipped),
      ),
    )
    const left = moved('ReservationCommitted', 'quantity')
    expect(left, `left the house of ${sku}`).toBe(shipped + told('commit', 'quantity'))
    expect(item?.onHand, `on hand of ${sku}`).toBe(told('receive', 'quantity') + told('adjust', 'change') - left)
    const owed = sum(
      placed.map((id) => {
        const found = orders.get(id)
        return found ? owedBy(found, sku) : 0
      }),
    )
    // Of what staff holds, a release frees all and a commitment takes a piece of two.
    const held = told('reserve', 'quantity') - 2 * count(sent, 'release') - told('commit', 'quantity')
    expect(item?.reserved, `reserved of ${sku}`).toBe(owed + held)
  }
}

function count(sent: Journal['all'], what: string): number {
  return sent.filter(({ command: { path } }) => path.endsWith(`/${what}`)).length
}

function refunded(payment: Payment): number {
  return sum([...payment.refunds.values()].map(({ status, amount }) => (status === 'refunded' ? amount : 0)))
}

/**
 * What the gateway has taken and given back is what the payments say, and what the orders say; who has no order has
 * their money.
 * @returns the sum that the shop has in the end, in minor units
 */
export async function checkMoney({ orders, payments, placed }: Books, gatewayUrl: string): Promise<number> {
  let kept = 0
  for (const [id, payment] of payments) {
    const { reference, status, request } = payment
    if (reference === undefined) continue
    const reply = await fetch(`${gatewayUrl}/v1/payments/${encodeURIComponent(reference)}`)
    const there = AtGateway.parse(await reply.json())
    const taken = status === 'captured' ? (request?.amount ?? 0) : 0
    expect(there, `payment ${id}, which is ${status}`).toMatchObject({ captured: taken, refunded: refunded(payment) })
    // What is held and not taken must have been let go.
    if (there.status === 'authorised') expect(there.captured, `payment ${id} holds nothing`).toBe(there.authorised)
    kept += there.captured - there.refunded

    const found = orders.get(request?.orderId ?? '')
    const isOrders = found !== undefined && !isEnded(found) && found.paid?.paymentId === id
    if (!isOrders)
      expect(there.captured, `payment ${id} has nothing of an order that it did not pay`).toBe(there.refunded)
    else expect(there.captured, `payment ${id} paid its order`).toBe(found.contents?.totals.total)
  }
  const paid = placed.map((id) => {
    const found = orders.get(id)
    const payment = found?.paid?.paymentId === undefined ? undefined : payments.get(found.paid.paymentId)
    return found?.paid && payment ? found.paid.amount - refunded(payment) : 0
  })
  expect(sum(paid), 'orders and gateway agree').toBe(kept)
  for (const id of placed) {
    const found = orders.get(id)
    if (found?.status === 'confirmed' || found?.status === 'completed')
      expect(found.paid, `order ${id} is paid`).toBeDefined()
  }
  return kept
}
