import type { OrderContents, OrderLine, OrderShipping } from '../domain/order/contents.ts'
import { includedTax, priceLine, totalsOf } from '../domain/pricing.ts'
import { type DemoCurrency, type DemoVariant, demoShipping, pathOf, priceIn, variantsOf } from './demo-catalogue.ts'
import { demoTaxRates } from './demo-countries.ts'
import { type DemoProduct, demoProducts } from './demo-goods.ts'
import { demoLanguages } from './demo-languages.ts'
import type { DemoPerson } from './demo-people.ts'
import { type Random, random } from './random.ts'

/** What the demo shop has sold in the weeks before it was made. */

export const demoDays = 42
const orderCount = 300
const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Whose names and addresses are in the clear here: they are sealed where they are received. */
export interface DemoOrder extends Omit<OrderContents, 'email' | 'shippingAddress'> {
  readonly id: string
  readonly number: string
  readonly email: string
  readonly shippingAddress: DemoPerson['address']
  /** Milliseconds since the epoch. */
  readonly placedMs: number
  readonly shipped: boolean
}

export interface DemoRefund {
  readonly orderId: string
  readonly lineId: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

function demoOrderId(number: number): string {
  return `demo-${String(number).padStart(4, '0')}`
}

export const firstOrderId = demoOrderId(1)
export const lastOrderId = demoOrderId(orderCount)

/** How much is bought in an hour: more each week, more at weekends, most in the evening. */
function demand(atMs: number, sinceFirstMs: number): number {
  const date = new Date(atMs)
  const growth = 0.6 + sinceFirstMs / (demoDays * dayMs)
  const weekend = [0, 6].includes(date.getUTCDay()) ? 1.7 : 1
  const hour = date.getUTCHours()
  const ofDay = hour < 6 ? 0.1 : hour < 17 ? 1 : hour < 22 ? 1.8 : 0.5
  return growth * weekend * ofDay
}

/** When orders were placed, in order; the first one exactly `demoDays` before, by which a demo shop is known again. */
function times(nowMs: number, { next }: Random): readonly number[] {
  const startMs = nowMs - demoDays * dayMs
  const hours = Array.from({ length: demoDays * 24 }, (_, hour) => hour * hourMs)
  const demands = hours.map((sinceMs) => demand(startMs + sinceMs, sinceMs))
  const total = demands.reduce((sum, each) => sum + each, 0)
  const found: number[] = [startMs]
  let hour = 0
  let before = 0
  for (let number = 1; number < orderCount; number++) {
    const share = ((number + next()) / orderCount) * total
    while (hour < demands.length - 1 && before + (demands[hour] ?? 0) < share) before += demands[hour++] ?? 0
    const within = Math.min(0.98, (share - before) / (demands[hour] ?? 1))
    found.push(startMs + (hours[hour] ?? 0) + Math.floor((within * hourMs) / 1_000) * 1_000)
  }
  return found
}

interface Offer {
  readonly product: DemoProduct
  readonly variant: DemoVariant
  readonly popularity: number
}

/** Some things sell much better than others. */
function offers({ next }: Random): readonly Offer[] {
  return demoProducts.flatMap((product) => {
    const popularity = 0.15 + next() ** 3
    return variantsOf(product).map((variant) => ({ product, variant, popularity }))
  })
}

function currencyOf(country: string): DemoCurrency {
  return country === 'GB' ? 'GBP' : country === 'US' ? 'USD' : 'EUR'
}

function languageOf(country: string): (typeof demoLanguages)[number] {
  if (country === 'DE' || country === 'AT') return 'de'
  return country === 'FR' ? 'fr' : 'en'
}

function rateOf(country: string, taxCategory: DemoProduct['taxCategory']): number {
  const [, standard, reduced] = demoTaxRates.find(([each]) => each === country) ?? []
  return (taxCategory === 'standard' ? standard : reduced) ?? 0
}

interface Buying {
  readonly country: string
  readonly currency: DemoCurrency
  readonly language: (typeof demoLanguages)[number]
}

function orderLine({ product, variant }: Offer, quantity: number, { country, currency, language }: Buying): OrderLine {
  const place = demoLanguages.indexOf(language)
  const taxRate = rateOf(country, product.taxCategory)
  const unitPrice = variant.prices[currency]
  return {
    lineId: variant.sku,
    productId: product.id,
    sku: variant.sku,
    title: [product.titles[place], variant.titles[place]].filter((part) => part !== '').join(', '),
    categoryIds: [...pathOf(product.categoryId)],
    quantity,
    unitPrice,
    taxRate,
    ...priceLine({ unitPrice, quantity, taxRate }),
  }
}

function orderShipping({ weighted }: Random, { country, currency, language }: Buying): OrderShipping {
  const { code, titles, euroCents } = weighted(demoShipping, (method) => (method.code === 'standard' ? 4 : 1))
  const taxRate = rateOf(country, 'standard')
  const amount = priceIn(currency, euroCents)
  const title = titles[demoLanguages.indexOf(language)] ?? code
  return { method: code, title, amount, taxRate, tax: includedTax(amount, taxRate) }
}

function order(
  number: number,
  placedMs: number,
  nowMs: number,
  all: readonly [Offer, ...Offer[]],
  { customerId, buyer, country, email, address }: DemoPerson,
  from: Random,
): DemoOrder {
  const buying = { country, currency: currencyOf(country), language: languageOf(country) }
  const chosen = new Set(
    Array.from({ length: from.weighted([1, 2, 3, 4], (count) => 5 - count) }, () =>
      from.weighted(all, ({ popularity }) => popularity),
    ),
  )
  const lines = Array.from(chosen, (offer) =>
    orderLine(
      offer,
      from.weighted([1, 2, 3], (count) => (count === 1 ? 6 : 1)),
      buying,
    ),
  )
  const shipping = orderShipping(from, buying)
  return {
    id: demoOrderId(number),
    number: demoOrderId(number).toUpperCase(),
    customerId,
    buyer,
    ...buying,
    email,
    shippingAddress: address,
    lines,
    shipping,
    totals: totalsOf(lines, shipping),
    placedMs,
    shipped: placedMs < nowMs - 2 * dayMs,
  }
}

const reasons = ['Arrived broken', 'Not as described', 'Changed their mind', 'Came too late'] as const

/** One piece of some of the orders that have arrived. */
function refundsOf(orders: readonly DemoOrder[], nowMs: number, from: Random): readonly DemoRefund[] {
  return orders.flatMap(({ id, lines, placedMs }): DemoRefund[] => {
    const [line] = lines
    const atMs = placedMs + from.between(4, 8) * dayMs
    return line !== undefined && atMs < nowMs && from.next() < 0.05
      ? [{ orderId: id, lineId: line.lineId, reason: from.pick(reasons), atMs }]
      : []
  })
}

/**
 * Everything that was ordered and paid back.
 * @param nowMs when the demo shop was made, milliseconds since the epoch
 */
export function demoSales(
  nowMs: number,
  people: readonly [DemoPerson, ...DemoPerson[]],
): { readonly orders: readonly DemoOrder[]; readonly refunds: readonly DemoRefund[] } {
  const from = random(20_260_115)
  const [first, ...rest] = offers(from)
  if (first === undefined) return { orders: [], refunds: [] }
  const orders = times(nowMs, from).map((placedMs, index) =>
    order(index + 1, placedMs, nowMs, [first, ...rest], from.pick(people), from),
  )
  return { orders, refunds: refundsOf(orders, nowMs, from) }
}
