import { Map as PersistentMap, Set as PersistentSet } from 'immutable'
import { z } from 'zod'
import { type Context, decider, type SnapshotFormat } from '../engine/decider.ts'
import { reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { entriesOf, keep, type Newest, newest } from './newest.ts'
import {
  loadReferences,
  noReferences,
  type ReferenceMemory,
  recall,
  remember,
  type SavedReferences,
  saveReferences,
} from './reference-memory.ts'
import { Quantity, Reason, Reference, Sku, Timestamp } from './values.ts'

/** The stock of one SKU, whose id it has. It alone decides what can be sold. */

const ReservationId = z
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
const RequestedAt = Timestamp.meta({
  description: 'When the reservation was first asked for; the same whenever it is asked for again',
  example: '2026-01-15T09:30:00.000Z',
})

// Events: what has happened. The schemas are the types, the validation, the documentation.

export const stockItemEvents = defineEvents('stockItem', {
  StockReceived: z.object({ sku: Sku, quantity: Quantity, reference: Reference }),
  StockAdjusted: z.object({ sku: Sku, change: Change, reason: Reason, reference: Reference }),
  StockReserved: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity, requestedAt: RequestedAt }),
  ReservationRefused: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity, available: Available }),
  ReservationReleased: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity }),
  /** Pieces of a reservation left the house; what is left of it stays reserved. */
  ReservationCommitted: z.object({ sku: Sku, reservationId: ReservationId, quantity: Quantity, reference: Reference }),
})
export type StockItemEvent = EventOf<typeof stockItemEvents>

// State: what a decision needs to know, and nothing else. What grows is in persistent maps, for a hot item has
// thousands of open reservations and as many events a second; what would grow without end is bounded.

interface Reservation {
  /** Pieces that are still reserved. */
  readonly quantity: number
  readonly requestedAt: string
  /** Of the parts that have left. Every part has a piece at least, so there are no more of them than pieces. */
  readonly references: PersistentSet<string>
}

export interface StockItem {
  readonly onHand: number
  /** Sum of the open reservations. */
  readonly reserved: number
  readonly open: PersistentMap<string, Reservation>
  /** The newest released or wholly committed reservations, with the time each was asked for. */
  readonly ended: Newest<string>
  /** Newest time at which a reservation was asked for that has been forgotten since. */
  readonly forgottenUpTo: string
  /** The newest refused reservations. A refusal moved nothing: one that is forgotten is decided anew. */
  readonly refused: Newest<true>
  /** Of receipts and adjustments. */
  readonly references: ReferenceMemory
}

const endedBound = 2_000
const refusedBound = 1_000

const initial: StockItem = {
  onHand: 0,
  reserved: 0,
  open: PersistentMap(),
  ended: newest(endedBound),
  forgottenUpTo: '',
  refused: newest(refusedBound),
  references: noReferences(),
}

/** Pieces on hand that nobody has reserved. */
export function available(item: Pick<StockItem, 'onHand' | 'reserved'>): number {
  return item.onHand - item.reserved
}

function moved(item: StockItem, change: number, reference: string): StockItem {
  return {
    ...item,
    onHand: item.onHand + change,
    references: remember(item.references, reference, String(change)),
  }
}

/** Takes pieces out of a reservation, which ends with the last of them. */
function reduced(item: StockItem, reservationId: string, quantity: number, reference?: string): StockItem {
  const reservation = item.open.get(reservationId)
  if (reservation === undefined) return item
  const { requestedAt, references } = reservation
  const left = reservation.quantity - quantity
  const reserved = item.reserved - quantity
  if (left > 0) {
    const present = { quantity: left, requestedAt, references: reference ? references.add(reference) : references }
    return { ...item, reserved, open: item.open.set(reservationId, present) }
  }
  const { memory, forgotten } = keep(item.ended, reservationId, requestedAt)
  const forgottenUpTo = forgotten && forgotten[1] > item.forgottenUpTo ? forgotten[1] : item.forgottenUpTo
  return { ...item, reserved, open: item.open.delete(reservationId), ended: memory, forgottenUpTo }
}

function evolve(item: StockItem, event: StockItemEvent): StockItem {
  switch (event.type) {
    case 'StockReceived':
      return moved(item, event.data.quantity, event.data.reference)
    case 'StockAdjusted':
      return moved(item, event.data.change, event.data.reference)
    case 'StockReserved': {
      const { reservationId, quantity, requestedAt } = event.data
      const reservation = { quantity, requestedAt, references: PersistentSet<string>() }
      return { ...item, reserved: item.reserved + quantity, open: item.open.set(reservationId, reservation) }
    }
    case 'ReservationRefused':
      return { ...item, refused: keep(item.refused, event.data.reservationId, true).memory }
    case 'ReservationReleased':
      return reduced(item, event.data.reservationId, event.data.quantity)
    case 'ReservationCommitted': {
      const { reservationId, quantity, reference } = event.data
      return reduced({ ...item, onHand: item.onHand - quantity }, reservationId, quantity, reference)
    }
  }
}

// Commands: what may be asked for.

export const stockItemCommands = {
  ReceiveStock: z.strictObject({ quantity: Quantity, reference: Reference }),
  AdjustStock: z.strictObject({ change: Change, reason: Reason, reference: Reference }),
  /** Who may ask for a reservation again much later gives `requestedAt`: by it a forgotten one is told from a new one. */
  ReserveStock: z.strictObject({
    reservationId: ReservationId,
    quantity: Quantity,
    requestedAt: RequestedAt.exactOptional(),
  }),
  ReleaseReservation: z.strictObject({ reservationId: ReservationId }),
  CommitReservation: z.strictObject({ reservationId: ReservationId, quantity: Quantity, reference: Reference }),
}

// Decisions: the rules. One small function for each command.

type Command<Type extends keyof typeof stockItemCommands> = z.output<(typeof stockItemCommands)[Type]>
type Around = Pick<Context, 'id' | 'at'>

/** Whether a movement has been made before, which its reference tells. */
function isMade(item: StockItem, reference: string, change: number): boolean {
  const found = recall(item.references, reference)
  if (found.kind === 'forgotten') {
    throw reject(
      'too-old',
      'This reference may have been used too long ago to tell. If this movement is new, give it another reference.',
      { reference },
    )
  }
  if (found.kind === 'new') return false
  if (found.content === String(change)) return true
  throw reject(
    'reference-used',
    'This reference was used for another quantity. Give this movement its own reference.',
    {
      reference,
      change: Number(found.content),
    },
  )
}

function receive({ quantity, reference }: Command<'ReceiveStock'>, item: StockItem, { id }: Around): StockItemEvent[] {
  if (isMade(item, reference, quantity)) return []
  return [{ type: 'StockReceived', data: { sku: id, quantity, reference } }]
}

function adjust(command: Command<'AdjustStock'>, item: StockItem, { id }: Around): StockItemEvent[] {
  const { change, reference } = command
  if (isMade(item, reference, change) || change === 0) return []
  const { onHand, reserved } = item
  if (onHand + change < 0) {
    throw reject('stock-too-small', `There are only ${onHand} pieces on hand. Count again.`, { onHand })
  }
  if (onHand + change < reserved) {
    throw reject(
      'stock-reserved',
      `Of ${onHand} pieces on hand ${reserved} are reserved. Cancel orders first, or take ${available(item)} at most.`,
      { onHand, reserved, available: available(item) },
    )
  }
  return [{ type: 'StockAdjusted', data: { sku: id, ...command } }]
}

/** Clocks of several processes differ a little; far more would make the item refuse what is new. */
const clockToleranceMs = 60_000

function msBetween(earlier: string, later: string): number {
  return Temporal.Instant.from(later).epochMilliseconds - Temporal.Instant.from(earlier).epochMilliseconds
}

function reserve(
  command: Command<'ReserveStock'>,
  item: StockItem,
  { id, at, actor }: Around & Pick<Context, 'actor'>,
): StockItemEvent[] {
  const { reservationId, quantity, requestedAt = at } = command
  if (item.open.has(reservationId)) return []
  if (item.ended.byKey.has(reservationId) || item.refused.byKey.has(reservationId)) return []
  if (requestedAt > at && msBetween(at, requestedAt) > clockToleranceMs) {
    throw reject('requested-in-future', 'A reservation cannot have been requested later than now. Correct the time.')
  }
  if (requestedAt <= item.forgottenUpTo) {
    throw reject(
      'too-old',
      'This reservation was requested so long ago that it may have ended. Make a new one, with another id.',
      { reservationId, requestedAt },
    )
  }
  const left = available(item)
  // A process waits for an event, so a refusal is one, too; a person is told at once.
  if (left < quantity && actor.kind === 'staff') {
    throw reject('not-available', `Only ${left} pieces are available. Reserve fewer.`, { available: left })
  }
  if (left < quantity) {
    return [{ type: 'ReservationRefused', data: { sku: id, reservationId, quantity, available: left } }]
  }
  return [{ type: 'StockReserved', data: { sku: id, reservationId, quantity, requestedAt } }]
}

function release({ reservationId }: Command<'ReleaseReservation'>, item: StockItem, { id }: Around): StockItemEvent[] {
  const reservation = item.open.get(reservationId)
  if (reservation === undefined) return []
  return [{ type: 'ReservationReleased', data: { sku: id, reservationId, quantity: reservation.quantity } }]
}

function commit(command: Command<'CommitReservation'>, item: StockItem, { id }: Around): StockItemEvent[] {
  const { reservationId, quantity, reference } = command
  if (item.ended.byKey.has(reservationId)) return []
  const reservation = item.open.get(reservationId)
  if (reservation === undefined) {
    throw reject('reservation-unknown', 'There is no such open reservation. Reserve the pieces first.', {
      reservationId,
    })
  }
  if (reservation.references.has(reference)) return []
  if (quantity > reservation.quantity) {
    throw reject('reservation-too-small', `Only ${reservation.quantity} pieces of it are still reserved.`, {
      reservationId,
      reserved: reservation.quantity,
    })
  }
  return [{ type: 'ReservationCommitted', data: { sku: id, reservationId, quantity, reference } }]
}

// Snapshots: a hot item has a long stream.

interface SavedReservation extends Omit<Reservation, 'references'> {
  readonly references: readonly string[]
}

interface Saved extends Pick<StockItem, 'onHand' | 'reserved' | 'forgottenUpTo'> {
  readonly open: readonly [string, SavedReservation][]
  readonly ended: [string, string][]
  readonly refused: [string, true][]
  readonly references: SavedReferences
}

/** A look at the outside is enough, and does not take longer than the events would. */
function isSaved(value: unknown): value is Saved {
  return typeof value === 'object' && value !== null && 'open' in value && Array.isArray(value.open)
}

const snapshot: SnapshotFormat<StockItem> = {
  version: 1,
  every: 1_000,
  entries: ({ open, ended, refused }) => open.size + ended.byKey.size + refused.byKey.size,
  save: (item): Saved => ({
    ...item,
    open: item.open.map((reservation) => ({ ...reservation, references: reservation.references.toArray() })).toArray(),
    ended: entriesOf(item.ended),
    refused: entriesOf(item.refused),
    references: saveReferences(item.references),
  }),
  load(saved) {
    if (!isSaved(saved)) throw new TypeError('This is no snapshot of a stock item')
    return {
      ...saved,
      open: PersistentMap(saved.open).map((open) => ({ ...open, references: PersistentSet(open.references) })),
      ended: newest(endedBound, saved.ended),
      refused: newest(refusedBound, saved.refused),
      references: loadReferences(saved.references),
    }
  },
}

export const stockItem = decider({
  events: stockItemEvents,
  commands: stockItemCommands,
  initial,
  evolve,
  decide: {
    ReceiveStock: receive,
    AdjustStock: adjust,
    ReserveStock: reserve,
    ReleaseReservation: release,
    CommitReservation: commit,
  },
  snapshot,
})
