import { type Cart, cart } from '../domain/cart/cart.ts'
import { cartCommands } from '../domain/cart/commands.ts'
import { order } from '../domain/order/order.ts'
import { owner, shopper } from '../engine/access.ts'
import { command, outcome } from '../engine/command-definition.ts'
import { derivedId } from '../engine/streams.ts'

const own = owner((state: Cart) => state.customerId, 'orders')
/** The data in a cart is its customer's, also where staff fills it in. */
const personOf = ({ id }: { readonly id: string }, state: Cart) => state.customerId ?? id

export const cartRequests = [
  command({
    name: 'openCart',
    route: 'POST /v1/carts',
    summary: 'Open a cart',
    who: shopper(),
    target: cart,
    type: 'OpenCart',
    body: cartCommands.OpenCart.omit({ customerId: true, buyer: true }),
    creates: { location: '/v1/carts/{cartId}' },
    toData: (body, { principal }) => ({
      ...body,
      customerId: principal.id,
      buyer: principal.kind === 'customer' ? ('member' as const) : ('guest' as const),
    }),
  }),
  command({
    name: 'addCartLine',
    route: 'POST /v1/carts/{cartId}/lines',
    summary: 'Put something into a cart',
    description: 'Adds to the quantity if it is in the cart already.',
    who: own,
    target: cart,
    type: 'AddCartLine',
  }),
  command({
    name: 'changeCartLineQuantity',
    route: 'POST /v1/carts/{cartId}/quantity',
    summary: 'Change how many pieces of something are in a cart',
    who: own,
    target: cart,
    type: 'ChangeCartLineQuantity',
  }),
  command({
    name: 'removeCartLine',
    route: 'POST /v1/carts/{cartId}/remove-line',
    summary: 'Take something out of a cart',
    who: own,
    target: cart,
    type: 'RemoveCartLine',
  }),
  command({
    name: 'setCartAddress',
    route: 'POST /v1/carts/{cartId}/address',
    summary: 'Say where the goods go, and where to write to',
    who: own,
    target: cart,
    type: 'SetCartAddress',
    personOf,
  }),
  command({
    name: 'chooseCartShipping',
    route: 'POST /v1/carts/{cartId}/shipping',
    summary: 'Choose how the goods are sent',
    who: own,
    target: cart,
    type: 'ChooseCartShipping',
  }),
  command({
    name: 'checkOut',
    route: 'POST /v1/carts/{cartId}/checkout',
    summary: 'Place the order',
    description:
      'Fixes all prices and taxes as they are now and places the order, whose id the cart tells. Stock is reserved next, then the order waits for its payment. With `Prefer: wait=5` the answer comes when the stock is reserved or refused.',
    who: own,
    target: cart,
    type: 'CheckOut',
    keyRequired: true,
    startsWork: true,
    outcome: outcome({
      of: order,
      idOf: (cartId) => derivedId('order', cartId),
      isReached: ({ status, stockSecured }) => status !== 'none' && (status !== 'pending' || stockSecured),
    }),
  }),
]
