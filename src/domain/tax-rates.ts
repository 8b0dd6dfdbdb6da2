import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { TaxCategory, TaxRate } from './values.ts'

/** The tax rates of one country, whose code is its id. Prices include tax. A country or category without a rate is not taxed. */

// Events

export const taxRatesEvents = defineEvents('taxRates', {
  TaxRateSet: z.object({ taxCategory: TaxCategory, rate: TaxRate }),
})
export type TaxRatesEvent = EventOf<typeof taxRatesEvents>

// Commands

export const taxRatesCommands = {
  SetTaxRate: z.strictObject({ taxCategory: TaxCategory, rate: TaxRate }),
}
