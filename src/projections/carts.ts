import { z } from 'zod'
import { type CartEvent, cartEvents } from '../domain/cart/events.ts'
import { Address, EmailAddress, Id, Timestamp } from '../domain/values.ts'
import { owner, shopper } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import type { Reader } from '../engine/query.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** Carts as their owners see them. Until a cart is checked out its amounts are those of when things were put into it. */

const { CartOpened, CartLineAdded, CartAddressSet, CartShippingChosen, CartCheckedOut } = cartEvents.schemas

const Sum = z.int().min(0)

const CartLine = CartLineAdded.extend({
  amount: Sum.meta({ description: 'Price of all pieces, tax included', example: 4998 }),
})
type CartLine = z.output<typeof CartLine>

export const Cart = z.object({
  id: Id.meta({ description: 'Id of the cart', example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' }),
  ...CartOpened.shape,
  lines: z.array(CartLine).meta({ description: 'Lines in the order in which they were added' }),
  country: CartAddressSet.shape.country.nullable().meta({ description: 'Where it goes; null as yet', example: 'DE' }),
  email: personal(EmailAddress),
  shippingAddress: personal(Address),
  shipping: CartShippingChosen.nullable().meta({
    description: 'How it is sent; null as yet',
    example: { method: 'standard', title: 'Standard', amount: 490 },
  }),
  subtotal: Sum.meta({ description: 'Sum of the lines, tax included', example: 4998 }),
  total: Sum.meta({ description: 'Lines, and shipping as far as it is chosen, tax included', example: 5488 }),
  checkedOut: z.boolean().meta({ description: 'Whether it has become an order', example: false }),
  orderId: CartCheckedOut.shape.orderId.nullable().meta({
    description: 'Order that it has become; null as yet',
    example: null,
  }),
  openedAt: Timestamp.meta({ description: 'When it was opened', example: '2026-01-15T09:30:00.000Z' }),
  changedAt: Timestamp.meta({ description: 'When it was last changed', example: '2026-01-15T09:35:00.000Z' }),
  revision: z.int().min(0).meta({ description: 'Revision of the cart, for `If-Match`', example: 4 }),
})
export type Cart = z.output<typeof Cart>

const openCartsRead = 20

const cartDocuments = collection('carts', Cart, { byCustomer: ['customerId', 'checkedOut', 'openedAt'] })

/** What an event changes of a cart; its sums follow from its lines and shipping. */
function changed(event: Recorded, change: (cart: Cart) => Partial<Cart>): Change {
  const { revision, metadata } = event
  return cartDocuments.update(idOf(event.stream), (before) => {
    const cart = { ...before, ...change(before), changedAt: metadata.occurredAt, revision }
    const subtotal = sum(cart.lines.map(({ amount }) => amount))
    return { ...cart, subtotal, total: sum([subtotal, cart.shipping?.amount ?? 0]) }
  })
}

/** A cart that nobody could pay can hold more than a number can. */
function sum(amounts: readonly number[]): number {
  return Math.min(
    amounts.reduce((total, amount) => total + amount, 0),
    Number.MAX_SAFE_INTEGER,
  )
}

function priced(line: Omit<CartLine, 'amount'>): CartLine {
  return { ...line, amount: Math.min(line.unitPrice * line.quantity, Number.MAX_SAFE_INTEGER) }
}

function opened({ stream, data, revision, metadata }: Recorded<Extract<CartEvent, { type: 'CartOpened' }>>): Change {
  const id = idOf(stream)
  return cartDocuments.change(id, () => ({
    id,
    ...data,
    lines: [],
    country: null,
    email: null,
    shippingAddress: null,
    shipping: null,
    subtotal: 0,
    total: 0,
    checkedOut: false,
    orderId: null,
    openedAt: metadata.occurredAt,
    changedAt: metadata.occurredAt,
    revision,
  }))
}

/** A line of a SKU that the cart has already grows, and takes the title and price of now. */
function withLine(lines: readonly CartLine[], added: Omit<CartLine, 'amount'>): CartLine[] {
  const known = lines.find(({ sku }) => sku === added.sku)
  if (known === undefined) return [...lines, priced(added)]
  return lines.map((line) => (line === known ? priced({ ...added, quantity: known.quantity + added.quantity }) : line))
}

/** The carts of somebody that are open, the newest first, at most 20. */
export async function openCartsOf(reader: Reader, customerId: string): Promise<readonly Cart[]> {
  const find = {
    index: 'byCustomer',
    equals: [customerId, false],
    direction: 'descending',
    limit: openCartsRead,
  } as const
  return (await reader.find(cartDocuments, find)).map(({ body }) => body)
}

export const carts = projection({
  name: 'carts',
  version: 1,
  collections: [cartDocuments],
  from: [cartEvents],
  on: {
    CartOpened: opened,
    CartLineAdded: (event) => changed(event, ({ lines }) => ({ lines: withLine(lines, event.data) })),
    CartLineQuantityChanged: (event) => {
      const { sku, quantity } = event.data
      return changed(event, ({ lines }) => ({
        lines: lines.map((line) => (line.sku === sku ? priced({ ...line, quantity }) : line)),
      }))
    },
    CartLineRemoved: (event) =>
      changed(event, ({ lines }) => ({ lines: lines.filter(({ sku }) => sku !== event.data.sku) })),
    // What was chosen for one country need not be offered for another.
    CartAddressSet: (event) =>
      changed(event, ({ country, shipping }) => ({
        ...event.data,
        shipping: country === event.data.country ? shipping : null,
      })),
    CartShippingChosen: (event) => changed(event, () => ({ shipping: event.data })),
    CartCheckedOut: (event) => {
      const { orderId, order } = event.data
      const { method, title, amount } = order.shipping
      return changed(event, () => ({
        lines: order.lines.map(({ sku, productId, title, unitPrice, quantity, amount }) => ({
          sku,
          productId,
          title,
          unitPrice,
          quantity,
          amount,
        })),
        shipping: { method, title, amount },
        checkedOut: true,
        orderId,
      }))
    },
    CartHandedOver: (event) => changed(event, () => event.data),
    GuestCartMerged: (event) => changed(event, () => ({})),
    CartMerged: ({ stream }) => cartDocuments.change(idOf(stream), () => undefined),
  },
})

const getCart = documentQuery({
  name: 'getCart',
  route: 'GET /v1/carts/{cartId}',
  summary: 'Read a cart',
  who: owner<Cart>(({ customerId }) => customerId, 'orders'),
  from: carts,
  of: cartDocuments,
  parameters: z.object({ cartId: Cart.shape.id }),
  id: ({ cartId }) => cartId,
})

const listOwnCarts = pageQuery({
  name: 'listOwnCarts',
  route: 'GET /v1/carts',
  summary: "List the shopper's own open carts, newest first",
  who: shopper(),
  from: carts,
  of: cartDocuments,
  parameters: z.object({}),
  item: Cart,
  find: ({ principal }) => ({ index: 'byCustomer', equals: [principal.id, false], direction: 'descending' }),
  show: (found) => found,
})

export const cartQueries = [getCart, listOwnCarts] as const
