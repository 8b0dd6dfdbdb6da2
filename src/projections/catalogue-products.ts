import { z } from 'zod'
import { type ProductEvent, productEvents } from '../domain/product.ts'
import { Id, Timestamp } from '../domain/values.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection } from '../engine/projection.ts'
import { idOf } from '../engine/streams.ts'

/** The products of the catalogue as their events tell them; everything by which they are found is computed from these. */

const { ProductCreated, ProductImagesChanged, ProductCategorised, VariantAdded } = productEvents.schemas

export const ProductVariant = VariantAdded
export type ProductVariant = z.output<typeof ProductVariant>

export const Product = z.object({
  id: Id.meta({ description: 'Id of the product', example: 'blue-teapot' }),
  ...ProductCreated.shape,
  ...ProductImagesChanged.shape,
  ...ProductCategorised.shape,
  variants: z.array(ProductVariant).meta({
    description: 'Variants in the order in which they were added',
    example: [{ sku: 'TEAPOT-BLUE', prices: { EUR: 2499 } }],
  }),
  published: z.boolean().meta({ description: 'Whether it is shown in the shop', example: true }),
  createdAt: Timestamp.meta({ description: 'When it was created', example: '2026-01-15T09:30:00.000Z' }),
  changedAt: Timestamp.meta({ description: 'When it was last changed', example: '2026-01-15T09:30:00.000Z' }),
  revision: z.int().min(0).meta({ description: 'Revision of the product, for `If-Match`', example: 3 }),
})
export type Product = z.output<typeof Product>

export const products = collection('products', Product, {
  bySlug: ['slug'],
  byCreatedAt: ['createdAt'],
  byChangedAt: ['changedAt'],
})

function created({ stream, data, revision, metadata }: Recorded<Extract<ProductEvent, { type: 'ProductCreated' }>>) {
  const id = idOf(stream)
  return products.change(id, () => ({
    id,
    ...data,
    images: [],
    categoryIds: [],
    allCategoryIds: [],
    variants: [],
    published: false,
    createdAt: metadata.occurredAt,
    changedAt: metadata.occurredAt,
    revision,
  }))
}

/** What an event changes of a product that exists. */
function changed(event: Recorded, change: (product: Product) => Partial<Product>): Change {
  const { revision, metadata } = event
  return products.update(idOf(event.stream), (product) => ({
    ...product,
    ...change(product),
    changedAt: metadata.occurredAt,
    revision,
  }))
}

type ProductChanges = {
  readonly [Type in ProductEvent['type']]: (event: Recorded<Extract<ProductEvent, { type: Type }>>) => Change
}

export const productChanges: ProductChanges = {
  ProductCreated: created,
  ProductTextsChanged: (event) => changed(event, () => event.data),
  ProductImagesChanged: (event) => changed(event, () => event.data),
  ProductCategorised: (event) => changed(event, () => event.data),
  ProductTaxCategoryChanged: (event) => changed(event, () => event.data),
  ProductAttributesChanged: (event) => changed(event, () => event.data),
  VariantAdded: (event) => changed(event, ({ variants }) => ({ variants: [...variants, event.data] })),
  VariantPricesChanged: (event) =>
    changed(event, ({ variants }) => ({
      variants: variants.map((each) => (each.sku === event.data.sku ? { ...each, prices: event.data.prices } : each)),
    })),
  VariantRemoved: (event) =>
    changed(event, ({ variants }) => ({ variants: variants.filter(({ sku }) => sku !== event.data.sku) })),
  ProductPublished: (event) => changed(event, () => ({ published: true })),
  ProductUnpublished: (event) => changed(event, () => ({ published: false })),
}

/** The lowest and the highest of the prices of variants in a currency; undefined if none has one. */
export function priceRange(
  variants: readonly Pick<ProductVariant, 'prices'>[],
  currency: string,
): { readonly from: number; readonly to: number } | undefined {
  let from = Infinity
  let to = -Infinity
  for (const { prices } of variants) {
    const price = prices[currency]
    if (price === undefined) continue
    from = Math.min(from, price)
    to = Math.max(to, price)
  }
  return from === Infinity ? undefined : { from, to }
}
