import { stockItem, stockItemCommands } from '../domain/stock-item.ts'
import { Id } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'

/** Reservations of orders have colons in their ids: they end with the order alone, and nobody else can name them. */
const ReservationId = Id.meta({ description: 'Names the reservation', example: 'exhibition-2026' })

export const stockItemRequests = [
  command({
    name: 'receiveStock',
    route: 'POST /v1/stock-items/{sku}/receive',
    summary: 'Receive goods into stock',
    description: 'The same reference again is the same delivery and changes nothing.',
    who: staff('stock'),
    target: stockItem,
    type: 'ReceiveStock',
    keyRequired: true,
  }),
  command({
    name: 'adjustStock',
    route: 'POST /v1/stock-items/{sku}/adjust',
    summary: 'Correct the stock after counting',
    description: 'The same reference again is the same correction and changes nothing.',
    who: staff('stock'),
    target: stockItem,
    type: 'AdjustStock',
    keyRequired: true,
  }),
  command({
    name: 'reserveStock',
    route: 'POST /v1/stock-items/{sku}/reserve',
    summary: 'Reserve stock for something outside the shop',
    description: 'Orders of the shop reserve by themselves. The same reservation again changes nothing.',
    who: staff('stock'),
    target: stockItem,
    type: 'ReserveStock',
    body: stockItemCommands.ReserveStock.extend({ reservationId: ReservationId }),
    keyRequired: true,
  }),
  command({
    name: 'releaseReservation',
    route: 'POST /v1/stock-items/{sku}/release',
    summary: 'Release a reservation',
    who: staff('stock'),
    target: stockItem,
    type: 'ReleaseReservation',
    body: stockItemCommands.ReleaseReservation.extend({ reservationId: ReservationId }),
    keyRequired: true,
  }),
  command({
    name: 'commitReservation',
    route: 'POST /v1/stock-items/{sku}/commit',
    summary: 'Take reserved pieces out of the house',
    who: staff('stock'),
    target: stockItem,
    type: 'CommitReservation',
    body: stockItemCommands.CommitReservation.extend({ reservationId: ReservationId }),
    keyRequired: true,
  }),
]
