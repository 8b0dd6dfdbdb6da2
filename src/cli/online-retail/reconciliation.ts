import { z } from 'zod'
import { ProblemError } from '../connection.ts'
import type { Courier } from '../courier.ts'
import type { Ledger } from './ledger.ts'
import { shopCurrency, shopTimeZone } from './line.ts'

/** What the file has against what the read model of sales has, by month and country, to the penny. */

const figureNames = ['orders', 'units', 'revenue', 'unitsRefunded', 'refunded'] as const

/** Amounts are in pence; revenue is before refunds. A refund counts in its own month, as in the shop's figures. */
export type Figures = Readonly<Record<(typeof figureNames)[number], number>>

export interface Comparison {
  /** Such as `2010-12`. */
  readonly month: string
  /** ISO 3166-1 code, or `all`. */
  readonly country: string
  readonly file: Figures
  readonly daybook: Figures
}

export const everywhere = 'all'
const nothing: Figures = { orders: 0, units: 0, revenue: 0, unitsRefunded: 0, refunded: 0 }

function plus(left: Figures, right: Partial<Figures>): Figures {
  const sum = (name: keyof Figures) => left[name] + (right[name] ?? 0)
  return {
    orders: sum('orders'),
    units: sum('units'),
    revenue: sum('revenue'),
    unitsRefunded: sum('unitsRefunded'),
    refunded: sum('refunded'),
  }
}

export function isSame(left: Figures, right: Figures): boolean {
  return figureNames.every((name) => left[name] === right[name])
}

export function sumOf(all: readonly Figures[]): Figures {
  return all.reduce(plus, nothing)
}

/** By country (`all` is one, too) and month. */
type Cells = ReadonlyMap<string, ReadonlyMap<string, Figures>>

/** What the file has. */
export function figuresOfFile({ orders, refunds }: Pick<Ledger, 'orders' | 'refunds'>): Cells {
  const cells = new Map<string, Map<string, Figures>>([[everywhere, new Map()]])
  function add(month: string, country: string, figures: Partial<Figures>): void {
    for (const name of [everywhere, country]) {
      const months = cells.get(name) ?? new Map<string, Figures>()
      cells.set(name, months.set(month, plus(months.get(month) ?? nothing, figures)))
    }
  }
  for (const { month, country, lines } of orders) {
    add(month, country, {
      orders: 1,
      units: lines.reduce((sum, { quantity }) => sum + quantity, 0),
      revenue: lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0),
    })
  }
  for (const { month, country, lines, amount } of refunds) {
    add(month, country, {
      unitsRefunded: lines.reduce((sum, { quantity }) => sum + quantity, 0),
      refunded: amount,
    })
  }
  return cells
}

const Series = z.object({
  items: z.array(
    z
      .object({
        start: z.string(),
        orders: z.int(),
        units: z.int(),
        gross: z.int(),
        unitsRefunded: z.int(),
        refunded: z.int(),
      })
      .transform(({ start, gross, ...figures }) => ({
        month: start.slice(0, 7),
        figures: { ...figures, revenue: gross },
      })),
  ),
})

/** What the read model of sales has in these months. */
async function figuresOfDaybook(courier: Courier, months: readonly string[], country: string) {
  const [first = ''] = months
  const last = Temporal.PlainYearMonth.from(months.at(-1) ?? first)
  const query = new URLSearchParams({
    from: `${first}-01`,
    to: last.toPlainDate({ day: last.daysInMonth }).toString(),
    timeZone: shopTimeZone,
    currency: shopCurrency,
    interval: 'month',
    ...(country !== everywhere && { country }),
  })
  const { status, body } = await courier.ask(`/v1/analytics/sales?${query}`)
  if (status !== 200) throw new ProblemError(status, body)
  return new Map(Series.parse(body).items.map(({ month, figures }) => [month, figures]))
}

/** Compares every month and country, and all countries together; where neither has anything there is no comparison. */
export async function reconcile(
  courier: Courier,
  ledger: Pick<Ledger, 'orders' | 'refunds'>,
): Promise<readonly Comparison[]> {
  const cells = figuresOfFile(ledger)
  const months = [...(cells.get(everywhere)?.keys() ?? [])].sort()
  if (months.length === 0) return []
  const countries = [...cells.keys()].sort()
  const answers = await Promise.all(countries.map((country) => figuresOfDaybook(courier, months, country)))
  return countries
    .flatMap((country, index) => {
      const found = answers[index]
      return [...new Set([...months, ...(found?.keys() ?? [])])].map((month) => ({
        month,
        country,
        file: cells.get(country)?.get(month) ?? nothing,
        daybook: found?.get(month) ?? nothing,
      }))
    })
    .filter(({ file, daybook }) => !isSame(file, nothing) || !isSame(daybook, nothing))
}
