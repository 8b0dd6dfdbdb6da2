import { cart } from '../domain/cart/cart.ts'
import { cartEvents } from '../domain/cart/events.ts'
import { order } from '../domain/order/order.ts'
import { ask } from '../engine/command.ts'
import { processManager } from '../engine/process-manager.ts'
import { idOf } from '../engine/streams.ts'

export interface PlaceOrderOptions {
  /** How long a placed order waits for its stock and its payment. */
  readonly paymentWindowMs: number
}

/** When a cart has been checked out, place the order that it decided. */
export function placeOrder({ paymentWindowMs }: PlaceOrderOptions) {
  return processManager({
    name: 'place-order',
    of: cart,
    from: [cartEvents],
    route: ({ stream }) => idOf(stream),
    on: {
      CartCheckedOut({ stream, data, metadata }) {
        const expiresAt = new Date(Date.parse(metadata.recordedAt) + paymentWindowMs).toISOString()
        return [ask(order, data.orderId, 'PlaceOrder', { ...data.order, cartId: idOf(stream), expiresAt })]
      },
    },
  })
}
