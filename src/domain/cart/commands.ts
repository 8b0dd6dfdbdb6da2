import { z } from 'zod'
import { personal } from '../../engine/personal-data.ts'
import { Address, Amount, Buyer, Country, Currency, EmailAddress, Id, Language, Quantity, Sku } from '../values.ts'
import { CustomerId, cartEvents, FromRevision, ShippingMethod } from './events.ts'

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

export type Command<Type extends keyof typeof cartCommands> = z.output<(typeof cartCommands)[Type]>
