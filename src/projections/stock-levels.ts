import { z } from 'zod'
import { stockItemEvents } from '../domain/stock-item.ts'
import { Sku } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'

/** What is in the house, for those who keep it filled. It may lag; the stock item alone decides. */

const Pieces = z.int()

const StockLevel = z.object({
  sku: Sku,
  onHand: Pieces.meta({ description: 'Pieces in the house', example: 12 }),
  reserved: Pieces.meta({ description: 'Pieces that orders have reserved', example: 2 }),
  available: Pieces.meta({
    description: 'On hand and not reserved; below zero where pieces got lost that were reserved',
    example: 10,
  }),
  revision: z.int().meta({ description: 'Revision of the stock item, for `If-Match`', example: 41 }),
})
export type StockLevel = z.output<typeof StockLevel>

const levels = collection('levels', StockLevel, { bySku: ['sku'], byAvailability: ['available', 'sku'] })

function moved(
  { data: { sku }, revision }: { readonly data: { readonly sku: string }; readonly revision: number },
  onHand: number,
  reserved: number,
): Change {
  return levels.change(sku, (before) => {
    const after = { onHand: (before?.onHand ?? 0) + onHand, reserved: (before?.reserved ?? 0) + reserved }
    return { sku, ...after, available: after.onHand - after.reserved, revision }
  })
}

export const stockLevels = projection({
  name: 'stock-levels',
  version: 1,
  collections: [levels],
  from: [stockItemEvents],
  on: {
    StockReceived: (event) => moved(event, event.data.quantity, 0),
    StockAdjusted: (event) => moved(event, event.data.change, 0),
    StockReserved: (event) => moved(event, 0, event.data.quantity),
    ReservationRefused: (event) => moved(event, 0, 0),
    ReservationReleased: (event) => moved(event, 0, -event.data.quantity),
    ReservationCommitted: (event) => moved(event, -event.data.quantity, -event.data.quantity),
  },
})

const getStockLevel = documentQuery({
  name: 'getStockLevel',
  route: 'GET /v1/stock-levels/{sku}',
  summary: 'Stock of a SKU',
  who: staff('stock'),
  from: stockLevels,
  of: levels,
  parameters: z.object({ sku: Sku }),
  id: ({ sku }) => sku,
})

const Threshold = z.coerce.number().int().min(-1_000_000_000).max(1_000_000_000)

const listStockLevels = pageQuery({
  name: 'listStockLevels',
  route: 'GET /v1/stock-levels',
  summary: 'Stock of all SKUs',
  description:
    'By SKU, or the lowest availability first. Low stock: `maxAvailable=5`. What is combined is filtered: a page may ' +
    'then be short and still have a next one.',
  who: staff('stock'),
  from: stockLevels,
  of: levels,
  parameters: z.object({
    sort: z
      .enum(['sku', 'available'])
      .exactOptional()
      .meta({ description: 'By what to sort; by availability if one is asked for, else by SKU', example: 'available' }),
    maxAvailable: Threshold.exactOptional().meta({ description: 'At most this many available', example: 5 }),
    minAvailable: Threshold.exactOptional().meta({ description: 'At least this many available', example: 1 }),
    beginning: z
      .string()
      .regex(/^[A-Za-z0-9_.~-]{1,64}$/)
      .exactOptional()
      .meta({ description: 'SKUs that begin so', example: 'TEAPOT-' }),
  }),
  item: StockLevel,
  find: ({ parameters: { sort, minAvailable, maxAvailable, beginning } }) => {
    const isByAvailability = minAvailable !== undefined || maxAvailable !== undefined
    if ((sort ?? (isByAvailability ? 'available' : 'sku')) === 'sku') {
      return { index: 'bySku', ...(beginning !== undefined && { startsWith: beginning }) }
    }
    return {
      index: 'byAvailability',
      ...(minAvailable !== undefined && { from: minAvailable }),
      ...(maxAvailable !== undefined && { to: maxAvailable }),
    }
  },
  show: (found, { parameters: { minAvailable, maxAvailable, beginning = '' } }) =>
    found.map((level) =>
      level.available >= (minAvailable ?? level.available) &&
      level.available <= (maxAvailable ?? level.available) &&
      level.sku.startsWith(beginning)
        ? level
        : undefined,
    ),
})

export const stockLevelQueries = [getStockLevel, listStockLevels] as const
