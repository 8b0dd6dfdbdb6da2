import { z } from 'zod'
import { personal } from '../../engine/personal-data.ts'
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
  TaxRate,
  Title,
} from '../values.ts'

/** What is ordered, with every amount as it was on that day: nothing is ever computed again. */

/** Tax of each piece, split so that the pieces sum up to the line exactly: how many pieces carry how much. */
const UnitTaxes = z
  .array(
    z.object({
      units: Quantity,
      tax: Amount.meta({ description: 'Tax in the price of each of these pieces', example: 399 }),
    }),
  )
  .max(2)
  .meta({ description: 'Tax of each piece, which sums up to the tax of the line' })

export const OrderLine = z.object({
  lineId: z
    .string()
    .max(64)
    .meta({ description: 'Names the line within the order: its SKU, or a number', example: 'TEAPOT-BLUE' }),
  productId: Id.meta({ description: 'Product', example: 'blue-teapot' }),
  sku: Sku,
  title: Title.meta({ description: 'What it was called when it was ordered', example: 'Blue teapot' }),
  categoryIds: z
    .array(Id)
    .max(200)
    .meta({ description: 'Categories it was in, the outer ones included', example: ['kitchen', 'teapots'] }),
  quantity: Quantity,
  unitPrice: Amount.meta({ description: 'Price of one piece, tax included', example: 2499 }),
  amount: Amount.meta({ description: 'Price of all pieces, tax included', example: 4998 }),
  taxRate: TaxRate,
  tax: Amount.meta({ description: 'Tax included in the amount', example: 798 }),
  unitTaxes: UnitTaxes,
})
export type OrderLine = z.output<typeof OrderLine>

export const OrderShipping = z.object({
  method: z.string().max(100).meta({ description: 'Code of the shipping method', example: 'standard' }),
  title: Title.meta({ description: 'What the method was called', example: 'Standard' }),
  amount: Amount.meta({ description: 'Price, tax included', example: 490 }),
  taxRate: TaxRate,
  tax: Amount.meta({ description: 'Tax included in the amount', example: 78 }),
})
export type OrderShipping = z.output<typeof OrderShipping>

export const OrderTotals = z.object({
  items: Amount.meta({ description: 'Sum of the lines, tax included', example: 4998 }),
  shipping: Amount.meta({ description: 'Price of shipping, tax included', example: 490 }),
  tax: Amount.meta({ description: 'Tax included in the total', example: 876 }),
  total: Amount.meta({ description: 'What is to be paid', example: 5488 }),
})
export type OrderTotals = z.output<typeof OrderTotals>

/** Everything that an order is about, as the cart decided it. */
export const orderContents = {
  customerId: Id.meta({ description: 'Who buys', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  buyer: Buyer,
  currency: Currency,
  language: Language,
  country: Country,
  email: personal(EmailAddress),
  shippingAddress: personal(Address),
  lines: z.array(OrderLine).min(1).max(1_500).meta({ description: 'Lines of the order' }),
  shipping: OrderShipping.meta({ description: 'How the goods are sent, and what that costs' }),
  totals: OrderTotals.meta({ description: 'Sums over the whole order' }),
}
export const OrderContents = z.object(orderContents)
export type OrderContents = z.output<typeof OrderContents>

/** An order of another system may come without what would name a person: not every system tells it. */
export const importedContents = {
  ...orderContents,
  email: orderContents.email.exactOptional(),
  shippingAddress: orderContents.shippingAddress.exactOptional(),
}
