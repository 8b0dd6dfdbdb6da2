import { z } from 'zod'
import { Country, Currency, Id } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { reject } from '../engine/errors.ts'
import type { Reader } from '../engine/query.ts'
import { query } from '../engine/query-definition.ts'
import { type Dimension, type SalesPeriod, sales, salesPeriodId, salesPeriods } from './sales.ts'
import { type Interval, type Stretch, spansOf, stretchesOf, wholeSpan } from './sales-calendar.ts'
import { type SalesFigures, SalesFigures as SalesFiguresSchema, tally } from './sales-figures.ts'

const whatCounts =
  'A sale is an order that has been paid, and counts at the time when it was placed. What is given back counts at the ' +
  'time of the refund: it lowers the revenue of that time, and leaves `orders`, `units` and `gross` as they were. ' +
  'Revenue is the price of goods, tax included; shipping stands beside it. Days are those of the time zone.'

const maxDays: Readonly<Record<Interval, number>> = { hour: 31, day: 731, month: 3_653 }
const maxDaysByValue = 731
const maxDocuments = 50_000
const pageSize = 1_000

function daysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to)).days + 1
}

function isTimeZone(name: string): boolean {
  // Offsets such as +05:17 are no time zones: only those of the IANA are whole quarters of an hour.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

const Day = z.iso
  .date({ abort: true })
  .refine((date) => date >= '1980-01-01' && date < '2200-01-01', 'is not within 1980 to 2199')

const range = {
  from: Day.meta({ description: 'First day, in the time zone', example: '2026-01-01' }),
  to: Day.meta({ description: 'Last day, included', example: '2026-01-31' }),
  timeZone: z
    .string()
    .max(100)
    .refine(isTimeZone, 'is no time zone of the IANA database, such as Europe/Berlin')
    .default('UTC')
    .meta({ description: 'Time zone whose days and hours count', example: 'Europe/Berlin' }),
  currency: Currency,
}

const SeriesParameters = z
  .object({
    ...range,
    interval: z.enum(['hour', 'day', 'month']).default('day').meta({
      description: 'Length of the steps: at most 31 days by hour, 731 by day, ten years by month',
      example: 'day',
    }),
    productId: Id.exactOptional().meta({ description: 'Only sales of this product', example: 'blue-teapot' }),
    categoryId: Id.exactOptional().meta({ description: 'Only sales of this category', example: 'teapots' }),
    country: Country.exactOptional().meta({ description: 'Only sales to this country', example: 'DE' }),
  })
  .superRefine(({ from, to, interval, productId, categoryId, country }, context) => {
    checkRange(from, to, maxDays[interval], `by ${interval}`, context)
    if ([productId, categoryId, country].filter((each) => each !== undefined).length > 1) {
      context.addIssue({
        code: 'custom',
        path: ['country'],
        message: 'takes the place of productId and categoryId: name one of them',
      })
    }
  })

const TopParameters = z
  .object({
    ...range,
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(100)
      .default(20)
      .meta({ description: 'How many to show, those of the highest revenue first', example: 20 }),
  })
  .superRefine(({ from, to }, context) => checkRange(from, to, maxDaysByValue, 'in all', context))

function checkRange(from: string, to: string, most: number, unit: string, context: z.core.$RefinementCtx): void {
  const message =
    to < from
      ? 'is before `from`'
      : daysBetween(from, to) > most
        ? `is more than ${most} days after \`from\` (${unit})`
        : ''
  if (message !== '') context.addIssue({ code: 'custom', path: ['to'], message })
}

const SeriesEntry = SalesFiguresSchema.extend({
  start: z
    .string()
    .meta({ description: 'When the hour, day or month begins in the time zone', example: '2026-01-15T00:00:00+01:00' }),
})

const salesSeries = query({
  name: 'salesSeries',
  route: 'GET /v1/analytics/sales',
  summary: 'Revenue, orders, units and average order value by hour, day or month',
  description: `${whatCounts} Times without a sale are shown, too.`,
  who: staff('analytics'),
  from: sales,
  parameters: SeriesParameters,
  result: z.object({
    items: z.array(SeriesEntry).meta({ description: 'Every hour, day or month of the range, in order' }),
    total: SalesFiguresSchema.meta({ description: 'The sum of all of them' }),
  }),
  async run({ parameters, reader }) {
    const spans = spansOf(parameters.from, parameters.to, parameters.interval, parameters.timeZone)
    const which = { ...selected(parameters), currency: parameters.currency }
    const idOf = ({ period }: Stretch) => salesPeriodId({ ...which, period })
    const cut = spans.map(({ start, ...span }) => ({ start, stretches: stretchesOf(span) }))
    const ids = [...new Set(cut.flatMap(({ stretches }) => stretches.map(idOf)))]
    const found = await reader.get(salesPeriods, ids)
    const documents = new Map(ids.map((id, index) => [id, found[index]]))
    const all = tally()
    const items = cut.map(({ start, stretches }) => {
      const sum = tally()
      for (const stretch of stretches) {
        for (const part of partsIn(stretch, documents.get(idOf(stretch)))) {
          sum.add(part)
          all.add(part)
        }
      }
      return { start, ...sum.total() }
    })
    return { items, total: all.total() }
  },
})

function selected(given: {
  readonly productId?: string
  readonly categoryId?: string
  readonly country?: string
}): Pick<SalesPeriod, 'dimension' | 'value'> {
  if (given.productId !== undefined) return { dimension: 'product', value: given.productId }
  if (given.categoryId !== undefined) return { dimension: 'category', value: given.categoryId }
  if (given.country !== undefined) return { dimension: 'country', value: given.country }
  return { dimension: 'total', value: '' }
}

function* partsIn({ from, to }: Stretch, document: SalesPeriod | undefined) {
  for (const [part, figures] of Object.entries(document?.parts ?? {})) {
    if (Number(part) >= from && Number(part) < to) yield figures
  }
}

interface Ranked extends SalesFigures {
  readonly value: string
  readonly title: string | null
}

/** The values of a dimension with the highest revenue. */
async function ranking(
  reader: Reader,
  dimension: Dimension,
  { from, to, timeZone, currency, limit }: z.output<typeof TopParameters>,
): Promise<readonly Ranked[]> {
  const sums = new Map<string, { readonly sum: ReturnType<typeof tally>; title: string | null }>()
  let examined = 0
  for (const stretch of stretchesOf(wholeSpan(from, to, timeZone))) {
    const { level, period } = stretch
    const find = { index: 'byPeriod', equals: [currency, dimension, level, period], limit: pageSize }
    for (let page = await reader.find(salesPeriods, find); page.length > 0; ) {
      for (const { body } of page) {
        const known = sums.get(body.value) ?? { sum: tally(), title: null }
        known.title = body.title ?? known.title
        sums.set(body.value, known)
        for (const part of partsIn(stretch, body)) known.sum.add(part)
      }
      examined += page.length
      if (examined > maxDocuments) {
        throw reject(
          'sales-range-too-large',
          'There is too much in this range to be ranked at once. Ask for less of it.',
        )
      }
      const last = page.at(-1)
      page = last && page.length === pageSize ? await reader.find(salesPeriods, { ...find, after: last.key }) : []
    }
  }
  return Array.from(sums, ([value, { sum, title }]) => ({ value, title, ...sum.total() }))
    .filter(({ orders, units, gross, refunded, unitsRefunded, shipping }) =>
      [orders, units, gross, refunded, unitsRefunded, shipping].some((figure) => figure !== 0),
    )
    .sort((left, right) => right.revenue - left.revenue || (left.value < right.value ? -1 : 1))
    .slice(0, limit)
}

const top = 'Sorted by revenue, the highest first; for at most 731 days.'

const salesByProduct = query({
  name: 'salesByProduct',
  route: 'GET /v1/analytics/sales/by-product',
  summary: 'Products with the highest revenue',
  description: `${whatCounts} ${top}`,
  who: staff('analytics'),
  from: sales,
  parameters: TopParameters,
  result: z.object({
    items: z
      .array(
        SalesFiguresSchema.omit({ shipping: true, shippingTax: true }).extend({
          productId: Id.meta({ description: 'Product', example: 'blue-teapot' }),
          title: z.string().nullable().meta({ description: 'What it was last called', example: 'Blue teapot' }),
        }),
      )
      .meta({ description: 'Products, the highest revenue first' }),
  }),
  async run({ parameters, reader }) {
    const ranked = await ranking(reader, 'product', parameters)
    return { items: ranked.map(({ value, ...figures }) => ({ productId: value, ...figures })) }
  },
})

const salesByCategory = query({
  name: 'salesByCategory',
  route: 'GET /v1/analytics/sales/by-category',
  summary: 'Categories with the highest revenue',
  description: `${whatCounts} A product counts in each category that it was in when it was ordered, outer ones included. ${top}`,
  who: staff('analytics'),
  from: sales,
  parameters: TopParameters,
  result: z.object({
    items: z
      .array(
        SalesFiguresSchema.omit({ shipping: true, shippingTax: true }).extend({
          categoryId: Id.meta({ description: 'Category', example: 'teapots' }),
        }),
      )
      .meta({ description: 'Categories, the highest revenue first' }),
  }),
  async run({ parameters, reader }) {
    const ranked = await ranking(reader, 'category', parameters)
    return { items: ranked.map(({ value, ...figures }) => ({ categoryId: value, ...figures })) }
  },
})

const salesByCountry = query({
  name: 'salesByCountry',
  route: 'GET /v1/analytics/sales/by-country',
  summary: 'Countries with the highest revenue',
  description: `${whatCounts} ${top}`,
  who: staff('analytics'),
  from: sales,
  parameters: TopParameters,
  result: z.object({
    items: z
      .array(SalesFiguresSchema.extend({ country: Country }))
      .meta({ description: 'Countries, the highest revenue first' }),
  }),
  async run({ parameters, reader }) {
    const ranked = await ranking(reader, 'country', parameters)
    return { items: ranked.map(({ value, ...figures }) => ({ country: value, ...figures })) }
  },
})

export const salesQueries = [salesSeries, salesByProduct, salesByCategory, salesByCountry] as const
