import { z } from 'zod'
import { type OrderEvent, orderEvents } from '../domain/order/events.ts'
import { Currency, Title } from '../domain/values.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { partsAt } from './sales-calendar.ts'
import { Figures, plus } from './sales-figures.ts'

/**
 * Figures of sales. A sale is an order that has been paid, and counts at the time when the order was placed; what is
 * given back counts at the time of the refund. So a figure of the past changes only while orders of then are being paid.
 */

/** What sales are told apart by; `total` is all of them. */
export const Dimension = z
  .enum(['total', 'product', 'category', 'country'])
  .meta({ description: 'What sales are told apart by', example: 'product' })
export type Dimension = z.output<typeof Dimension>

export const SalesPeriod = z.object({
  currency: Currency,
  dimension: Dimension,
  value: z.string().meta({
    description: 'Id of the product or category, code of the country; empty for the total',
    example: 'teapot',
  }),
  title: Title.nullable().meta({ description: 'What a product was last called', example: 'Blue teapot' }),
  level: z
    .enum(['day', 'month', 'year'])
    .meta({ description: 'Whether it is of a UTC day, month or year', example: 'month' }),
  period: z.string().meta({ description: 'The day, month or year', example: '2026-01' }),
  parts: z.record(z.string(), Figures).meta({
    description:
      'Figures by part: the quarters of an hour of a day (0 to 95), the days of a month, the months of a year',
    example: { '15': { orders: 1, units: 2, gross: 4_998, tax: 798 } },
  }),
})
export type SalesPeriod = z.output<typeof SalesPeriod>

export const salesPeriods = collection('periods', SalesPeriod, {
  byPeriod: ['currency', 'dimension', 'level', 'period'],
})

/** The id of the figures of one value in one period; the period's length tells its level. */
export function salesPeriodId({ currency, dimension, value, period }: Omit<SalesPeriod, 'parts' | 'level' | 'title'>) {
  return `${currency}:${dimension}:${value}:${period}`
}

interface Contribution {
  readonly dimension: Dimension
  readonly value: string
  readonly title: string | null
  readonly figures: Figures
}

type Paid = Extract<Recorded<OrderEvent>, { type: 'OrderPaid' }>['data']
type Refunded = Extract<Recorded<OrderEvent>, { type: 'OrderRefunded' }>['data']

const paidLine = ({ quantity, amount, tax }: Paid['lines'][number]) => ({ units: quantity, gross: amount, tax })
const refundedLine = ({ quantity, amount, tax }: Refunded['lines'][number]) => ({
  unitsRefunded: quantity,
  refunded: amount,
  tax: -tax,
})

/** What lines add to each product and category, once for each, and to the total and the country. */
function contributions<Line extends Paid['lines'][number]>(
  { country, lines }: { readonly country: string; readonly lines: readonly Line[] },
  ofLine: (line: Line) => Figures,
  ofOrder: Figures,
  whole: Figures,
): readonly Contribution[] {
  const found = new Map<string, Contribution>()
  function add(dimension: Dimension, value: string, title: string | null, figures: Figures): void {
    const key = `${dimension}:${value}`
    found.set(key, { dimension, value, title, figures: plus(found.get(key)?.figures ?? ofOrder, figures) })
  }
  add('total', '', null, whole)
  add('country', country, null, whole)
  for (const line of lines) {
    const figures = ofLine(line)
    add('total', '', null, figures)
    add('country', country, null, figures)
    add('product', line.productId, line.title, figures)
    for (const categoryId of new Set(line.categoryIds)) add('category', categoryId, null, figures)
  }
  return [...found.values()]
}

function changes(currency: string, at: string, all: readonly Contribution[]): readonly Change[] {
  const parts = partsAt(at)
  return all.flatMap(({ figures, title, ...which }) =>
    parts.map(({ level, period, part }) =>
      salesPeriods.change(salesPeriodId({ ...which, currency, period }), (known) => ({
        ...which,
        currency,
        level,
        period,
        title: title ?? known?.title ?? null,
        parts: { ...known?.parts, [part]: plus(known?.parts[part], figures) },
      })),
    ),
  )
}

export const sales = projection({
  name: 'sales',
  version: 1,
  collections: [salesPeriods],
  from: [orderEvents],
  on: {
    OrderPaid: ({ data }) => {
      const whole = { shipping: data.shipping.amount, shippingTax: data.shipping.tax }
      return changes(data.currency, data.placedAt, contributions(data, paidLine, { orders: 1 }, whole))
    },
    OrderRefunded: ({ data, metadata }) => {
      const whole = { shipping: -data.shipping.amount, shippingTax: -data.shipping.tax }
      return changes(data.currency, metadata.occurredAt, contributions(data, refundedLine, {}, whole))
    },
  },
})
