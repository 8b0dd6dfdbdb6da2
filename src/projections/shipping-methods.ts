import { z } from 'zod'
import { inLanguage } from '../domain/language.ts'
import { shippingMethodEvents } from '../domain/shipping-method.ts'
import { Amount, Country, Currency, Title } from '../domain/values.ts'
import { anyone, staff } from '../engine/access.ts'
import { collection, projection } from '../engine/projection.ts'
import { pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'
import { AskedLanguage } from './categories.ts'

/** The ways to send goods that are offered. */

const ShippingMethod = z.object({
  id: z.string().meta({ description: 'Code of the method', example: 'standard' }),
  ...shippingMethodEvents.schemas.ShippingMethodOffered.shape,
  revision: z.int().min(0).meta({ description: 'Revision of the method, for `If-Match`', example: 0 }),
})

const shippingMethodDocuments = collection('shipping-methods', ShippingMethod, { byCode: [] })

export const shippingMethods = projection({
  name: 'shipping-methods',
  version: 1,
  collections: [shippingMethodDocuments],
  from: [shippingMethodEvents],
  on: {
    ShippingMethodOffered: ({ stream, data, revision }) =>
      shippingMethodDocuments.change(idOf(stream), () => ({ id: idOf(stream), ...data, revision })),
    ShippingMethodWithdrawn: ({ stream }) => shippingMethodDocuments.change(idOf(stream), () => undefined),
  },
})

const listShippingMethods = pageQuery({
  name: 'listShippingMethods',
  route: 'GET /v1/shipping-methods',
  summary: 'List the ways to send goods to a country, with their prices in a currency',
  who: anyone(),
  from: shippingMethods,
  of: shippingMethodDocuments,
  parameters: z.object({ country: Country, currency: Currency, language: AskedLanguage }),
  item: ShippingMethod.pick({ id: true }).extend({
    title: Title.meta({ description: 'Title in the language', example: 'Standard' }),
    currency: Currency,
    price: Amount.meta({ description: 'Price of a shipment, tax included', example: 490 }),
  }),
  find: () => ({ index: 'byCode' }),
  show: (found, { parameters: { country, currency, language } }) =>
    found.map(({ id, titles, prices, countries }) => {
      const price = prices[currency]
      if (price === undefined || (countries.length > 0 && !countries.includes(country))) return undefined
      return { id, title: inLanguage(titles, language) ?? id, currency, price }
    }),
})

const listOfferedShippingMethods = pageQuery({
  name: 'listOfferedShippingMethods',
  route: 'GET /v1/admin/shipping-methods',
  summary: 'List the ways to send goods with all their terms',
  who: staff('catalogue'),
  from: shippingMethods,
  of: shippingMethodDocuments,
  parameters: z.object({}),
  item: ShippingMethod,
  find: () => ({ index: 'byCode' }),
  show: (found) => found,
})

export const shippingMethodQueries = [listShippingMethods, listOfferedShippingMethods] as const
