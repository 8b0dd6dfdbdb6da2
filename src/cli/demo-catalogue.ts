import type { z } from 'zod'
import type { categoryCommands } from '../domain/category.ts'
import type { productCommands } from '../domain/product.ts'
import type { shippingMethodCommands } from '../domain/shipping-method.ts'
import { type DemoCategory, demoCategories } from './demo-categories.ts'
import { demoTaxRates } from './demo-countries.ts'
import { type DemoProduct, demoProducts } from './demo-goods.ts'
import { demoLanguages, type Texts } from './demo-languages.ts'
import type { DemoRequest } from './demo-request.ts'

/** What the demo shop sells: texts in three languages, prices in three currencies. */

export const demoCurrencies = ['EUR', 'GBP', 'USD'] as const
export type DemoCurrency = (typeof demoCurrencies)[number]

const factors: Readonly<Record<DemoCurrency, number>> = { EUR: 1, GBP: 0.86, USD: 1.09 }

/** A price in another currency: a fixed factor, and an end that looks like a price (2.40, 2.90). @param euroCents the price in EUR */
export function priceIn(currency: DemoCurrency, euroCents: number): number {
  return currency === 'EUR' ? euroCents : Math.max(1, Math.round((euroCents * factors[currency]) / 50)) * 50 - 10
}

function prices(euroCents: number): Record<DemoCurrency, number> {
  return { EUR: euroCents, GBP: priceIn('GBP', euroCents), USD: priceIn('USD', euroCents) }
}

export interface DemoVariant {
  readonly sku: string
  readonly titles: Texts
  readonly prices: Readonly<Record<DemoCurrency, number>>
}

export function variantsOf({ id, price, variants }: DemoProduct): readonly DemoVariant[] {
  return variants.map(({ suffix, titles, more }) => ({ sku: `${id}-${suffix}`, titles, prices: prices(price + more) }))
}

/** The category and those that it is within, the outermost first. */
export function pathOf(categoryId: string): readonly string[] {
  const category = demoCategories.find(({ id }) => id === categoryId)
  return category?.parentId === undefined ? [categoryId] : [...pathOf(category.parentId), categoryId]
}

interface DemoMethod {
  readonly code: string
  readonly titles: Texts
  readonly euroCents: number
}

export const demoShipping: readonly [DemoMethod, ...DemoMethod[]] = [
  { code: 'standard', titles: ['Standard', 'Standard', 'Standard'], euroCents: 490 },
  { code: 'express', titles: ['Express', 'Express', 'Express'], euroCents: 1_290 },
]

function byLanguage<T>(values: readonly T[]): Record<string, T> {
  const entries = demoLanguages.flatMap((language, place): [string, T][] => {
    const value = values[place]
    return value === undefined || value === '' ? [] : [[language, value]]
  })
  return Object.fromEntries(entries)
}

type CategoryBody = z.input<typeof categoryCommands.CreateCategory> & { readonly id: string }
type ProductBody = z.input<typeof productCommands.CreateProduct> & { readonly id: string }

function categoryBody({ id, parentId, titles }: DemoCategory): CategoryBody {
  return { id, slug: id, titles: byLanguage(titles), ...(parentId !== undefined && { parentId }) }
}

function productBody(product: DemoProduct): ProductBody {
  const { id, categoryId, titles, sentence, taxCategory } = product
  const shared = demoCategories.find((category) => category.id === categoryId)?.description
  const texts = titles.map((title, place) => ({
    title,
    description: [sentence[place], shared?.[place]].filter((part) => part !== undefined && part !== '').join(' '),
  }))
  return {
    id,
    slug: id,
    texts: byLanguage(texts),
    taxCategory,
    categoryIds: [categoryId],
    images: [{ url: `https://images.example.com/${id}.jpg`, alt: titles[0] }],
    variants: variantsOf(product).map(({ sku, titles: own, prices: variantPrices }) => {
      const named = byLanguage(own)
      return { sku, prices: variantPrices, ...(Object.keys(named).length > 0 && { titles: named }) }
    }),
    publish: true,
  }
}

/** A category comes before those within it. */
export function categoryRequests(occurredAt: string): readonly (readonly DemoRequest[])[] {
  const depths = new Map<number, DemoRequest[]>()
  for (const category of demoCategories) {
    const depth = pathOf(category.id).length
    const body = categoryBody(category)
    const request = {
      method: 'POST',
      path: '/v1/categories',
      body,
      key: `demo/category/${category.id}`,
      occurredAt,
    } as const
    depths.set(depth, [...(depths.get(depth) ?? []), request])
  }
  return [...depths.keys()].sort((left, right) => left - right).map((depth) => depths.get(depth) ?? [])
}

export function productRequests(occurredAt: string): readonly DemoRequest[] {
  return demoProducts.map((product) => ({
    method: 'POST',
    path: '/v1/products',
    body: productBody(product),
    key: `demo/product/${product.id}`,
    occurredAt,
  }))
}

/** What things cost to tax and to send. */
export function termsRequests(occurredAt: string): readonly DemoRequest[] {
  const rates = demoTaxRates.flatMap(([country, standard, reduced]) =>
    Object.entries({ standard, reduced }).map(
      ([taxCategory, rate]): DemoRequest => ({
        method: 'PUT',
        path: `/v1/tax-rates/${country}`,
        body: { taxCategory, rate },
        key: `demo/tax/${taxCategory}`,
        occurredAt,
      }),
    ),
  )
  const methods = demoShipping.map(({ code, titles, euroCents }): DemoRequest => {
    const body: z.input<typeof shippingMethodCommands.OfferShippingMethod> = {
      titles: byLanguage(titles),
      prices: prices(euroCents),
    }
    return { method: 'PUT', path: `/v1/shipping-methods/${code}`, body, key: 'demo/shipping', occurredAt }
  })
  return [...rates, ...methods]
}
