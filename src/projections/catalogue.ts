import { z } from 'zod'
import { categoryEvents } from '../domain/category.ts'
import { productEvents } from '../domain/product.ts'
import { stockItemEvents } from '../domain/stock-item.ts'
import { Id, LocalTitles, Sku, Slug } from '../domain/values.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { idOf } from '../engine/streams.ts'
import { offers, summaries, titlePlaces } from './catalogue-listings.ts'
import { productChanges, products } from './catalogue-products.ts'
import { words } from './catalogue-words.ts'

/** What a shop shows of its goods: products, where lists and searches find them, and what is available. */

const Pieces = z.int().min(0)

export const Availability = z.object({
  sku: Sku,
  onHand: Pieces.meta({ description: 'Pieces in the house', example: 12 }),
  reserved: Pieces.meta({ description: 'Pieces that orders have reserved', example: 2 }),
  available: Pieces.meta({ description: 'Pieces that can be ordered', example: 10 }),
})
export type Availability = z.output<typeof Availability>

/** Apart from the products, so that the reservations of a hot item rewrite nothing that is found by an index. */
export const availability = collection('availability', Availability, {})

function moved(sku: string, onHand: number, reserved: number): Change {
  return availability.change(sku, (before) => {
    const after = { onHand: (before?.onHand ?? 0) + onHand, reserved: (before?.reserved ?? 0) + reserved }
    return { sku, ...after, available: Math.max(0, after.onHand - after.reserved) }
  })
}

export const CategoryTitle = z.object({
  id: Id.meta({ description: 'Id of the category', example: 'teapots' }),
  slug: Slug,
  titles: LocalTitles,
})

export const categoryTitles = collection('categories', CategoryTitle, {})

export const catalogue = projection({
  name: 'catalogue',
  version: 2,
  collections: [products, summaries, offers, titlePlaces, words, availability, categoryTitles],
  from: [productEvents, stockItemEvents, categoryEvents],
  on: {
    ...productChanges,

    StockReceived: ({ data }) => moved(data.sku, data.quantity, 0),
    StockAdjusted: ({ data }) => moved(data.sku, data.change, 0),
    StockReserved: ({ data }) => moved(data.sku, 0, data.quantity),
    ReservationReleased: ({ data }) => moved(data.sku, 0, -data.quantity),
    ReservationCommitted: ({ data }) => moved(data.sku, -data.quantity, -data.quantity),

    CategoryCreated: ({ stream, data: { slug, titles } }) =>
      categoryTitles.change(idOf(stream), () => ({ id: idOf(stream), slug, titles })),
    CategoryRenamed: ({ stream, data: { titles } }) =>
      categoryTitles.update(idOf(stream), (category) => ({ ...category, titles })),
  },
})
