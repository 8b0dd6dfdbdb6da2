import { random } from '../src/cli/random.ts'
import { sorts } from '../src/projections/catalogue-search.ts'

/** What the shop of the HTTP benchmarks sells: 1,000 products of two variants each, the same at each run. */

export interface Sku {
  readonly productId: string
  readonly sku: string
}

const adjectives =
  'blue red green tall small round plain striped heavy light square soft bright dark folding oval narrow wide quiet simple'
const materials = 'oak linen brass paper glass wool copper cotton slate clay'
const nouns =
  'lamp teapot cup chair bowl shelf inkwell quilt jar tray notebook pen vase kettle basket clock mirror stool rug candle'

const words = {
  adjectives: adjectives.split(' '),
  materials: materials.split(' '),
  nouns: nouns.split(' '),
}
const productCount = 1_000
const categoryCount = 20

/** Ids of the categories. */
export const categories = Array.from({ length: categoryCount }, (_, place) => `category-${place + 1}`)

function wordsOf(place: number): readonly [adjective: string, material: string, noun: string] {
  const { adjectives, materials, nouns } = words
  return [
    adjectives[place % adjectives.length] ?? '',
    materials[Math.floor(place / adjectives.length) % materials.length] ?? '',
    // Moved on once in a round of the others, so that no title comes twice.
    nouns[(place + Math.floor(place / (adjectives.length * materials.length))) % nouns.length] ?? '',
  ]
}

function idOf(place: number): string {
  return `product-${String(place + 1).padStart(4, '0')}`
}

function skusOf(productId: string): readonly Sku[] {
  return ['S', 'L'].map((suffix) => ({ productId, sku: `${productId}-${suffix}` }))
}

export const productIds: readonly string[] = Array.from({ length: productCount }, (_, place) => idOf(place))
export const skus: readonly Sku[] = productIds.flatMap(skusOf)

/** The bodies of the commands that create the products. */
export function products(): readonly object[] {
  const { between } = random(1_000)
  return productIds.map((id, place) => {
    const [adjective, material, noun] = wordsOf(place)
    const title = `${adjective} ${material} ${noun}`
    return {
      id,
      slug: id,
      texts: {
        en: {
          title: `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`,
          description: `A ${noun} that is ${adjective}, made of ${material} by hand and sent within two days.`,
        },
      },
      categoryIds: [categories[place % categoryCount] ?? ''],
      images: [{ url: `https://images.example.com/${id}.jpg`, alt: title }],
      variants: skusOf(id).map(({ sku }) => ({
        sku,
        titles: { en: sku.endsWith('S') ? 'Small' : 'Large' },
        prices: { EUR: between(3, 150) * 100 - 1, USD: between(3, 160) * 100 - 1 },
      })),
      publish: true,
    }
  })
}

/**
 * Addresses of searches: half of one word (of them every other for the beginning of one) and half of two; every fourth is sorted by
 * price, age or title, the others by how well they match.
 */
export function searches(count: number): readonly string[] {
  const { between, pick } = random(2_000)
  const { adjectives, materials, nouns } = words
  const all = [...adjectives, ...materials, ...nouns]
  const one = (from: readonly string[]) => from[between(0, from.length - 1)] ?? ''
  return Array.from({ length: count }, (_, place) => {
    const asked =
      place % 2 === 0 ? one(all).slice(0, place % 4 === 0 ? 4 : undefined) : `${one(adjectives)} ${one(nouns)}`
    const sort = between(0, 3) === 0 ? `&sort=${pick(sorts)}` : ''
    return `/v1/products?q=${encodeURIComponent(asked)}&currency=EUR&language=en${sort}`
  })
}
