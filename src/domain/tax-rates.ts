import { Map as PersistentMap } from 'immutable'
import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Country, TaxCategory, TaxRate } from './values.ts'

/** The tax rates of one country, whose code is its id. Prices include tax. A country or category without a rate is not taxed. */

// Events

export const taxRatesEvents = defineEvents('taxRates', {
  TaxRateSet: z.object({ taxCategory: TaxCategory, rate: TaxRate }),
})
export type TaxRatesEvent = EventOf<typeof taxRatesEvents>

// State

export interface TaxRates {
  /** By tax category, in hundredths of a percent. */
  readonly rates: PersistentMap<string, number>
}

const initial: TaxRates = { rates: PersistentMap() }

function evolve({ rates }: TaxRates, event: TaxRatesEvent): TaxRates {
  switch (event.type) {
    case 'TaxRateSet':
      return { rates: rates.set(event.data.taxCategory, event.data.rate) }
  }
}

// Commands

const taxRatesCommands = {
  SetTaxRate: z.strictObject({ taxCategory: TaxCategory, rate: TaxRate }),
}

// Decisions

const maxCategories = 100

function setRate(
  { taxCategory, rate }: z.output<typeof taxRatesCommands.SetTaxRate>,
  { rates }: TaxRates,
  { id }: { id: string },
): TaxRatesEvent[] {
  if (!Country.safeParse(id).success) throw notFound('country', id)
  if (rates.get(taxCategory) === rate) return []
  if (!rates.has(taxCategory) && rates.size >= maxCategories) {
    throw reject('too-many-tax-categories', `A country has ${maxCategories} tax categories at most. Use one of them.`)
  }
  return [{ type: 'TaxRateSet', data: { taxCategory, rate } }]
}

export const taxRates = decider({
  events: taxRatesEvents,
  commands: taxRatesCommands,
  initial,
  evolve,
  decide: { SetTaxRate: setRate },
})
