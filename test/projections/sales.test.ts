import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ZodError, z } from 'zod'
import { orderEvents } from '../../src/domain/order/events.ts'
import { sales } from '../../src/projections/sales.ts'
import { salesQueries } from '../../src/projections/sales-queries.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import type { Happening } from '../../src/testing/recording.ts'

const { given } = readModel(sales)
const [series, byProduct, byCategory, byCountry] = salesQueries
const zero = {
  orders: 0,
  units: 0,
  unitsRefunded: 0,
  gross: 0,
  refunded: 0,
  revenue: 0,
  tax: 0,
  shipping: 0,
  shippingTax: 0,
}
const Series = z.object({
  items: z.array(z.looseObject({ start: z.string(), gross: z.int() })),
  total: z.looseObject({}),
})
const Ranking = z.object({
  items: z.array(
    z.looseObject({
      productId: z.string().exactOptional(),
      categoryId: z.string().exactOptional(),
      revenue: z.int(),
    }),
  ),
})
const analyst = { principal: asStaff('analytics') }

interface Line {
  readonly productId: string
  readonly categoryIds: readonly string[]
  readonly quantity: number
  readonly amount: number
  readonly tax: number
}

interface Sale {
  readonly currency?: string
  readonly country?: string
  readonly at: string
  readonly lines: readonly Line[]
  readonly shipping?: { readonly amount: number; readonly tax: number }
}

const teapot: Line = { productId: 'teapot', categoryIds: ['kitchen', 'teapots'], quantity: 2, amount: 5_000, tax: 798 }
const cup: Line = { productId: 'cup', categoryIds: ['kitchen'], quantity: 1, amount: 900, tax: 144 }

const named = (line: Line) => ({
  ...line,
  categoryIds: [...line.categoryIds],
  sku: `${line.productId}-1`,
  title: `The ${line.productId}`,
})

function paid({ currency = 'EUR', country = 'DE', at, lines, shipping = { amount: 490, tax: 78 } }: Sale): Happening {
  return happenings(orderEvents, 'order-1')('OrderPaid', {
    customerId: 'ada',
    country,
    currency,
    placedAt: at,
    amount: lines.reduce((sum, { amount }) => sum + amount, shipping.amount),
    lines: lines.map(named),
    shipping,
  })
}

function refunded({ currency = 'EUR', country = 'DE', at, lines, shipping = { amount: 0, tax: 0 } }: Sale): Happening {
  return happenings(orderEvents, 'order-1')(
    'OrderRefunded',
    {
      refundId: 'refund-1',
      customerId: 'ada',
      country,
      currency,
      total: lines.reduce((sum, { amount }) => sum + amount, shipping.amount),
      lines: lines.map((line) => ({ ...named(line), lineId: `${line.productId}-1` })),
      shipping,
      reason: 'Did not like it',
    },
    { occurredAt: at },
  )
}

describe('sales by time', () => {
  test('an order counts when it was placed, a refund when it was paid back', async () => {
    const shop = given(
      paid({ at: '2026-01-15T23:10:00.000Z', lines: [teapot, cup] }),
      refunded({ at: '2026-01-17T08:00:00.000Z', lines: [{ ...teapot, quantity: 1, amount: 2_500, tax: 399 }] }),
    )
    const days = { from: '2026-01-15', to: '2026-01-17', currency: 'EUR' }
    const sold = {
      orders: 1,
      units: 3,
      unitsRefunded: 0,
      gross: 5_900,
      refunded: 0,
      revenue: 5_900,
      tax: 942,
      shipping: 490,
      shippingTax: 78,
      averageOrderValue: 5_900,
    }
    const nothing = { ...zero, averageOrderValue: null }
    const back = { ...nothing, unitsRefunded: 1, refunded: 2_500, revenue: -2_500, tax: -399 }
    expect(await shop.ask(series, days, analyst)).toEqual({
      items: [
        { start: '2026-01-15T00:00:00+00:00', ...sold },
        { start: '2026-01-16T00:00:00+00:00', ...nothing },
        { start: '2026-01-17T00:00:00+00:00', ...back },
      ],
      total: { ...sold, unitsRefunded: 1, refunded: 2_500, revenue: 3_400, tax: 543 },
    })
    expect(await shop.ask(series, { ...days, timeZone: 'Europe/Berlin' }, analyst)).toMatchObject({
      items: [
        { start: '2026-01-15T00:00:00+01:00', orders: 0 },
        { start: '2026-01-16T00:00:00+01:00', orders: 1 },
        { start: '2026-01-17T00:00:00+01:00', orders: 0 },
      ],
    })
    await shop.documents()
  })

  test('a series is of one product, category or country, if it is asked for', async () => {
    const shop = given(paid({ at: '2026-01-15T10:00:00.000Z', lines: [teapot, cup] }))
    const days = { from: '2026-01-15', to: '2026-01-15', currency: 'EUR' }
    expect(await shop.ask(series, { ...days, productId: 'cup' }, analyst)).toMatchObject({ total: { gross: 900 } })
    expect(await shop.ask(series, { ...days, categoryId: 'teapots' }, analyst)).toMatchObject({
      total: { gross: 5_000 },
    })
    expect(await shop.ask(series, { ...days, country: 'FR' }, analyst)).toMatchObject({ total: { gross: 0 } })
    expect(await shop.ask(series, { ...days, currency: 'GBP' }, analyst)).toMatchObject({ total: { gross: 0 } })
  })

  test('hours are those of the clock on the wall, also where it is put back', async () => {
    const shop = given(
      paid({ at: '2025-10-26T00:30:00.000Z', lines: [cup] }),
      paid({ at: '2025-10-26T01:30:00.000Z', lines: [teapot] }),
    )
    const day = { from: '2025-10-26', to: '2025-10-26', currency: 'EUR', interval: 'hour', timeZone: 'Europe/Berlin' }
    const answer = Series.parse(await shop.ask(series, day, analyst))
    expect(answer.items).toHaveLength(25)
    expect(answer.items.filter(({ gross }) => gross > 0)).toMatchObject([
      { start: '2025-10-26T02:00:00+02:00', gross: 900 },
      { start: '2025-10-26T02:00:00+01:00', gross: 5_000 },
    ])
  })

  test.each([
    ['the end before the start', { from: '2026-01-15', to: '2026-01-14' }],
    ['too many hours', { from: '2026-01-01', to: '2026-02-01', interval: 'hour' }],
    ['too many days', { from: '2024-01-01', to: '2026-01-01' }],
    ['too many months', { from: '2010-01-01', to: '2026-01-01', interval: 'month' }],
    ['no date', { from: '2026-02-30', to: '2026-03-01' }],
    ['a time before offsets were whole quarters', { from: '1971-01-01', to: '1971-01-02' }],
    ['an unknown time zone', { from: '2026-01-01', to: '2026-01-02', timeZone: 'Europe/Atlantis' }],
    ['an offset', { from: '2026-01-01', to: '2026-01-02', timeZone: '+05:17' }],
    ['an unknown currency', { from: '2026-01-01', to: '2026-01-02', currency: 'XYY' }],
    ['two filters', { from: '2026-01-01', to: '2026-01-02', country: 'DE', productId: 'cup' }],
  ])('refuses %s', async (_what, parameters) => {
    await expect(given().ask(series, { currency: 'EUR', ...parameters }, analyst)).rejects.toThrow(ZodError)
  })

  test('only analysts may ask', async () => {
    const day = { from: '2026-01-15', to: '2026-01-15', currency: 'EUR' }
    const asked = given().ask(series, day, { principal: asStaff('orders') })
    await expect(asked).rejects.toThrow('forbidden')
  })
})

describe('rankings', () => {
  const shop = given(
    paid({ at: '2026-01-15T10:00:00.000Z', lines: [teapot, cup, { ...cup, quantity: 3, amount: 2_700, tax: 432 }] }),
    paid({ at: '2026-01-20T10:00:00.000Z', lines: [cup], country: 'FR' }),
    refunded({ at: '2026-02-03T10:00:00.000Z', lines: [teapot] }),
  )
  const range = { from: '2026-01-01', to: '2026-01-31', currency: 'EUR' }

  test('an order counts once for each product, category and country', async () => {
    expect(await shop.ask(byProduct, range, analyst)).toMatchObject({
      items: [
        { productId: 'teapot', title: 'The teapot', orders: 1, units: 2, revenue: 5_000 },
        { productId: 'cup', title: 'The cup', orders: 2, units: 5, revenue: 4_500, averageOrderValue: 2_250 },
      ],
    })
    expect(await shop.ask(byCategory, range, analyst)).toMatchObject({
      items: [
        { categoryId: 'kitchen', orders: 2, revenue: 9_500 },
        { categoryId: 'teapots', orders: 1, revenue: 5_000 },
      ],
    })
    expect(await shop.ask(byCountry, range, analyst)).toMatchObject({
      items: [
        { country: 'DE', orders: 1, revenue: 8_600, shipping: 490 },
        { country: 'FR', orders: 1, revenue: 900, shipping: 490 },
      ],
    })
  })

  test('refunds lower the rank at their time, and only as many as asked for are shown', async () => {
    const longer = { ...range, to: '2026-02-28' }
    expect(await shop.ask(byProduct, { ...longer, limit: '1' }, analyst)).toMatchObject({
      items: [{ productId: 'cup' }],
    })
    expect(await shop.ask(byProduct, { ...longer, from: '2026-02-01' }, analyst)).toMatchObject({
      items: [{ productId: 'teapot', orders: 0, revenue: -5_000 }],
    })
  })
})

describe('figures are those of a plain fold', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  const begin = Temporal.Instant.from('2025-01-01T00:00:00Z').epochMilliseconds
  const instant = fc
    .integer({ min: 0, max: 500 * 24 * 4 - 1 })
    .chain((quarter) =>
      fc
        .constantFrom(0, 1, 899_999)
        .map((ms) => Temporal.Instant.fromEpochMilliseconds(begin + quarter * 900_000 + ms)),
    )
    .map((at) => at.toString({ smallestUnit: 'millisecond' }))
  const line = fc.record({
    productId: fc.constantFrom('a', 'b', 'c'),
    categoryIds: fc.subarray(['k', 'l', 'm']),
    quantity: fc.integer({ min: 1, max: 5 }),
    amount: fc.integer({ min: 0, max: 10_000 }),
    tax: fc.integer({ min: 0, max: 100 }),
  })
  const sale = fc.record({
    kind: fc.constantFrom('paid' as const, 'refunded' as const),
    at: instant,
    currency: fc.constantFrom('EUR', 'EUR', 'GBP'),
    country: fc.constantFrom('DE', 'FR'),
    lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    shipping: fc.record({ amount: fc.integer({ min: 0, max: 900 }), tax: fc.integer({ min: 0, max: 90 }) }),
  })
  type Happened = typeof sale extends fc.Arbitrary<infer T> ? T : never

  /** Every figure of some happenings, the plain way. */
  function naive(happened: readonly Happened[], concerns: (line: Line) => boolean) {
    const sum = { ...zero }
    for (const { kind, lines, shipping } of happened) {
      const sign = kind === 'paid' ? 1 : -1
      const concerned = lines.filter(concerns)
      const units = concerned.reduce((total, { quantity }) => total + quantity, 0)
      const amount = concerned.reduce((total, each) => total + each.amount, 0)
      if (kind === 'paid') {
        if (concerned.length > 0) sum.orders += 1
        sum.units += units
        sum.gross += amount
      } else {
        sum.unitsRefunded += units
        sum.refunded += amount
      }
      sum.revenue += sign * amount
      sum.tax += sign * concerned.reduce((total, { tax }) => total + tax, 0)
      sum.shipping += sign * shipping.amount
      sum.shippingTax += sign * shipping.tax
    }
    return { ...sum, averageOrderValue: sum.orders === 0 ? null : Math.floor(sum.gross / sum.orders) }
  }

  const dateOf = (at: string, timeZone: string) =>
    Temporal.Instant.from(at).toZonedDateTimeISO(timeZone).toPlainDate().toString()

  /** The local hour, day or month that an instant is in. */
  function stepOf(at: string, interval: string, timeZone: string): string {
    const { year, month, day, hour, offset } = Temporal.Instant.from(at).toZonedDateTimeISO(timeZone)
    if (interval === 'month') return [year, month].join()
    return interval === 'day' ? [year, month, day].join() : [year, month, day, hour, offset].join()
  }

  const question = fc.record({
    interval: fc.constantFrom('hour', 'day', 'month'),
    timeZone: fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'America/St_Johns',
      ...zones,
    ),
    first: fc.integer({ min: -2, max: 500 }),
    days: fc.integer({ min: 1, max: 500 }),
  })

  test('by hour, day and month, of all and of a product, in every time zone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sale, { maxLength: 60 }),
        question,
        async (happened, { interval, timeZone, first, days }) => {
          const length = interval === 'hour' ? Math.min(days, 31) : days
          const from = Temporal.PlainDate.from('2025-01-01').add({ days: first })
          const to = from.add({ days: length - 1 })
          const range = { from: from.toString(), to: to.toString(), timeZone, interval, currency: 'EUR' }
          const inRange = happened.filter(({ at, currency }) => {
            const date = dateOf(at, timeZone)
            return currency === 'EUR' && date >= range.from && date <= range.to
          })
          const shop = given(...happened.map((each) => (each.kind === 'paid' ? paid(each) : refunded(each))))
          const answer = Series.parse(await shop.ask(series, range, analyst))

          const byStep = Map.groupBy(inRange, ({ at }) => stepOf(at, interval, timeZone))
          const expected = answer.items.map(({ start }) => ({
            start,
            ...naive(byStep.get(stepOf(start, interval, timeZone)) ?? [], () => true),
          }))
          expect(answer.items).toEqual(expected)
          expect(answer.total).toEqual(naive(inRange, () => true))

          const ofProduct = await shop.ask(series, { ...range, productId: 'a' }, analyst)
          const { shipping: _, shippingTax: __, ...figures } = naive(inRange, ({ productId }) => productId === 'a')
          expect(ofProduct).toMatchObject({ total: figures })
        },
      ),
    )
  })

  test('by product and category', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sale, { maxLength: 40 }), question, async (happened, { timeZone, first, days }) => {
        const from = Temporal.PlainDate.from('2025-01-01').add({ days: first })
        const range = { from: from.toString(), to: from.add({ days: days - 1 }).toString(), timeZone, currency: 'EUR' }
        const inRange = happened.filter(({ at, currency }) => {
          const date = dateOf(at, timeZone)
          return currency === 'EUR' && date >= range.from && date <= range.to
        })
        const shop = given(...happened.map((each) => (each.kind === 'paid' ? paid(each) : refunded(each))))

        const products = Ranking.parse(await shop.ask(byProduct, range, analyst)).items
        for (const { productId, ...shown } of products) {
          const { shipping: _, shippingTax: __, ...figures } = naive(inRange, (each) => each.productId === productId)
          expect(shown).toMatchObject(figures)
        }
        expect(products.map(({ productId }) => productId).toSorted()).toEqual(
          [...new Set(inRange.flatMap(({ lines }) => lines.map(({ productId }) => productId)))].toSorted(),
        )
        expect(products.map(({ revenue }) => revenue)).toEqual(
          products.map(({ revenue }) => revenue).toSorted((left, right) => right - left),
        )
        const categories = Ranking.parse(await shop.ask(byCategory, range, analyst)).items
        for (const { categoryId, ...shown } of categories) {
          const concerns = (each: Line) => each.categoryIds.includes(categoryId ?? '')
          const { shipping: _, shippingTax: __, ...figures } = naive(inRange, concerns)
          expect(shown).toEqual(figures)
        }
      }),
    )
  })
})
