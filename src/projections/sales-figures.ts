import { z } from 'zod'

/** What is counted of sales. All of it is additive: the figures of a time are the sum of those of its parts. */

const count = (description: string, example: number) => z.int().meta({ description, example })

const Counted = z.object({
  orders: count('Orders that were paid; of a product, category or country: those with it', 3),
  units: count('Pieces sold', 7),
  unitsRefunded: count('Pieces paid back', 1),
  gross: count('Price of the pieces sold, tax included, in minor units', 17_493),
  refunded: count('Given back for pieces, tax included, in minor units', 2_499),
  tax: count('Tax in the revenue, in minor units', 2_394),
  shipping: count('Paid for shipping less what was given back of it, tax included, in minor units', 1_470),
  shippingTax: count('Tax in `shipping`, in minor units', 235),
})
type Counted = z.output<typeof Counted>
const names = Counted.keyof().options
const none: Counted = Counted.parse(Object.fromEntries(names.map((name) => [name, 0])))

/** Figures as they are kept: without those that are zero. */
export const Figures = Counted.partial().meta({
  description: 'What was counted, without the zeros',
  example: { orders: 1, units: 2, gross: 4_998, tax: 798 },
})
export type Figures = z.output<typeof Figures>

/** Figures as they are shown: all of them, and those that follow from them. */
export const SalesFigures = Counted.extend({
  revenue: count('`gross` less `refunded`, in minor units', 14_994),
  averageOrderValue: z.int().nullable().meta({
    description: '`gross` for each order, in minor units, rounded down; null where there is no order',
    example: 5_831,
  }),
})
export type SalesFigures = z.output<typeof SalesFigures>

/** Both together, without zeros. */
export function plus(left: Figures | undefined, right: Figures): Figures {
  const sum: Figures = {}
  for (const name of names) {
    const value = (left?.[name] ?? 0) + (right[name] ?? 0)
    if (value !== 0) sum[name] = value
  }
  return sum
}

/** The sum of many figures, to which more can be added. */
export function tally(): { add(figures: Figures): void; total(): SalesFigures } {
  const sum = { ...none }
  return {
    add(figures) {
      for (const name of names) sum[name] += figures[name] ?? 0
    },
    total: () => ({
      ...sum,
      revenue: sum.gross - sum.refunded,
      averageOrderValue: sum.orders === 0 ? null : Math.floor(sum.gross / sum.orders),
    }),
  }
}
