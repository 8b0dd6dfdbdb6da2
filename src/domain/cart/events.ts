import { z } from 'zod'
import { defineEvents, type EventOf } from '../../engine/events.ts'
import { personal } from '../../engine/personal-data.ts'
import { OrderContents } from '../order/contents.ts'
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
} from '../values.ts'

export const CustomerId = Id.meta({ description: 'Whose cart it is', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' })
export const ShippingMethod = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'Code of a shipping method', example: 'standard' })

const Skus = z.array(Sku).max(200)
export const FromRevision = z.int().min(0).meta({ description: "Revision of the guest's cart then", example: 4 })

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

export type DataOf<Type extends CartEvent['type']> = Extract<CartEvent, { type: Type }>['data']
