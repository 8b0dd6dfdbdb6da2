import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { notFound } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { isSame } from './sameness.ts'
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

// State

export interface ShippingMethod extends z.output<typeof shippingMethodEvents.schemas.ShippingMethodOffered> {
  readonly status: 'none' | 'offered' | 'withdrawn'
}

const initial: ShippingMethod = { status: 'none', titles: {}, prices: {}, countries: [], taxCategory: 'standard' }

function evolve(method: ShippingMethod, event: ShippingMethodEvent): ShippingMethod {
  switch (event.type) {
    case 'ShippingMethodOffered':
      return { ...event.data, status: 'offered' }
    case 'ShippingMethodWithdrawn':
      return { ...method, status: 'withdrawn' }
  }
}

// Commands

export const shippingMethodCommands = {
  OfferShippingMethod: z.strictObject({
    ...Terms,
    countries: Terms.countries.default([]),
    taxCategory: Terms.taxCategory.default('standard'),
  }),
  WithdrawShippingMethod: z.strictObject({}),
}

// Decisions

type Command<Type extends keyof typeof shippingMethodCommands> = z.output<(typeof shippingMethodCommands)[Type]>

/** Offered again with other terms, those take the place of the old ones; also of a method that was withdrawn. */
function offer(terms: Command<'OfferShippingMethod'>, { status, ...present }: ShippingMethod): ShippingMethodEvent[] {
  if (status === 'offered' && isSame(terms, present)) return []
  return [{ type: 'ShippingMethodOffered', data: terms }]
}

function withdraw(_command: object, { status }: ShippingMethod, { id }: { id: string }): ShippingMethodEvent[] {
  if (status === 'none') throw notFound('shipping-method', id)
  return status === 'withdrawn' ? [] : [{ type: 'ShippingMethodWithdrawn', data: {} }]
}

export const shippingMethod = decider({
  events: shippingMethodEvents,
  commands: shippingMethodCommands,
  initial,
  evolve,
  decide: { OfferShippingMethod: offer, WithdrawShippingMethod: withdraw },
})
