import { notFound, type Rejection, reject } from '../../engine/errors.ts'
import type { CartEvent, DataOf } from './events.ts'

export interface Cart {
  readonly status: 'none' | 'open' | 'checked-out' | 'merged'
  readonly customerId?: string
  /** What it was opened with. */
  readonly terms?: DataOf<'CartOpened'>
  readonly lines: readonly DataOf<'CartLineAdded'>[]
  readonly address?: DataOf<'CartAddressSet'>
  readonly shipping?: DataOf<'CartShippingChosen'>
  /** The latest carts of guests that were brought into this one, the last one last. */
  readonly merged?: readonly DataOf<'GuestCartMerged'>[]
}

export const initial: Cart = { status: 'none', lines: [] }

export function evolve(cart: Cart, event: CartEvent): Cart {
  switch (event.type) {
    case 'CartOpened':
      return { ...cart, status: 'open', customerId: event.data.customerId, terms: event.data }
    case 'CartLineAdded':
      return { ...cart, lines: withLine(cart.lines, event.data) }
    case 'CartLineQuantityChanged': {
      const { sku, quantity } = event.data
      return { ...cart, lines: cart.lines.map((line) => (line.sku === sku ? { ...line, quantity } : line)) }
    }
    case 'CartLineRemoved':
      return { ...cart, lines: cart.lines.filter(({ sku }) => sku !== event.data.sku) }
    case 'CartAddressSet': {
      const { shipping, ...rest } = cart
      const isSameCountry = cart.address?.country === event.data.country
      return { ...rest, address: event.data, ...(isSameCountry && shipping && { shipping }) }
    }
    case 'CartShippingChosen':
      return { ...cart, shipping: event.data }
    case 'CartCheckedOut':
      return { ...cart, status: 'checked-out' }
    case 'CartHandedOver':
      return handedOver(cart, event.data)
    case 'GuestCartMerged':
      return { ...cart, merged: [...(cart.merged ?? []), event.data].slice(-rememberedMerges) }
    case 'CartMerged':
      return { ...cart, status: 'merged', lines: [] }
  }
}

function handedOver(cart: Cart, { customerId, buyer, ...person }: DataOf<'CartHandedOver'>): Cart {
  const { terms, address } = cart
  return {
    ...cart,
    customerId,
    ...(terms && { terms: { ...terms, customerId, buyer } }),
    ...(address && { address: { ...address, ...person } }),
  }
}

function withLine(lines: Cart['lines'], added: DataOf<'CartLineAdded'>): Cart['lines'] {
  const known = lines.find(({ sku }) => sku === added.sku)
  if (known === undefined) return [...lines, added]
  const grown = { ...added, quantity: known.quantity + added.quantity }
  return lines.map((line) => (line === known ? grown : line))
}

/** Most lines of a cart. */
export const maxLines = 200
/** A guest has few carts; one that was merged is closed, and never offered again but by a retry. */
const rememberedMerges = 20

function checkedOut(): Rejection {
  return reject('cart-checked-out', 'This cart has been checked out and cannot be changed. Open a new one.')
}

/** What the cart was opened with. @throws Rejection when it was not, or has been checked out */
export function openTerms({ status, terms }: Cart, id: string): DataOf<'CartOpened'> {
  if (terms === undefined) throw notFound('cart', id)
  if (status === 'checked-out') throw checkedOut()
  if (status === 'merged') {
    throw reject('cart-merged', "This guest's cart has gone into one of the customer. Go on with that one.")
  }
  return terms
}
