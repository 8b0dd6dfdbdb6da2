import { z } from 'zod'
import { type Context, decider, fact, withFacts } from '../engine/decider.ts'
import { notFound, type Rejection, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { derivedId } from '../engine/streams.ts'
import { mergedLines } from './cart-merge.ts'
import { offerOf, shippingOf, shippingProblem } from './offer.ts'
import { OrderContents, type OrderLine, type OrderShipping } from './order/contents.ts'
import { includedTax, priceLine, totalsOf } from './pricing.ts'
import { type Product, product } from './product.ts'
import { isSame } from './sameness.ts'
import { type ShippingMethod as Method, shippingMethod } from './shipping-method.ts'
import { type TaxRates, taxRates } from './tax-rates.ts'
import {
  Address,
  Amount,
  Buyer,
  Country,
  Currency,
  EmailAddress,
  Id,
  Language,
  Quantity,
  Sku,
  Title,
} from './values.ts'

/** What somebody means to buy. Checking out decides the order, which takes its id from the cart. */

const CustomerId = Id.meta({ description: 'Whose cart it is', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' })
const ShippingMethod = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'Code of a shipping method', example: 'standard' })

const Skus = z.array(Sku).max(200)
const FromRevision = z.int().min(0).meta({ description: "Revision of the guest's cart then", example: 4 })

// Events

export const cartEvents = defineEvents('cart', {
  CartOpened: z.object({ customerId: CustomerId, buyer: Buyer, currency: Currency, language: Language }),
  /** A line is known by its SKU, and grows by these pieces if it is there. Title and price are for display; checking out looks them up again. */
  CartLineAdded: z.object({ sku: Sku, productId: Id, title: Title, unitPrice: Amount, quantity: Quantity }),
  CartLineQuantityChanged: z.object({ sku: Sku, quantity: Quantity }),
  CartLineRemoved: z.object({ sku: Sku }),
  /** Another country than before drops the choice of shipping; if the method goes there, too, it is chosen again. */
  CartAddressSet: z.object({ country: Country, email: personal(EmailAddress), shippingAddress: personal(Address) }),
  CartShippingChosen: z.object({ method: ShippingMethod, title: Title, amount: Amount }),
  CartCheckedOut: z.object({
    orderId: Id,
    order: OrderContents.meta({ description: 'All that the order is made of' }),
  }),
  /** The guest has logged in, and had no such cart as a customer: from now on it is the customer's. What is personal is sealed anew. */
  CartHandedOver: z.object({
    customerId: CustomerId,
    buyer: Buyer,
    email: personal(EmailAddress),
    shippingAddress: personal(Address),
  }),
  /** The lines of a guest's cart were brought into this one; what that changed stands in the events before it. */
  GuestCartMerged: z.object({
    fromCartId: Id.meta({ description: "The guest's cart", example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' }),
    fromRevision: FromRevision,
    added: Skus.meta({ description: 'SKUs that are new in this cart', example: ['TEAPOT-BLUE'] }),
    raised: Skus.meta({ description: 'SKUs of which it has more than before', example: [] }),
    left: Skus.meta({ description: 'SKUs that found no place', example: [] }),
  }),
  /** This cart of a guest has gone into one of the customer who the guest is. */
  CartMerged: z.object({
    intoCartId: Id.meta({ description: 'Where its lines are', example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b89' }),
  }),
})
export type CartEvent = EventOf<typeof cartEvents>

// State

type DataOf<Type extends CartEvent['type']> = Extract<CartEvent, { type: Type }>['data']

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

const initial: Cart = { status: 'none', lines: [] }

function evolve(cart: Cart, event: CartEvent): Cart {
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

/** A guest has few carts; one that was merged is closed, and never offered again but by a retry. */
const rememberedMerges = 20

// Commands

const GuestCart = Id.meta({ description: "The guest's cart", example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' })

export const cartCommands = {
  OpenCart: z.strictObject({
    customerId: CustomerId,
    buyer: Buyer,
    currency: Currency,
    language: Language.default('en'),
  }),
  /** Adds to the line if there is one. */
  AddCartLine: z.strictObject({ productId: Id, sku: Sku, quantity: Quantity }),
  ChangeCartLineQuantity: z.strictObject({ sku: Sku, quantity: Quantity }),
  RemoveCartLine: z.strictObject({ sku: Sku }),
  SetCartAddress: z.strictObject({
    country: Country,
    email: personal(EmailAddress),
    shippingAddress: personal(Address),
  }),
  ChooseCartShipping: z.strictObject({ method: ShippingMethod }),
  CheckOut: z.strictObject({
    expectedTotal: Amount.exactOptional().meta({
      description: 'Refuse if the total is not this any more',
      example: 5488,
    }),
  }),
  /** Asked for by the log-in alone; address and shipping are taken where the cart has none. */
  MergeGuestCart: z.strictObject({
    fromCartId: GuestCart,
    fromRevision: FromRevision,
    lines: z.array(cartEvents.schemas.CartLineAdded).max(200),
    address: cartEvents.schemas.CartAddressSet.exactOptional(),
    shipping: cartEvents.schemas.CartShippingChosen.exactOptional(),
  }),
  HandOverCart: z.strictObject({
    fromCustomerId: CustomerId,
    customerId: CustomerId,
    email: personal(EmailAddress),
    shippingAddress: personal(Address),
  }),
  CloseMergedCart: z.strictObject({ fromCustomerId: CustomerId, intoCartId: GuestCart }),
}

type Command<Type extends keyof typeof cartCommands> = z.output<(typeof cartCommands)[Type]>

// Decisions

const maxLines = 200

function checkedOut(): Rejection {
  return reject('cart-checked-out', 'This cart has been checked out and cannot be changed. Open a new one.')
}

/** What the cart was opened with. @throws Rejection when it was not, or has been checked out */
function openTerms({ status, terms }: Cart, id: string): DataOf<'CartOpened'> {
  if (terms === undefined) throw notFound('cart', id)
  if (status === 'checked-out') throw checkedOut()
  if (status === 'merged') {
    throw reject('cart-merged', "This guest's cart has gone into one of the customer. Go on with that one.")
  }
  return terms
}

function open(command: Command<'OpenCart'>, cart: Cart, { id }: Context): CartEvent[] {
  if (cart.terms === undefined) return [{ type: 'CartOpened', data: command }]
  openTerms(cart, id)
  if (isSame(command, cart.terms)) return []
  throw reject('cart-exists', 'A cart with this id was opened with other content. Open one with another id.')
}

/** @throws Rejection for what no order could hold */
function checkLineAmount(unitPrice: number, quantity: number, sku: string): void {
  if (!Amount.safeParse(unitPrice * quantity).success) {
    throw reject('total-too-large', 'That is more than one order can be for. Take fewer pieces.', { sku })
  }
}

const addLine = withFacts(
  ({ productId }: Command<'AddCartLine'>) => ({ product: fact(product, productId) }),
  ({ productId, sku, quantity }, cart: Cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    const offer = offerOf(facts.product, productId, sku, terms)
    const known = cart.lines.find((line) => line.sku === sku)
    if (known === undefined && cart.lines.length >= maxLines) {
      throw reject('cart-full', `A cart has ${maxLines} lines at most. Check out, and open another.`, { maxLines })
    }
    if (known !== undefined && known.productId !== productId) {
      throw reject('sku-of-another-product', 'The cart has this SKU of another product. Remove that line first.', {
        sku,
        productId: known.productId,
      })
    }
    if (!Quantity.safeParse((known?.quantity ?? 0) + quantity).success) {
      throw reject('quantity-too-large', `A line has ${Quantity.maxValue} pieces at most.`, { sku })
    }
    checkLineAmount(offer.unitPrice, (known?.quantity ?? 0) + quantity, sku)
    return [{ type: 'CartLineAdded', data: { sku, productId, ...offer, quantity } }]
  },
)

function changeQuantity(command: Command<'ChangeCartLineQuantity'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const line = cart.lines.find(({ sku }) => sku === command.sku)
  if (line === undefined) throw notFound('line', command.sku)
  checkLineAmount(line.unitPrice, command.quantity, command.sku)
  return line.quantity === command.quantity ? [] : [{ type: 'CartLineQuantityChanged', data: command }]
}

function removeLine({ sku }: Command<'RemoveCartLine'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  return cart.lines.some((line) => line.sku === sku) ? [{ type: 'CartLineRemoved', data: { sku } }] : []
}

function chosenMethod({ shipping }: Cart) {
  return { methods: shipping ? [fact(shippingMethod, shipping.method)] : [] }
}

const setAddress = withFacts(
  (_command: Command<'SetCartAddress'>, cart: Cart) => chosenMethod(cart),
  (command, cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    if (isSame(command, cart.address)) return []
    const set: CartEvent = { type: 'CartAddressSet', data: command }
    const [method] = facts.methods
    if (!cart.shipping || !method || cart.address?.country === command.country) return [set]
    const code = cart.shipping.method
    if (shippingProblem(method, code, terms.currency, command.country)) return [set]
    return [set, { type: 'CartShippingChosen', data: shippingOf(method, code, terms, command.country) }]
  },
)

const chooseShipping = withFacts(
  ({ method }: Command<'ChooseCartShipping'>) => ({ method: fact(shippingMethod, method) }),
  (command, cart: Cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    const chosen = shippingOf(facts.method, command.method, terms, cart.address?.country)
    return isSame(chosen, cart.shipping) ? [] : [{ type: 'CartShippingChosen', data: chosen }]
  },
)

function orderLine(
  { productId, sku, quantity }: Cart['lines'][number],
  sold: Product,
  rates: TaxRates,
  terms: DataOf<'CartOpened'>,
): OrderLine {
  const { title, unitPrice } = offerOf(sold, productId, sku, terms)
  const taxRate = rates.rates.get(sold.taxCategory) ?? 0
  return {
    lineId: sku,
    productId,
    sku,
    title,
    categoryIds: [...sold.allCategoryIds],
    quantity,
    unitPrice,
    taxRate,
    ...priceLine({ unitPrice, quantity, taxRate }),
  }
}

function orderShipping(method: Method, rates: TaxRates, chosen: DataOf<'CartShippingChosen'>): OrderShipping {
  const taxRate = rates.rates.get(method.taxCategory) ?? 0
  return { ...chosen, taxRate, tax: includedTax(chosen.amount, taxRate) }
}

/** Looks everything up again: what counts is what things cost now. */
const checkOut = withFacts(
  (_command: Command<'CheckOut'>, cart: Cart) => ({
    products: cart.lines.map(({ productId }) => fact(product, productId)),
    rates: cart.address ? [fact(taxRates, cart.address.country)] : [],
    ...chosenMethod(cart),
  }),
  ({ expectedTotal }, cart, { id, facts }): CartEvent[] => {
    if (cart.status === 'checked-out') return []
    const terms = openTerms(cart, id)
    const { address, shipping: chosen } = cart
    const [rates] = facts.rates
    const [method] = facts.methods
    if (cart.lines.length === 0) throw reject('cart-empty', 'Put something into the cart before you check out.')
    if (!address || !rates) throw reject('address-missing', 'Say where the goods go before you check out.')
    if (!chosen || !method) throw reject('shipping-missing', 'Choose how the goods are sent before you check out.')
    const lines = cart.lines.flatMap((line, place) => {
      const sold = facts.products[place]
      return sold ? [orderLine(line, sold, rates, terms)] : []
    })
    const shipping = orderShipping(method, rates, shippingOf(method, chosen.method, terms, address.country))
    const totals = totalsOf(lines, shipping)
    if (expectedTotal !== undefined && expectedTotal !== totals.total) {
      throw reject('price-changed', 'The total has changed. Show it to the shopper, and check out again.', {
        total: totals.total,
      })
    }
    const order: OrderContents = { ...terms, ...address, lines, shipping, totals }
    return [{ type: 'CartCheckedOut', data: { orderId: derivedId('order', id), order } }]
  },
)

function mergeGuestCart(command: Command<'MergeGuestCart'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const { fromCartId, fromRevision, lines, address, shipping } = command
  // What the guest has changed since then comes along, too.
  if (cart.merged?.some((each) => each.fromCartId === fromCartId && each.fromRevision === fromRevision)) return []
  const { added, raised, left } = mergedLines(cart.lines, lines, maxLines)
  const skus = (some: readonly { readonly sku: string }[]) => some.map(({ sku }) => sku)
  const isAddressTaken = cart.address === undefined && address !== undefined
  return [
    ...added.map((data): CartEvent => ({ type: 'CartLineAdded', data })),
    ...raised.map(({ sku, quantity }): CartEvent => ({ type: 'CartLineQuantityChanged', data: { sku, quantity } })),
    ...(isAddressTaken ? [{ type: 'CartAddressSet', data: address } as const] : []),
    ...(isAddressTaken && shipping ? [{ type: 'CartShippingChosen', data: shipping } as const] : []),
    {
      type: 'GuestCartMerged',
      data: { fromCartId, fromRevision, added: skus(added), raised: skus(raised), left: skus(left) },
    },
  ]
}

function refuseOthers({ customerId }: Cart, fromCustomerId: string, id: string): void {
  if (customerId !== fromCustomerId) throw notFound('cart', id)
}

function handOver(command: Command<'HandOverCart'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const { fromCustomerId, ...data } = command
  if (cart.customerId === data.customerId) return []
  refuseOthers(cart, fromCustomerId, id)
  return [{ type: 'CartHandedOver', data: { ...data, buyer: 'member' } }]
}

function closeMerged(command: Command<'CloseMergedCart'>, cart: Cart, { id }: Context): CartEvent[] {
  if (cart.status === 'merged') return []
  openTerms(cart, id)
  refuseOthers(cart, command.fromCustomerId, id)
  return [{ type: 'CartMerged', data: { intoCartId: command.intoCartId } }]
}

export const cart = decider({
  events: cartEvents,
  commands: cartCommands,
  initial,
  evolve,
  decide: {
    OpenCart: open,
    AddCartLine: addLine,
    ChangeCartLineQuantity: changeQuantity,
    RemoveCartLine: removeLine,
    SetCartAddress: setAddress,
    ChooseCartShipping: chooseShipping,
    CheckOut: checkOut,
    MergeGuestCart: mergeGuestCart,
    HandOverCart: handOver,
    CloseMergedCart: closeMerged,
  },
})
