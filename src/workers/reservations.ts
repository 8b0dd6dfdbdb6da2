import { isShippedForGood, type Order, quantityBySku } from '../domain/order/state.ts'
import { stockItem } from '../domain/stock-item.ts'
import { type Ask, ask } from '../engine/command.ts'

/** The stock that is reserved for an order: one reservation for each SKU. */

const attempt = 1

function reservationId(orderId: string, sku: string): string {
  return `${orderId}:${sku}:${attempt}`
}

/** The order that a reservation was made for; undefined if it was made for something else. */
export function orderOfReservation(id: string): string | undefined {
  const [orderId, sku, ...rest] = id.split(':')
  return orderId && sku && rest.join(':') === String(attempt) ? orderId : undefined
}

/**
 * Reserves the stock of each SKU.
 * @param requestedAt ISO 8601, the same whenever it is asked for again
 */
export function reserveAll(orderId: string, order: Order, requestedAt: string): readonly Ask[] {
  return Array.from(quantityBySku(order), ([sku, quantity]) =>
    ask(stockItem, sku, 'ReserveStock', { reservationId: reservationId(orderId, sku), quantity, requestedAt }),
  )
}

/** Releases all that was ever asked for, recorded or not: every request has been decided before this is asked. */
export function releaseAll(orderId: string, order: Order): readonly Ask[] {
  return [...quantityBySku(order).keys()].map((sku) => release(orderId, sku))
}

function release(orderId: string, sku: string): Ask {
  return ask(stockItem, sku, 'ReleaseReservation', { reservationId: reservationId(orderId, sku) })
}

/** Takes a shipment out of what is reserved, and releases what stays in the house if it was the last. */
export function shipFromStock(orderId: string, order: Order, shipmentId: string): readonly Ask[] {
  return [...order.reservations.keys()].flatMap((sku) => {
    const last = releaseRest(orderId, order, sku)
    return last.length > 0 ? last : commit(orderId, order, sku, shipmentId)
  })
}

/** Releases the pieces that were paid back before they left the house, once no others of their SKU will leave it. */
export function releaseWhatStays(orderId: string, order: Order): readonly Ask[] {
  return [...order.reservations.keys()].flatMap((sku) => releaseRest(orderId, order, sku))
}

function commit(orderId: string, order: Order, sku: string, shipmentId: string): readonly Ask[] {
  const quantity = (order.shipments.get(shipmentId)?.lines ?? [])
    .filter(({ lineId }) => order.lines.get(lineId)?.line.sku === sku)
    .reduce((sum, line) => sum + line.quantity, 0)
  return quantity === 0
    ? []
    : [
        ask(stockItem, sku, 'CommitReservation', {
          reservationId: reservationId(orderId, sku),
          quantity,
          reference: shipmentId,
        }),
      ]
}

function releaseRest(orderId: string, order: Order, sku: string): readonly Ask[] {
  const lines = [...order.lines.values()].filter(({ line }) => line.sku === sku)
  const isAnyLeft = lines.some(({ shipped, line }) => shipped < line.quantity)
  if (!isAnyLeft || !isShippedForGood(order, lines)) return []
  // The order may be ahead of this reaction: what has been shipped meanwhile leaves before the rest is released.
  const shipments = [...order.shipments.keys()].flatMap((shipmentId) => commit(orderId, order, sku, shipmentId))
  return [...shipments, release(orderId, sku)]
}
