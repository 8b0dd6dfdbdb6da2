import type { z } from 'zod'
import type { Context } from '../../engine/decider.ts'
import { notFound, reject } from '../../engine/errors.ts'
import { isSame } from '../sameness.ts'
import type { orderCommands } from './commands.ts'
import type { OrderEvent } from './events.ts'
import { sumByLine } from './selection.ts'
import { evolve, isComplete, isEnded, leftOf, type Order, paymentStateOf, type Shipment, termsOf } from './state.ts'

/** How an order leaves the house, arrives, and is done. */

type Command<Type extends keyof typeof orderCommands> = z.output<(typeof orderCommands)[Type]>

const maxShipments = 1_000

/** These events, and the order's completion if they make it complete. */
export function completed(order: Order, events: readonly OrderEvent[]): OrderEvent[] {
  return isComplete(events.reduce(evolve, order)) ? [...events, { type: 'OrderCompleted', data: {} }] : [...events]
}

/** The same shipment asked for again; where no lines are named, whatever was left then is in it. */
function isSameShipment({ lines, carrier, trackingCode }: Command<'ShipOrder'>, known: Shipment): boolean {
  const isSameContent =
    lines === undefined || isSame(Object.fromEntries(sumByLine(lines)), Object.fromEntries(sumByLine(known.lines)))
  return isSameContent && known.carrier === carrier && known.trackingCode === trackingCode
}

function everythingLeft(order: Order): Shipment['lines'] {
  const lines = [...order.lines.values()]
    .map((line) => ({ lineId: line.line.lineId, quantity: leftOf(line) }))
    .filter(({ quantity }) => quantity > 0)
  if (lines.length === 0) throw reject('nothing-to-ship', 'Nothing of this order is left to be shipped.')
  return lines
}

/** @throws Rejection `line-not-found`, `too-many-shipped` */
function selected(order: Order, selection: Shipment['lines']): Shipment['lines'] {
  return Array.from(sumByLine(selection), ([lineId, quantity]) => {
    const line = order.lines.get(lineId)
    if (line === undefined) throw reject('line-not-found', 'The order has no such line.', { lineId })
    const left = leftOf(line)
    if (quantity > left) {
      throw reject('too-many-shipped', `Of line ${lineId} only ${left} pieces are left to be shipped.`, {
        lineId,
        left,
      })
    }
    return { lineId, quantity }
  })
}

export function ship(command: Command<'ShipOrder'>, order: Order, { id }: Context): OrderEvent[] {
  termsOf(order, id)
  const { shipmentId, lines } = command
  const known = order.shipments.get(shipmentId)
  if (known !== undefined) {
    if (isSameShipment(command, known)) return []
    throw reject('shipment-exists', 'The order has another shipment with this id. Use a new one.', { shipmentId })
  }
  if (isEnded(order)) throw reject('order-ended', `This order is ${order.status}, so nothing of it can be shipped.`)
  if (order.status === 'pending') {
    throw reject('order-not-confirmed', 'This order is not confirmed yet. Ship it when its payment is authorised.')
  }
  if (paymentStateOf(order) === 'not-paid') {
    throw reject('order-not-paid', 'The payment of this order could not be taken. Let it be paid again, or cancel it.')
  }
  if (order.shipments.size >= maxShipments) {
    throw reject('too-many-shipments', `An order has ${maxShipments} shipments at most. Ship the rest together.`)
  }
  const shipped = lines === undefined ? everythingLeft(order) : selected(order, lines)
  return [{ type: 'OrderShipped', data: { ...command, lines: shipped } }]
}

export function deliver({ shipmentId }: Command<'DeliverShipment'>, order: Order, { id }: Context): OrderEvent[] {
  termsOf(order, id)
  const shipment = order.shipments.get(shipmentId)
  if (shipment === undefined) throw notFound('shipment', shipmentId)
  return shipment.isDelivered ? [] : completed(order, [{ type: 'OrderDelivered', data: { shipmentId } }])
}
