import { z } from 'zod'
import { inLanguage, nearestLanguage } from '../domain/language.ts'
import { Amount, Currency, Id, Language, Slug, Title } from '../domain/values.ts'
import { anyone, staff } from '../engine/access.ts'
import { findPageStepwise, type Reader } from '../engine/query.ts'
import { documentQuery, pageOf, pageParameters, pageQuery, query } from '../engine/query-definition.ts'
import { Availability, availability, CategoryTitle, catalogue, categoryTitles } from './catalogue.ts'
import { Summary, summaries } from './catalogue-listings.ts'
import { matchesOf } from './catalogue-matches.ts'
import { Product, ProductVariant, priceRange, products } from './catalogue-products.ts'
import { type Hit, listingOf, type Search, sorts } from './catalogue-search.ts'
import { AskedLanguage } from './categories.ts'

const ShownLanguage = Language.meta({ description: 'Language of the texts', example: 'en' })
const ShownTitle = Title.meta({ description: 'Title in that language', example: 'Blue teapot' })

const ListedProduct = Summary.omit({ titles: true, variants: true, allCategoryIds: true, fallback: true }).extend({
  language: ShownLanguage,
  title: ShownTitle,
  currency: Currency,
  priceFrom: Amount.meta({ description: 'Lowest price of its variants', example: 2499 }),
  priceTo: Amount.meta({ description: 'Highest price of its variants', example: 2999 }),
  available: z.boolean().meta({ description: 'Whether a variant of it can be ordered', example: true }),
})
type ListedProduct = z.output<typeof ListedProduct>

const AskedPrice = z.coerce.number().int().min(0).max(1_000_000_000_000).exactOptional()

const listProducts = query({
  name: 'listProducts',
  route: 'GET /v1/products',
  summary: 'List and search products',
  description:
    'Products that have a price in the currency. Prices are compared by the lowest of a product. A search finds products that have all its words in title, SKU, titles of variants or description, the last word also as the beginning of a word of all but the description; the best matches come first. Where all of several words, or the only one with `sort`, are words of more than two thousand products, the two thousand best matches of the longest are considered. A filter examines a bounded number of products, so that a page may be short and still have a next one.',
  who: anyone(),
  from: catalogue,
  parameters: z.object({
    category: Id.exactOptional().meta({ description: 'Only products in it or within it', example: 'teapots' }),
    q: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .exactOptional()
      .meta({ description: 'What to search for', example: 'blue tea' }),
    currency: Currency,
    language: AskedLanguage,
    minPrice: AskedPrice.meta({ description: 'Lowest price, in minor units', example: 1000 }),
    maxPrice: AskedPrice.meta({ description: 'Highest price, in minor units', example: 5000 }),
    available: z
      .stringbool()
      .exactOptional()
      .meta({ description: 'Only products that can be ordered, or only those that cannot', example: 'true' }),
    sort: z
      .enum(sorts)
      .exactOptional()
      .meta({ description: 'Order; by default the best matches or the newest first', example: 'price-ascending' }),
    ...pageParameters,
  }),
  result: pageOf(ListedProduct),
  paged: true,
  run: async ({ parameters, reader }) => {
    const { limit, cursor, ...search } = parameters
    return await findPageStepwise<Hit, ListedProduct>({
      ...(search.q === undefined ? listingOf(reader, search) : matchesOf(reader, search, search.q)),
      generationId: reader.generationId,
      boundTo: search,
      limit,
      cursor,
      show: (hits) => listed(reader, search, hits),
    })
  },
})

/** What a list shows of what was found; undefined for what does not fit the search. */
async function listed(reader: Reader, search: Search, hits: readonly Hit[]) {
  const found = await reader.get(
    summaries,
    hits.map(({ productId }) => productId),
  )
  const fitting = found.map((summary, place) => summary && listedWithoutStock(summary, hits[place], search))
  const inStock = await skusInStock(
    reader,
    fitting.flatMap((each) => each?.skus ?? []),
  )
  return fitting.map((each) => {
    if (each === undefined) return undefined
    const available = each.skus.some((sku) => inStock.has(sku))
    if (search.available !== undefined && search.available !== available) return undefined
    return { ...each.product, available }
  })
}

function listedWithoutStock(summary: Summary, hit: Hit | undefined, search: Search) {
  const { id, slug, titles, image, categoryIds, allCategoryIds, variants, createdAt } = summary
  const { currency, category, minPrice = 0, maxPrice = Infinity } = search
  const language = nearestLanguage(titles, search.language)
  if (language === undefined || (hit?.language !== undefined && hit.language !== language)) return undefined
  if (category !== undefined && !allCategoryIds.includes(category)) return undefined
  const range = priceRange(variants, currency)
  if (range === undefined || range.from < minPrice || range.from > maxPrice) return undefined
  return {
    skus: variants.flatMap(({ sku, prices }) => (prices[currency] === undefined ? [] : sku)),
    product: {
      id,
      slug,
      categoryIds,
      image,
      createdAt,
      language,
      title: titles[language] ?? summary.slug,
      currency,
      priceFrom: range.from,
      priceTo: range.to,
    },
  }
}

async function skusInStock(reader: Reader, skus: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await reader.get(availability, skus)
  return new Set(found.flatMap((each) => (each !== undefined && each.available > 0 ? each.sku : [])))
}

const ShownVariant = ProductVariant.pick({ sku: true }).extend({
  title: ShownTitle.nullable().meta({ description: 'What sets the variant apart', example: 'Large' }),
  prices: z.record(Currency, Amount).meta({
    description: 'Price of one piece by currency; only in the one that was asked for, if one was',
    example: { EUR: 2499 },
  }),
  available: z.boolean().meta({ description: 'Whether it can be ordered', example: true }),
  availableQuantity: Availability.shape.available,
})

const ShownProduct = Product.omit({ texts: true, variants: true, taxCategory: true, published: true }).extend({
  language: ShownLanguage,
  title: ShownTitle,
  description: z.string().meta({ description: 'Longer text in that language', example: 'Holds one litre.' }),
  categories: z
    .array(CategoryTitle.omit({ titles: true }).extend({ title: ShownTitle.meta({ example: 'Teapots' }) }))
    .meta({ description: 'Categories that it is in, and those that these are within' }),
  variants: z.array(ShownVariant).meta({ description: 'Variants in the order in which they were added' }),
})

const shownParameters = {
  language: AskedLanguage,
  currency: Currency.exactOptional().meta({ description: 'Show only prices in this currency', example: 'EUR' }),
}

async function shown(
  reader: Reader,
  product: Product | undefined,
  asked: { readonly language: string; readonly currency?: string },
): Promise<z.output<typeof ShownProduct> | undefined> {
  if (!product?.published) return undefined
  const { texts, variants, taxCategory: _taxCategory, published: _published, ...rest } = product
  const language = nearestLanguage(texts, asked.language) ?? asked.language
  const [stock, inCategories] = await Promise.all([
    reader.get(
      availability,
      variants.map(({ sku }) => sku),
    ),
    reader.get(categoryTitles, product.allCategoryIds),
  ])
  return {
    ...rest,
    language,
    title: texts[language]?.title ?? product.slug,
    description: texts[language]?.description ?? '',
    categories: inCategories.flatMap((each) =>
      each ? { id: each.id, slug: each.slug, title: inLanguage(each.titles, asked.language) ?? each.slug } : [],
    ),
    variants: variants.map(({ sku, titles, prices }, place) => ({
      sku,
      title: (titles && inLanguage(titles, asked.language)) ?? null,
      prices: pricesIn(prices, asked.currency),
      available: (stock[place]?.available ?? 0) > 0,
      availableQuantity: stock[place]?.available ?? 0,
    })),
  }
}

function pricesIn(prices: ProductVariant['prices'], currency: string | undefined): ProductVariant['prices'] {
  if (currency === undefined) return prices
  const price = prices[currency]
  return price === undefined ? {} : { [currency]: price }
}

const ProductId = Product.shape.id

const getProduct = query({
  name: 'getProduct',
  route: 'GET /v1/products/{productId}',
  summary: 'Read a product with its variants, prices and what is available',
  who: anyone(),
  from: catalogue,
  parameters: z.object({ productId: ProductId, ...shownParameters }),
  result: ShownProduct,
  run: async ({ parameters, reader }) => {
    const [product] = await reader.get(products, [parameters.productId])
    return await shown(reader, product, parameters)
  },
})

const getProductBySlug = query({
  name: 'getProductBySlug',
  route: 'GET /v1/products/by-slug/{slug}',
  summary: 'Read a product by its readable name',
  who: anyone(),
  from: catalogue,
  parameters: z.object({ slug: Slug, ...shownParameters }),
  result: ShownProduct,
  run: async ({ parameters, reader }) => {
    const [found] = await reader.find(products, { index: 'bySlug', equals: [parameters.slug], limit: 1 })
    return await shown(reader, found?.body, parameters)
  },
})

const adminSorts = { newest: 'byCreatedAt', changed: 'byChangedAt', slug: 'bySlug' } as const

const listAllProducts = pageQuery({
  name: 'listAllProducts',
  route: 'GET /v1/admin/products',
  summary: 'List all products, published or not, with their texts in all languages',
  who: staff('catalogue'),
  from: catalogue,
  of: products,
  parameters: z.object({
    published: z
      .stringbool()
      .exactOptional()
      .meta({ description: 'Only those that are published, or only those that are not', example: 'false' }),
    sort: z
      .enum(['newest', 'changed', 'slug'])
      .default('newest')
      .meta({ description: 'Newest first, latest change first, or by slug', example: 'changed' }),
  }),
  item: Product,
  find: ({ parameters: { sort } }) => ({
    index: adminSorts[sort],
    direction: sort === 'slug' ? 'ascending' : 'descending',
  }),
  show: (found, { parameters: { published } }) =>
    found.map((product) => (published === undefined || product.published === published ? product : undefined)),
})

const getAnyProduct = documentQuery({
  name: 'getAnyProduct',
  route: 'GET /v1/admin/products/{productId}',
  summary: 'Read a product, published or not, with its texts in all languages',
  who: staff('catalogue'),
  from: catalogue,
  of: products,
  parameters: z.object({ productId: ProductId }),
  id: ({ productId }) => productId,
})

export const catalogueQueries = [listProducts, getProduct, getProductBySlug, listAllProducts, getAnyProduct] as const
