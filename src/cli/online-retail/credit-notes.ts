import type { RetailLine, SetAside } from './line.ts'
import { lineIdOf, type RetailOrder } from './order.ts'

/**
 * Which orders credit notes give money back for; they do not say it themselves. A line of a credit note belongs to the
 * latest earlier order of the same customer in the same country with at least as many pieces of the same code at the
 * same price that no other credit note has taken. They take turns in the order of their time.
 */

export interface RetailRefund {
  /** The credit note, which names the refund within its order. */
  readonly creditNote: string
  readonly orderId: string
  /** ISO 3166-1 code. */
  readonly country: string
  readonly at: string
  /** Month of that time in the shop's time zone. */
  readonly month: string
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[]
  /** In pence. */
  readonly amount: number
  /** How many lines of the file it stands for. */
  readonly lineCount: number
}

/** What is left of a code at a price in one order. */
interface Sold {
  readonly order: RetailOrder
  readonly lines: { readonly lineId: string; left: number }[]
}

function keyOf({ customerId = '', country, stockCode, unitPrice }: RetailLine): string {
  return JSON.stringify([customerId, country, stockCode, unitPrice])
}

function soldByKey(orders: readonly RetailOrder[]): ReadonlyMap<string, readonly Sold[]> {
  const byKey = new Map<string, Sold[]>()
  for (const order of orders) {
    if (order.customerId === undefined) continue
    for (const [index, line] of order.lines.entries()) {
      const key = keyOf(line)
      const sold = byKey.get(key) ?? []
      const last = sold.at(-1)
      const own = last?.order === order ? last : { order, lines: [] }
      if (own !== last) sold.push(own)
      own.lines.push({ lineId: lineIdOf(index), left: line.quantity })
      byKey.set(key, sold)
    }
  }
  return byKey
}

function leftOf({ lines }: Sold): number {
  return lines.reduce((sum, { left }) => sum + left, 0)
}

function take({ lines }: Sold, quantity: number): { lineId: string; quantity: number }[] {
  let wanted = quantity
  return lines.flatMap((line) => {
    const taken = Math.min(line.left, wanted)
    line.left -= taken
    wanted -= taken
    return taken > 0 ? [{ lineId: line.lineId, quantity: taken }] : []
  })
}

function isLater(left: Sold, right: Sold | undefined): boolean {
  return right === undefined || left.order.at >= right.order.at
}

function latestBefore({ at, quantity }: RetailLine, all: readonly Sold[]): Sold | undefined {
  let found: Sold | undefined
  for (const sold of all) {
    if (sold.order.at < at && leftOf(sold) >= -quantity && isLater(sold, found)) found = sold
  }
  return found
}

function reasonOf({ stockCode, customerId, quantity, isPriced }: RetailLine): string | undefined {
  if (quantity >= 0) return 'credit note with a quantity that is not below zero'
  if (!isPriced) return 'credit note without a price'
  if (stockCode === 'D') return 'credit note: a discount, of no order'
  if (customerId === undefined) return 'credit note of a guest: its order is not known'
  return undefined
}

/** Finds the orders of all lines of credit notes; what has none comes back with the reason. */
export function matchCreditNotes(
  creditLines: readonly RetailLine[],
  orders: readonly RetailOrder[],
): { readonly refunds: readonly RetailRefund[]; readonly unmatched: readonly SetAside[] } {
  const sold = soldByKey(orders)
  const refunds = new Map<string, RetailRefund>()
  const unmatched: SetAside[] = []
  for (const line of creditLines.toSorted((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))) {
    const reason = reasonOf(line)
    const match = reason === undefined ? latestBefore(line, sold.get(keyOf(line)) ?? []) : undefined
    if (match === undefined) {
      unmatched.push({ line, reason: reason ?? 'credit note: no earlier order has so many left' })
      continue
    }
    const { order } = match
    const key = JSON.stringify([line.invoice, order.id])
    const known = refunds.get(key) ?? {
      creditNote: line.invoice,
      orderId: order.id,
      country: order.country,
      at: line.at,
      month: line.month,
      lines: [],
      amount: 0,
      lineCount: 0,
    }
    refunds.set(key, {
      ...known,
      lines: [...known.lines, ...take(match, -line.quantity)],
      amount: known.amount - line.quantity * line.unitPrice,
      lineCount: known.lineCount + 1,
    })
  }
  return { refunds: [...refunds.values()], unmatched }
}
