import { describe, expect, test } from 'vitest'
import { categoryEvents } from '../../src/domain/category.ts'
import { productEvents } from '../../src/domain/product.ts'
import { stockItemEvents } from '../../src/domain/stock-item.ts'
import { catalogue } from '../../src/projections/catalogue.ts'
import { catalogueQueries } from '../../src/projections/catalogue-queries.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { firstInstant, type Happening } from '../../src/testing/recording.ts'

const { given } = readModel(catalogue)
const [listProducts, getProduct, getProductBySlug, listAllProducts, getAnyProduct] = catalogueQueries

interface Terms {
  readonly en?: string
  readonly de?: string
  readonly description?: string
  readonly prices?: Readonly<Record<string, number>>
  readonly sku?: string
  readonly in?: readonly string[]
}

/** A published product with one variant, whose SKU is its id in capitals. */
function product(id: string, terms: Terms = {}): readonly Happening[] {
  const happens = happenings(productEvents, id)
  const { en, de, description = '', prices = { EUR: 1_000 }, sku = id.toUpperCase(), in: categoryIds = [] } = terms
  const titles = { ...(en !== undefined && { en }), ...(de !== undefined && { de }) }
  const texts = Object.fromEntries(
    Object.entries(Object.keys(titles).length > 0 ? titles : { en: id }).map(([language, title]) => [
      language,
      { title, description },
    ]),
  )
  return [
    happens('ProductCreated', { slug: id, texts, taxCategory: 'standard', attributes: {} }),
    happens('ProductCategorised', { categoryIds: [...categoryIds], allCategoryIds: [...categoryIds] }),
    happens('VariantAdded', { sku, prices: { ...prices } }),
    happens('ProductPublished', {}),
  ]
}

/** The ids that a list shows. */
async function listed(happened: readonly Happening[], parameters: Readonly<Record<string, string>>) {
  const answer = await given(...happened).ask(listProducts, { currency: 'EUR', ...parameters })
  return idsOf(answer)
}

function idsOf(answer: unknown): readonly string[] {
  expect(answer).toHaveProperty('items')
  const { items } = answer as { items: readonly { id: string }[] }
  return items.map(({ id }) => id)
}

const teapot = happenings(productEvents, 'blue-teapot')
const teapotCreated = teapot('ProductCreated', {
  slug: 'blue-teapot',
  texts: {
    en: { title: 'Blue teapot', description: 'Holds one litre.' },
    de: { title: 'Blaue Teekanne', description: 'Fasst einen Liter.' },
  },
  taxCategory: 'standard',
  attributes: { material: 'porcelain' },
})
const image = { url: 'https://example.com/teapot.jpg', alt: 'A blue teapot' }
const teapotOnSale = [
  teapotCreated,
  teapot('ProductImagesChanged', { images: [image] }),
  teapot('ProductCategorised', { categoryIds: ['teapots'], allCategoryIds: ['kitchen', 'teapots'] }),
  teapot('VariantAdded', { sku: 'TEAPOT-S', titles: { en: 'Small' }, prices: { EUR: 1_999, GBP: 1_799 } }),
  teapot('VariantAdded', { sku: 'TEAPOT-L', titles: { en: 'Large', de: 'Groß' }, prices: { EUR: 2_999 } }),
  teapot('ProductPublished', {}),
]
const kitchen = happenings(categoryEvents, 'kitchen')
const teapots = happenings(categoryEvents, 'teapots')
const stock = happenings(stockItemEvents, 'TEAPOT-S')

describe('a product', () => {
  test('is kept with all that its events say', async () => {
    await given(
      ...teapotOnSale,
      teapot('VariantPricesChanged', { sku: 'TEAPOT-S', prices: { EUR: 1_899 } }),
      teapot('VariantRemoved', { sku: 'TEAPOT-L' }),
      teapot('ProductTaxCategoryChanged', { taxCategory: 'reduced' }),
      teapot('ProductAttributesChanged', { attributes: { material: 'clay' } }),
      teapot('ProductTextsChanged', { texts: { en: { title: 'Teapot', description: '' } } }),
    ).expect({
      products: {
        'blue-teapot': {
          id: 'blue-teapot',
          slug: 'blue-teapot',
          texts: { en: { title: 'Teapot', description: '' } },
          images: [image],
          taxCategory: 'reduced',
          categoryIds: ['teapots'],
          allCategoryIds: ['kitchen', 'teapots'],
          attributes: { material: 'clay' },
          variants: [{ sku: 'TEAPOT-S', titles: { en: 'Small' }, prices: { EUR: 1_899 } }],
          published: true,
          createdAt: '2026-01-15T09:30:00.000Z',
          changedAt: '2026-01-15T09:40:00.000Z',
          revision: 10,
        },
      },
    })
  })

  test('is read with prices, pictures, categories and what is available', async () => {
    const shop = given(
      kitchen('CategoryCreated', { slug: 'kitchen', titles: { en: 'Kitchen', de: 'Küche' }, path: ['kitchen'] }),
      teapots('CategoryCreated', { slug: 'teapots', titles: { en: 'Pots' }, path: ['kitchen', 'teapots'] }),
      teapots('CategoryRenamed', { titles: { en: 'Teapots' } }),
      ...teapotOnSale,
      stock('StockReceived', { sku: 'TEAPOT-S', quantity: 5, reference: 'DN-1' }),
      stock('StockReserved', { sku: 'TEAPOT-S', reservationId: 'r-1', quantity: 2, requestedAt: firstInstant }),
    )
    const shown = {
      id: 'blue-teapot',
      slug: 'blue-teapot',
      language: 'de',
      title: 'Blaue Teekanne',
      description: 'Fasst einen Liter.',
      images: [image],
      categoryIds: ['teapots'],
      allCategoryIds: ['kitchen', 'teapots'],
      categories: [
        { id: 'kitchen', slug: 'kitchen', title: 'Küche' },
        { id: 'teapots', slug: 'teapots', title: 'Teapots' },
      ],
      attributes: { material: 'porcelain' },
      variants: [
        { sku: 'TEAPOT-S', title: 'Small', prices: { GBP: 1_799 }, available: true, availableQuantity: 3 },
        { sku: 'TEAPOT-L', title: 'Groß', prices: {}, available: false, availableQuantity: 0 },
      ],
      createdAt: '2026-01-15T09:33:00.000Z',
      changedAt: '2026-01-15T09:38:00.000Z',
      revision: 5,
    }
    const asked = { language: 'de-AT', currency: 'GBP' }
    expect(await shop.ask(getProduct, { productId: 'blue-teapot', ...asked })).toEqual(shown)
    expect(await shop.ask(getProductBySlug, { slug: 'blue-teapot', ...asked })).toEqual(shown)
    expect(await shop.ask(getProduct, { productId: 'blue-teapot' })).toMatchObject({
      title: 'Blue teapot',
      variants: [{ prices: { EUR: 1_999, GBP: 1_799 } }, { prices: { EUR: 2_999 } }],
    })
  })

  test('that is not published is there for staff alone', async () => {
    const shop = given(...teapotOnSale, teapot('ProductUnpublished', {}))
    expect(await shop.ask(getProduct, { productId: 'blue-teapot' })).toBeUndefined()
    expect(await shop.ask(getProductBySlug, { slug: 'blue-teapot' })).toBeUndefined()
    expect(await shop.ask(listProducts, { currency: 'EUR' })).toMatchObject({ items: [] })
    expect(await shop.ask(listProducts, { currency: 'EUR', q: 'teapot' })).toMatchObject({ items: [] })
    await shop.expect({ summaries: {}, offers: {}, titles: {}, words: {} })

    const catalogueStaff = { principal: asStaff('catalogue') }
    expect(await shop.ask(getAnyProduct, { productId: 'blue-teapot' }, catalogueStaff)).toMatchObject({
      published: false,
      texts: { de: { title: 'Blaue Teekanne' } },
    })
    await expect(shop.ask(getAnyProduct, { productId: 'blue-teapot' })).rejects.toThrow('unauthenticated')
    await expect(shop.ask(listAllProducts, {}, { principal: asStaff('stock') })).rejects.toThrow('forbidden')
  })

  test('is listed for staff in the order they ask for', async () => {
    const apron = happenings(productEvents, 'apron')
    const shop = given(teapotCreated, ...product('cup'), ...product('apron'), apron('ProductUnpublished', {}))
    const ask = async (parameters: Readonly<Record<string, string>>) =>
      idsOf(await shop.ask(listAllProducts, parameters, { principal: asStaff('catalogue') }))
    expect(await ask({})).toEqual(['apron', 'cup', 'blue-teapot'])
    expect(await ask({ sort: 'slug' })).toEqual(['apron', 'blue-teapot', 'cup'])
    expect(await ask({ sort: 'changed', published: 'true' })).toEqual(['cup'])
    expect(await ask({ sort: 'changed', published: 'false' })).toEqual(['apron', 'blue-teapot'])
  })
})

describe('the availability of a SKU', () => {
  test('follows its stock', async () => {
    const reserved = { sku: 'TEAPOT-S', reservationId: 'r-1', quantity: 4, requestedAt: firstInstant }
    await given(
      stock('StockReceived', { sku: 'TEAPOT-S', quantity: 10, reference: 'DN-1' }),
      stock('StockReserved', reserved),
      stock('ReservationRefused', { ...reserved, reservationId: 'r-2', available: 6 }),
      stock('ReservationCommitted', { ...reserved, quantity: 3, reference: 's-1' }),
      stock('ReservationReleased', { ...reserved, quantity: 1 }),
      stock('StockReserved', { ...reserved, reservationId: 'r-3', quantity: 2 }),
      stock('StockAdjusted', { sku: 'TEAPOT-S', change: -1, reason: 'broken', reference: 'A-1' }),
    ).expect({ availability: { 'TEAPOT-S': { sku: 'TEAPOT-S', onHand: 6, reserved: 2, available: 4 } } })
  })

  test('is kept apart from the product and its entries', async () => {
    const before = await given(...teapotOnSale).documents()
    const after = await given(
      ...teapotOnSale,
      stock('StockReceived', { sku: 'TEAPOT-S', quantity: 10, reference: 'DN-1' }),
    ).documents()
    expect({ ...after, availability: {} }).toEqual(before)
  })
})

describe('a list of products', () => {
  test('shows title, picture, prices and availability', async () => {
    const shop = given(...teapotOnSale, stock('StockReceived', { sku: 'TEAPOT-S', quantity: 1, reference: 'DN-1' }))
    expect(await shop.ask(listProducts, { currency: 'EUR', language: 'fr' })).toEqual({
      items: [
        {
          id: 'blue-teapot',
          slug: 'blue-teapot',
          language: 'en',
          title: 'Blue teapot',
          image,
          categoryIds: ['teapots'],
          currency: 'EUR',
          priceFrom: 1_999,
          priceTo: 2_999,
          available: true,
          createdAt: '2026-01-15T09:30:00.000Z',
        },
      ],
      next: null,
      previous: null,
    })
  })

  const shop = [
    ...product('mug', { en: 'Zebra mug', de: 'Affenbecher', prices: { EUR: 300 }, in: ['kitchen'] }),
    ...product('cup', { en: 'Émile’s cup', prices: { EUR: 100, GBP: 90 }, in: ['kitchen', 'cups'] }),
    ...product('pot', { de: 'Pfanne', prices: { EUR: 200 } }),
    ...product('jar', { en: 'Jar', prices: { USD: 1 }, in: ['kitchen'] }),
  ]

  test('has only what has a price in the currency', async () => {
    expect(await listed(shop, {})).toEqual(['pot', 'cup', 'mug'])
    expect(await listed(shop, { currency: 'GBP' })).toEqual(['cup'])
    expect(await listed(shop, { currency: 'JPY' })).toEqual([])
  })

  test('has only what is in the category', async () => {
    expect(await listed(shop, { category: 'kitchen' })).toEqual(['cup', 'mug'])
    expect(await listed(shop, { category: 'cups', sort: 'title' })).toEqual(['cup'])
    expect(await listed(shop, { category: 'garden' })).toEqual([])
  })

  test('is sorted by price', async () => {
    expect(await listed(shop, { sort: 'price-ascending' })).toEqual(['cup', 'pot', 'mug'])
    expect(await listed(shop, { sort: 'price-descending' })).toEqual(['mug', 'pot', 'cup'])
  })

  test('is sorted by the titles that it shows', async () => {
    expect(await listed(shop, { sort: 'title' })).toEqual(['cup', 'pot', 'mug'])
    expect(await listed(shop, { sort: 'title', language: 'de' })).toEqual(['mug', 'cup', 'pot'])
    expect(await listed(shop, { sort: 'title', language: 'fr' })).toEqual(['cup', 'pot', 'mug'])
  })

  test.each(['newest', 'price-ascending', 'price-descending', 'title'])(
    'has a range of prices, by %s',
    async (sort) => {
      const within = await listed(shop, { minPrice: '150', maxPrice: '300', sort })
      expect(within.toSorted()).toEqual(['mug', 'pot'])
      expect(await listed(shop, { minPrice: '301', sort })).toEqual([])
      expect(await listed(shop, { maxPrice: '100', sort })).toEqual(['cup'])
    },
  )

  test('can be of what is available alone, by the variants that have a price in the currency', async () => {
    const cup = happenings(productEvents, 'cup')
    const stocked = [
      ...shop,
      cup('VariantAdded', { sku: 'CUP-XL', prices: { USD: 1 } }),
      happenings(stockItemEvents, 'CUP-XL')('StockReceived', { sku: 'CUP-XL', quantity: 1, reference: 'DN-1' }),
      happenings(stockItemEvents, 'POT')('StockReceived', { sku: 'POT', quantity: 1, reference: 'DN-1' }),
    ]
    expect(await listed(stocked, { available: 'true' })).toEqual(['pot'])
    expect(await listed(stocked, { available: 'true', currency: 'USD' })).toEqual(['cup'])
    expect(await listed(stocked, { available: 'false' })).toEqual(['cup', 'mug'])
  })
})

describe('a search', () => {
  const shop = [
    ...product('a', { en: 'Kettle', description: 'Goes with the red teapot.' }),
    ...product('b', { en: 'Teapot stand', de: 'Kannenständer' }),
    ...product('c', { en: 'Teapots, red', prices: { EUR: 1, GBP: 1 } }),
    ...product('d', { en: 'Saucer', sku: 'TEAPOT-SAUCER-85123A' }),
    ...product('e', { de: 'Große rote Kanne', description: 'Für 茶道教室 und mehr', in: ['kitchen'] }),
  ]

  test('finds whole words before beginnings', async () => {
    const pots = [...product('1', { en: 'Potted plant' }), ...product('2', { en: 'Pot' })]
    expect(await listed(pots, { q: 'pot' })).toEqual(['2', '1'])
    expect(await listed(pots, { q: 'pott' })).toEqual(['1'])
  })

  test('finds titles first, then SKUs, then descriptions', async () => {
    expect(await listed(shop, { q: 'teapot' })).toEqual(['b', 'c', 'd', 'a'])
    expect(await listed(shop, { q: 'TEAPO' })).toEqual(['b', 'c', 'd'])
  })

  test('finds what has all words, the last as a beginning', async () => {
    expect(await listed(shop, { q: 'red teapot' })).toEqual(['c', 'a'])
    expect(await listed(shop, { q: 'teapots re' })).toEqual(['c'])
    expect(await listed(shop, { q: 're teapot' })).toEqual([])
    expect(await listed(shop, { q: 'red kettle stand' })).toEqual([])
  })

  test('ranks by where all words are', async () => {
    const sets = [
      ...product('1', { en: 'Porcelain box', description: 'For a cup.' }),
      ...product('2', { en: 'Porcelain cup' }),
      ...product('3', { en: 'Cup', description: 'Of porcelain.' }),
    ]
    expect(await listed(sets, { q: 'porcelain cup' })).toEqual(['2', '1', '3'])
  })

  test('takes no notice of case, diacritics and punctuation', async () => {
    expect(await listed(shop, { q: 'GROSSE kann' })).toEqual(['e'])
    expect(await listed(shop, { q: 'grösse, (kanne)!' })).toEqual(['e'])
    expect(await listed(shop, { q: 'KANNENSTANDER', language: 'de' })).toEqual(['b'])
    expect(await listed(shop, { q: '85123a' })).toEqual(['d'])
    expect(await listed(shop, { q: 'Teapot-Saucer-85123A' })).toEqual(['d'])
    expect(await listed(shop, { q: '!?' })).toEqual([])
  })

  test('finds words of languages that are written without spaces', async () => {
    expect(await listed(shop, { q: '教室', language: 'de' })).toEqual(['e'])
  })

  test('looks at the text that is shown', async () => {
    expect(await listed(shop, { q: 'stand', language: 'de' })).toEqual([])
    expect(await listed(shop, { q: 'stand', language: 'fr' })).toEqual(['b'])
    expect(await listed(shop, { q: 'kanne', language: 'en' })).toEqual(['e'])
    expect(await listed(shop, { q: 'kann', language: 'de-AT' })).toEqual(['b', 'e'])
  })

  test('goes together with category, currency, prices and order', async () => {
    expect(await listed(shop, { q: 'kanne', category: 'kitchen' })).toEqual(['e'])
    expect(await listed(shop, { q: 'teapot', category: 'kitchen' })).toEqual([])
    expect(await listed(shop, { q: 'teapot', currency: 'GBP' })).toEqual(['c'])
    expect(await listed(shop, { q: 'teapot', maxPrice: '1' })).toEqual(['c'])
    expect(await listed(shop, { q: 'teapot', sort: 'newest' })).toEqual(['d', 'c', 'b', 'a'])
    expect(await listed(shop, { q: 'teapot', sort: 'price-ascending' })).toEqual(['c', 'a', 'b', 'd'])
    expect(await listed(shop, { q: 'teapot', sort: 'price-descending' })).toEqual(['d', 'b', 'a', 'c'])
    expect(await listed(shop, { q: 'teapot', sort: 'title' })).toEqual(['a', 'd', 'b', 'c'])
  })

  test('forgets the words of a text that was changed', async () => {
    const b = happenings(productEvents, 'b')
    const changed = [...shop, b('ProductTextsChanged', { texts: { en: { title: 'Trivet', description: '' } } })]
    expect(await listed(changed, { q: 'stand' })).toEqual([])
    expect(await listed(changed, { q: 'trivet' })).toEqual(['b'])
  })
})
