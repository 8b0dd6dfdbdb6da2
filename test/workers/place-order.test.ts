import { test } from 'vitest'
import { cart } from '../../src/domain/cart/cart.ts'
import { cartEvents } from '../../src/domain/cart/events.ts'
import { order } from '../../src/domain/order/order.ts'
import { reactionsOf } from '../../src/testing/reactions.ts'
import { specification } from '../../src/testing/specification.ts'
import { placeOrder } from '../../src/workers/place-order.ts'
import { placement } from '../projections/order-events.ts'

test('a cart that is checked out places its order, which waits for as long as the shop says', () => {
  const { number: _, cartId: _cart, placedAt: _placed, expiresAt: _expires, ...contents } = placement()
  const checkedOut = specification(cart, cartEvents).event('CartCheckedOut', { orderId: 'order-1', order: contents })
  const decided = checkedOut.data.order
  if (typeof decided !== 'object') throw new Error('The cart decides an order')
  const data = { ...decided, cartId: 'cart-1', expiresAt: '2026-01-15T10:00:00.000Z' }
  reactionsOf(placeOrder({ paymentWindowMs: 1_800_000 }), 'cart-1')
    .given()
    .when(checkedOut)
    .then({ decider: order, target: 'order-1', type: 'PlaceOrder', data })
})
