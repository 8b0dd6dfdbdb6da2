import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Country, LocalTitles, Prices, TaxCategory } from './values.ts'

/** A way to send goods, at a flat price. Its id is its code, such as `standard`. */

const Terms = {
  titles: LocalTitles,
  prices: Prices.meta({
    description: 'Price of a shipment by currency, in minor units, tax included',
    example: { EUR: 490 },
  }),
  countries: z
    .array(Country)
    .max(250)
    .meta({ description: 'Where it goes; empty for everywhere', example: ['DE', 'AT'] }),
  taxCategory: TaxCategory,
}

// Events

export const shippingMethodEvents = defineEvents('shippingMethod', {
  ShippingMethodOffered: z.object(Terms),
  ShippingMethodWithdrawn: z.object({}),
})
export type ShippingMethodEvent = EventOf<typeof shippingMethodEvents>

// Commands

export const shippingMethodCommands = {
  OfferShippingMethod: z.strictObject({
    ...Terms,
    countries: Terms.countries.default([]),
    taxCategory: Terms.taxCategory.default('standard'),
  }),
  WithdrawShippingMethod: z.strictObject({}),
}
