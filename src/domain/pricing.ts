import { type Rejection, reject } from '../engine/errors.ts'
import type { OrderLine, OrderShipping, OrderTotals } from './order/contents.ts'
import { Amount } from './values.ts'

/** Amounts of an order: whole minor units, tax included, split so that the pieces always sum up to the whole. */

type UnitTaxes = OrderLine['unitTaxes']

const largestAmount = Amount.maxValue ?? Number.MAX_SAFE_INTEGER

function tooLarge(): Rejection {
  return reject('total-too-large', 'The total is larger than an order can be. Order fewer pieces at once.', {
    largest: largestAmount,
  })
}

/**
 * The tax that is included in an amount, rounded half up.
 * @param amount in minor units
 * @param taxRate in hundredths of a percent
 */
export function includedTax(amount: number, taxRate: number): number {
  const divisor = BigInt(10_000 + taxRate)
  // Twice the quotient and one more, halved: exact where a product of plain numbers would not be.
  return Number((2n * BigInt(amount) * BigInt(taxRate) + divisor) / (2n * divisor))
}

/**
 * The tax of a line split over its pieces by largest remainder: none differs from another by more than one minor unit.
 * @param tax in minor units
 * @returns how many pieces carry how much, the larger share first
 */
export function splitTax(tax: number, quantity: number): UnitTaxes {
  const share = Math.floor(tax / quantity)
  const larger = tax % quantity
  return [
    { units: larger, tax: share + 1 },
    { units: quantity - larger, tax: share },
  ].filter(({ units }) => units > 0)
}

/**
 * The amounts of a line.
 * @throws Rejection `total-too-large`
 */
export function priceLine(line: Pick<OrderLine, 'unitPrice' | 'quantity' | 'taxRate'>) {
  const exact = BigInt(line.unitPrice) * BigInt(line.quantity)
  if (exact > BigInt(largestAmount)) throw tooLarge()
  const amount = Number(exact)
  const tax = includedTax(amount, line.taxRate)
  return { amount, tax, unitTaxes: splitTax(tax, line.quantity) }
}

/**
 * The totals of an order.
 * @throws Rejection `total-too-large`
 */
export function totalsOf(
  lines: readonly Pick<OrderLine, 'amount' | 'tax'>[],
  shipping: Pick<OrderShipping, 'amount' | 'tax'>,
): OrderTotals {
  const items = lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  const total = items + BigInt(shipping.amount)
  if (total > BigInt(largestAmount)) throw tooLarge()
  const tax = lines.reduce((sum, line) => sum + line.tax, shipping.tax)
  return { items: Number(items), shipping: shipping.amount, tax, total: Number(total) }
}

/**
 * Checks amounts that were not computed here, for a later refund gives back parts of them.
 * @throws Rejection `amounts-wrong`, with the line where there is one
 */
export function checkAmounts(lines: readonly OrderLine[], shipping: OrderShipping, totals: OrderTotals): void {
  for (const { lineId, quantity, unitPrice, amount, tax, unitTaxes } of lines) {
    const units = unitTaxes.reduce((sum, group) => sum + group.units, 0)
    const split = unitTaxes.reduce((sum, group) => sum + BigInt(group.units) * BigInt(group.tax), 0n)
    if (
      BigInt(unitPrice) * BigInt(quantity) !== BigInt(amount) ||
      tax > amount ||
      units !== quantity ||
      split !== BigInt(tax)
    ) {
      throw reject(
        'amounts-wrong',
        'A line must cost its unit price times its quantity, and the tax of its pieces must sum up to its tax.',
        { lineId },
      )
    }
  }
  const expected = totalsOf(lines, shipping)
  if (
    shipping.tax > shipping.amount ||
    expected.items !== totals.items ||
    expected.shipping !== totals.shipping ||
    expected.tax !== totals.tax ||
    expected.total !== totals.total
  ) {
    throw reject('amounts-wrong', 'Lines and shipping must sum up to the totals.', { expected })
  }
}

/** Of each group of a line's `unitTaxes`, the number of pieces: those left to be paid back, or those taken for a refund. */
export type Units = readonly number[]

export function allUnits(line: Pick<OrderLine, 'unitTaxes'>): Units {
  return line.unitTaxes.map(({ units }) => units)
}

export function pieces(units: Units): number {
  return units.reduce((sum, count) => sum + count, 0)
}

/**
 * Takes pieces of a line to pay them back, in the order of its groups.
 * @param quantity at most the pieces that are left
 */
export function takeUnits(left: Units, quantity: number): Units {
  let wanted = quantity
  return left.map((count) => {
    const taken = Math.min(count, wanted)
    wanted -= taken
    return taken
  })
}

/** What these pieces of a line cost, from the amounts that it keeps. */
export function amountsOf(line: Pick<OrderLine, 'unitPrice' | 'unitTaxes'>, units: Units) {
  return {
    quantity: pieces(units),
    amount: pieces(units) * line.unitPrice,
    tax: line.unitTaxes.reduce((sum, group, index) => sum + (units[index] ?? 0) * group.tax, 0),
  }
}
