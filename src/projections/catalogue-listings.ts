import { z } from 'zod'
import { Amount, Currency, Id, LocalTitles, Timestamp } from '../domain/values.ts'
import { derivedCollection } from '../engine/projection.ts'
import { type Product, Product as ProductSchema, priceRange, products } from './catalogue-products.ts'
import { baseOf, fallbackOf, InLanguage, languagesOf, titleKey } from './catalogue-words.ts'

/**
 * What lists of published products are made of. A product yields one summary; for each category that it is in (the
 * outer ones included) and for all of them together, one place for each currency and one for each language.
 */

/** What a list shows of a product: little, for it is read for each product of a page. */
export const Summary = z.object({
  ...ProductSchema.pick({ id: true, slug: true, categoryIds: true, allCategoryIds: true, variants: true }).shape,
  titles: LocalTitles.meta({ description: 'Titles by language', example: { en: 'Blue teapot' } }),
  image: ProductSchema.shape.images.element.nullable().meta({
    description: 'The main picture',
    example: { url: 'https://example.com/teapot.jpg', alt: 'A blue teapot' },
  }),
  createdAt: ProductSchema.shape.createdAt,
  fallback: z.string().meta({
    description: 'The language, without its region, that is shown to those who read none of the others',
    example: 'en',
  }),
})
export type Summary = z.output<typeof Summary>

export const summaries = derivedCollection(
  'summaries',
  Summary,
  { byFallback: ['fallback'] },
  products,
  (id, product) => (product.published ? new Map([[id, summaryOf(product)]]) : new Map<string, Summary>()),
)

function summaryOf({ id, slug, texts, images, categoryIds, allCategoryIds, variants, createdAt }: Product): Summary {
  return {
    id,
    slug,
    titles: titlesOf(texts),
    image: images[0] ?? null,
    categoryIds,
    allCategoryIds,
    variants: variants.map(({ sku, prices }) => ({ sku, prices })),
    createdAt,
    fallback: baseOf(fallbackOf(texts)),
  }
}

function titlesOf(texts: Product['texts']): Summary['titles'] {
  return Object.fromEntries(Object.entries(texts).map(([language, { title }]) => [language, title]))
}

const CategoryOrAll = z
  .string()
  .max(100)
  .meta({ description: 'Id of a category; empty for all products', example: 'teapots' })

/** The category under which all products are listed. */
export const allProducts = ''

/** The id of a product's place in a list of a category, for a currency or a language. */
export function placeId(productId: string, category: string, currencyOrLanguage: string): string {
  return `${productId} ${category} ${currencyOrLanguage}`
}

/** The product of a place in a list, and what it is for: a currency or a language. @param id as `placeId` makes it */
export function placeOf(id: string): { readonly productId: string; readonly currencyOrLanguage: string } {
  return { productId: id.slice(0, id.indexOf(' ')), currencyOrLanguage: id.slice(id.lastIndexOf(' ') + 1) }
}

/** The place of a product among those of a category that have a price in a currency. */
export const Offer = z.object({
  productId: Id,
  category: CategoryOrAll,
  currency: Currency,
  price: Amount.meta({ description: 'Lowest price of its variants', example: 2499 }),
  createdAt: Timestamp,
})
export type Offer = z.output<typeof Offer>

export const offers = derivedCollection(
  'offers',
  Offer,
  { byPrice: ['category', 'currency', 'price'], byCreatedAt: ['category', 'currency', 'createdAt'] },
  products,
  (productId, product) => {
    const { variants, createdAt } = product
    const currencies = [...new Set(variants.flatMap(({ prices }) => Object.keys(prices)))]
    const entries = new Map<string, Offer>()
    for (const category of listedUnder(product)) {
      for (const currency of currencies) {
        const range = priceRange(variants, currency)
        if (range === undefined) continue
        entries.set(placeId(productId, category, currency), {
          productId,
          category,
          currency,
          price: range.from,
          createdAt,
        })
      }
    }
    return entries
  },
)

/** The place of a product's title in a language among those of a category. */
export const TitlePlace = z.object({
  productId: Id,
  category: CategoryOrAll,
  ...InLanguage.shape,
  title: z.string().meta({ description: 'The title as it is compared', example: 'blue teapot' }),
})
export type TitlePlace = z.output<typeof TitlePlace>

export const titlePlaces = derivedCollection(
  'titles',
  TitlePlace,
  { byBase: ['category', 'base', 'title'], byFallback: ['category', 'fallback', 'title'] },
  products,
  (productId, product) => {
    const entries = new Map<string, TitlePlace>()
    const places = languagesOf(product.texts).map((place) => ({
      ...place,
      title: titleKey(product.texts[place.language]?.title ?? ''),
    }))
    for (const category of listedUnder(product)) {
      for (const place of places) {
        entries.set(placeId(productId, category, place.language), { productId, category, ...place })
      }
    }
    return entries
  },
)

function listedUnder({ published, allCategoryIds }: Product): readonly string[] {
  return published ? [allProducts, ...allCategoryIds] : []
}
