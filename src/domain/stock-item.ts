import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Quantity, Reason, Reference, Sku } from './values.ts'

/** The stock of one SKU, whose id it has. It alone decides what can be sold. */

export const ReservationId = z
  .string()
  .min(1)
  .max(250)
  .meta({ description: 'Names order, SKU and attempt', example: '0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88:TEAPOT-BLUE:1' })
const Change = z
  .int()
  .min(-1_000_000)
  .max(1_000_000)
  .meta({ description: 'Pieces found (above zero) or lost (below)', example: -2 })
const Available = z.int().min(0).meta({ description: 'Pieces on hand that nobody has reserved', example: 1 })

// Events: what has happened. The schemas are the types, the validation, the documentation.

export const stockItemEvents = defineEvents('stockItem', {
  StockReceived: z.object({ sku: Sku, quantity: Quantity, reference: Reference }),
  StockAdjusted: z.object({ sku: Sku, change: Change, reason: Reason, reference: Reference }),
  StockReserved: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity }),
  ReservationRefused: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity, available: Available }),
  ReservationReleased: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity }),
  /** Pieces of a reservation left the house; what is left of it stays reserved. */
  ReservationCommitted: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity, reference: Reference }),
})
export type StockItemEvent = EventOf<typeof stockItemEvents>

// Commands: what may be asked for.

export const stockItemCommands = {
  ReceiveStock: z.strictObject({ quantity: Quantity, reference: Reference }),
  AdjustStock: z.strictObject({ change: Change, reason: Reason, reference: Reference }),
  ReserveStock: z.strictObject({ reservationId: ReservationId, quantity: Quantity }),
  ReleaseReservation: z.strictObject({ reservationId: ReservationId }),
  CommitReservation: z.strictObject({ reservationId: ReservationId, quantity: Quantity, reference: Reference }),
}
