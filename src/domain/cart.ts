import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { OrderContents } from './order/contents.ts'
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

// Events

export const cartEvents = defineEvents('cart', {
  CartOpened: z.object({ customerId: CustomerId, buyer: Buyer, currency: Currency, language: Language }),
  /** A line is known by its SKU. Title and price are for display; checking out looks them up again. */
  CartLineAdded: z.object({ sku: Sku, productId: Id, title: Title, unitPrice: Amount, quantity: Quantity }),
  CartLineQuantityChanged: z.object({ sku: Sku, quantity: Quantity }),
  CartLineRemoved: z.object({ sku: Sku }),
  CartAddressSet: z.object({ country: Country, email: personal(EmailAddress), shippingAddress: personal(Address) }),
  CartShippingChosen: z.object({ method: ShippingMethod, title: Title, amount: Amount }),
  CartCheckedOut: z.object({ orderId: Id, order: OrderContents }),
})
export type CartEvent = EventOf<typeof cartEvents>

// Commands

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
}
