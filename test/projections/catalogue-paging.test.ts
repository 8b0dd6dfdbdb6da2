import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nearestLanguage } from '../../src/domain/language.ts'
import { productEvents } from '../../src/domain/product.ts'
import { stockItemEvents } from '../../src/domain/stock-item.ts'
import { catalogue } from '../../src/projections/catalogue.ts'
import { Product } from '../../src/projections/catalogue-products.ts'
import { catalogueQueries } from '../../src/projections/catalogue-queries.ts'
import { happenings, readModel } from '../../src/testing/read-model.ts'
import type { Happening } from '../../src/testing/recording.ts'

const { given } = readModel(catalogue)
/** What must hold of the catalogue whatever has happened. */

const [listProducts] = catalogueQueries

const ids = ['a', 'b', 'c', 'd', 'e', 'f']
const currencies = ['EUR', 'GBP']
const languages = ['en', 'de', 'de-AT', 'fr']
const vocabulary = ['Red', 'Réd', 'Redwood', 'Tea', 'Teapot', 'Cup', 'Größe', '!']
const skus = ['S-1', 'S-2', 'S-3']

const title = fc.array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
const texts = fc.dictionary(fc.constantFrom(...languages), fc.record({ title, description: title }), {
  minKeys: 1,
  noNullPrototype: true,
})
const prices = fc.dictionary(fc.constantFrom(...currencies), fc.integer({ min: 0, max: 3 }), {
  minKeys: 1,
  noNullPrototype: true,
})
const categoryIds = fc.subarray(['kitchen', 'tea'])

const happening: fc.Arbitrary<Happening> = fc.constantFrom(...ids).chain((id) => {
  const product = happenings(productEvents, id)
  const sku = fc.constantFrom(...skus).map((name) => `${id}-${name}`)
  return fc.oneof(
    { weight: 2, arbitrary: texts.map((changed) => product('ProductTextsChanged', { texts: changed })) },
    {
      weight: 2,
      arbitrary: categoryIds.map((found) =>
        product('ProductCategorised', { categoryIds: found, allCategoryIds: found }),
      ),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(sku, prices)
        .map(([added, priced]) => product('VariantAdded', { sku: added, prices: priced })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(sku, prices)
        .map(([changed, priced]) => product('VariantPricesChanged', { sku: changed, prices: priced })),
    },
    { weight: 1, arbitrary: sku.map((removed) => product('VariantRemoved', { sku: removed })) },
    { weight: 3, arbitrary: fc.constant(product('ProductPublished', {})) },
    { weight: 1, arbitrary: fc.constant(product('ProductUnpublished', {})) },
    {
      weight: 2,
      arbitrary: sku.map((received) =>
        happenings(stockItemEvents, received)('StockReceived', { sku: received, quantity: 1, reference: 'DN' }),
      ),
    },
  )
})

/** Products that are on sale from the beginning, and what happens to them then. */
const history = fc
  .tuple(
    fc.array(fc.tuple(texts, prices, categoryIds), { minLength: ids.length, maxLength: ids.length }),
    fc.array(happening, { maxLength: 40, size: 'max' }),
  )
  .map(([first, happened]) => [
    ...first.flatMap(([inLanguages, priced, found], place) => {
      const id = ids[place] ?? ''
      const product = happenings(productEvents, id)
      return [
        product('ProductCreated', { slug: id, texts: inLanguages, taxCategory: 'standard', attributes: {} }),
        product('ProductCategorised', { categoryIds: found, allCategoryIds: found }),
        product('VariantAdded', { sku: `${id}-${skus[0]}`, prices: priced }),
        product('ProductPublished', {}),
      ]
    }),
    ...happened,
  ])

test('everything by which products are found is what the products alone would yield', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (happened) => {
      const made = await given(...happened).documents()
      for (const { name, derived } of catalogue.collections) {
        if (derived === undefined) continue
        const expected = Object.entries(made[derived.from] ?? {}).flatMap(([id, product]) => [
          ...derived.entries(id, Product.parse(product)),
        ])
        expect(made[name], name).toEqual(Object.fromEntries(expected))
        expect(new Set(expected.map(([id]) => id)).size, `ids of ${name}`).toBe(expected.length)
      }
    }),
    { numRuns: 25 },
  )
})

interface Asked {
  readonly currency: string
  readonly language: string
  readonly category?: string
  readonly available?: string
  readonly minPrice?: string
  readonly q?: string
  readonly sort?: string
}

const asked: fc.Arbitrary<Asked> = fc.record(
  {
    currency: fc.constantFrom(...currencies),
    language: fc.constantFrom(...languages, 'it'),
    category: fc.constantFrom('kitchen', 'tea'),
    available: fc.constantFrom('true', 'false'),
    minPrice: fc.constantFrom('1', '2'),
    q: fc.constantFrom('re', 'red', 'tea', 'red tea', 'tea cup r', 'grosse', 's 1', 'a s 2'),
    sort: fc.constantFrom('newest', 'price-ascending', 'price-descending', 'title'),
  },
  { requiredKeys: ['currency', 'language'] },
)

function fold(text: string): string {
  return text.replaceAll('ß', 'ss').normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Whether a product is to be listed, by its document alone; words are looked for in another way than the catalogue does. */
function fits(product: Product, inStock: ReadonlySet<string>, { currency, language, ...filter }: Asked): boolean {
  const offered = product.variants.filter(({ prices }) => prices[currency] !== undefined)
  const lowest = Math.min(...offered.map(({ prices }) => prices[currency] ?? Infinity))
  const text = product.texts[nearestLanguage(product.texts, language) ?? '']
  const titleAndSkus = fold(`${text?.title} ${product.variants.map(({ sku }) => sku).join(' ')}`).split(/[^a-z0-9]+/)
  const all = [...titleAndSkus, ...fold(text?.description ?? '').split(/[^a-z0-9]+/)]
  const wanted = filter.q?.split(' ') ?? []
  return (
    product.published &&
    offered.length > 0 &&
    (filter.category === undefined || product.allCategoryIds.includes(filter.category)) &&
    (filter.minPrice === undefined || lowest >= Number(filter.minPrice)) &&
    (filter.available === undefined || String(offered.some(({ sku }) => inStock.has(sku))) === filter.available) &&
    wanted.every(
      (word, place) =>
        all.includes(word) || (place === wanted.length - 1 && titleAndSkus.some((found) => found.startsWith(word))),
    )
  )
}

type Items = readonly {
  readonly id: string
  readonly title: string
  readonly priceFrom: number
  readonly createdAt: string
}[]

interface PageOfProducts {
  readonly items: Items
  readonly next: string | null
  readonly previous: string | null
}

type Shop = ReturnType<typeof given>

async function page(shop: Shop, parameters: Readonly<Record<string, string>>): Promise<PageOfProducts> {
  const answer = await shop.ask(listProducts, parameters)
  return listProducts.result.parse(answer) as PageOfProducts
}

const order: Readonly<Record<string, (left: Items[number], right: Items[number]) => number>> = {
  newest: (left, right) => right.createdAt.localeCompare(left.createdAt),
  'price-ascending': (left, right) => left.priceFrom - right.priceFrom,
  'price-descending': (left, right) => right.priceFrom - left.priceFrom,
  title: (left, right) => (key(left) < key(right) ? -1 : Number(key(left) > key(right))),
}

function key({ title }: Items[number]): string {
  return fold(title)
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join(' ')
}

describe('paging', () => {
  test('meets each product that fits once, in order, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(history, asked, fc.integer({ min: 1, max: 3 }), async (happened, search, limit) => {
        const shop = given(...happened)
        const parameters = { ...search, limit: String(limit) }
        const forth: Items[number][] = []
        let at = await page(shop, parameters)
        for (let pages = 0; ; pages++) {
          expect(pages).toBeLessThan(20)
          forth.push(...at.items)
          if (at.next === null) break
          at = await page(shop, { ...parameters, cursor: at.next })
        }
        const back: Items[number][] = [...at.items]
        while (at.previous !== null) {
          at = await page(shop, { ...parameters, cursor: at.previous })
          back.unshift(...at.items)
        }

        const made = await shop.documents()
        const inStock = new Set(Object.keys(made.availability ?? {}))
        const expected = Object.values(made.products ?? {})
          .map((document: unknown) => Product.parse(document))
          .filter((product) => fits(product, inStock, search))
        expect(forth).toHaveLength(expected.length)
        expect(new Set(forth.map(({ id }) => id))).toEqual(new Set(expected.map(({ id }) => id)))
        expect(back).toEqual(forth)
        const compare = order[search.sort ?? (search.q === undefined ? 'newest' : '')]
        if (compare) expect(forth).toEqual(forth.toSorted(compare))
      }),
      { numRuns: 60 },
    )
  })
})
