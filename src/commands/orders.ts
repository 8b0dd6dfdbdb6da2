import { orderCommands } from '../domain/order/commands.ts'
import { type Order, order } from '../domain/order/order.ts'
import { Id } from '../domain/values.ts'
import { owner, staff } from '../engine/access.ts'
import { command, outcome } from '../engine/command-definition.ts'
import { reject } from '../engine/errors.ts'

const own = owner((state: Order) => state.contents?.customerId, 'orders')
/** The data of an order is its customer's. */
const personOf = ({ id }: { readonly id: string }, state: Order) => state.contents?.customerId ?? id

/** @param gateways names of those that the shop takes payments through */
export function orderPaymentRequests(gateways: readonly string[]) {
  const payOrder = command({
    name: 'payOrder',
    route: 'POST /v1/orders/{orderId}/pay',
    summary: 'Pay an order',
    description:
      'With a token that the gateway gave for the card. With `Prefer: wait=5` the answer comes when the payment has succeeded or failed.',
    who: own,
    target: order,
    type: 'PayOrder',
    body: orderCommands.PayOrder.omit({ paymentId: true }),
    keyRequired: true,
    startsWork: true,
    personOf,
    toData(body, { newId }) {
      if (!gateways.includes(body.gateway)) {
        throw reject('gateway-unknown', 'This shop takes no payments through that gateway.', { gateways })
      }
      return { ...body, paymentId: newId('payment') }
    },
    outcome: outcome({
      of: order,
      idOf: (orderId) => orderId,
      isReached: ({ payments }) => !payments.some((attempt) => attempt.status === 'started'),
    }),
  })
  return [payOrder]
}

export const orderRequests = [
  command({
    name: 'cancelOrder',
    route: 'POST /v1/orders/{orderId}/cancel',
    summary: 'Cancel an order of which nothing has been shipped',
    description: 'What was paid is paid back, and the stock is released.',
    who: own,
    target: order,
    type: 'CancelOrder',
    keyRequired: true,
    startsWork: true,
  }),
  command({
    name: 'shipOrder',
    route: 'POST /v1/orders/{orderId}/ship',
    summary: 'Ship an order, whole or in parts',
    who: staff('orders'),
    target: order,
    type: 'ShipOrder',
    body: orderCommands.ShipOrder.extend({ shipmentId: Id.exactOptional() }),
    keyRequired: true,
    startsWork: true,
    toData: (body, { newId }) => ({ ...body, shipmentId: body.shipmentId ?? newId('shipment') }),
  }),
  command({
    name: 'deliverShipment',
    route: 'POST /v1/orders/{orderId}/deliver',
    summary: 'Record that a shipment has arrived',
    who: staff('orders'),
    target: order,
    type: 'DeliverShipment',
  }),
  command({
    name: 'refundOrder',
    route: 'POST /v1/orders/{orderId}/refund',
    summary: 'Pay an order back, whole or in parts',
    description:
      'Pays back exactly what was paid for these pieces, tax included, through the gateway that took the money. With `Prefer: wait=5` the answer comes when the gateway has paid it back or refused.',
    who: staff('payments'),
    target: order,
    type: 'RefundOrder',
    outcome: outcome({
      of: order,
      idOf: (orderId) => orderId,
      isReached: ({ refunds }) => !refunds.some(({ status }) => status === 'requested'),
    }),
    body: orderCommands.RefundOrder.extend({ refundId: Id.exactOptional() }),
    keyRequired: true,
    startsWork: true,
    toData: (body, { newId }) => ({ ...body, refundId: body.refundId ?? newId('refund') }),
  }),
  command({
    name: 'importOrder',
    route: 'POST /v1/orders/import',
    summary: 'Import an order of another system',
    description: 'As it was placed, paid and shipped there; `Daybook-Occurred-At` says when. It starts no process.',
    who: staff('import'),
    target: order,
    type: 'ImportOrder',
    body: orderCommands.ImportOrder.extend({
      id: Id.meta({ description: 'Id of the order', example: 'online-retail-536365' }),
    }),
    creates: { location: '/v1/orders/{orderId}', id: (body) => body.id },
    keyRequired: true,
    personOf: (_sent, _state, { customerId }) => customerId,
    toData: ({ id: _id, ...order }) => order,
  }),
  command({
    name: 'importRefund',
    route: 'POST /v1/orders/{orderId}/import-refund',
    summary: 'Import a refund that was paid elsewhere',
    who: staff('import'),
    target: order,
    type: 'ImportRefund',
    keyRequired: true,
  }),
]
