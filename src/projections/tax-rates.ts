import { z } from 'zod'
import { taxRatesEvents } from '../domain/tax-rates.ts'
import { Country, TaxCategory, TaxRate } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { collection, projection } from '../engine/projection.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** The tax rates of each country. */

const CountryTaxRates = z.object({
  country: Country,
  rates: z.record(TaxCategory, TaxRate).meta({
    description: 'Rates by tax category, in hundredths of a percent; what has none is not taxed',
    example: { standard: 1900, reduced: 700 },
  }),
  revision: z.int().min(0).meta({ description: "Revision of the country's rates, for `If-Match`", example: 1 }),
})

const taxRateDocuments = collection('tax-rates', CountryTaxRates, { byCountry: [] })

export const taxRates = projection({
  name: 'tax-rates',
  version: 1,
  collections: [taxRateDocuments],
  from: [taxRatesEvents],
  on: {
    TaxRateSet: ({ stream, data: { taxCategory, rate }, revision }) => {
      const country = idOf(stream)
      return taxRateDocuments.change(country, (before) => ({
        country,
        rates: { ...before?.rates, [taxCategory]: rate },
        revision,
      }))
    },
  },
})

const listTaxRates = pageQuery({
  name: 'listTaxRates',
  route: 'GET /v1/tax-rates',
  summary: 'List the tax rates of all countries',
  who: staff('catalogue'),
  from: taxRates,
  of: taxRateDocuments,
  parameters: z.object({}),
  item: CountryTaxRates,
  find: () => ({ index: 'byCountry' }),
  show: (found) => found,
})

const getTaxRates = documentQuery({
  name: 'getTaxRates',
  route: 'GET /v1/tax-rates/{country}',
  summary: 'Read the tax rates of a country',
  who: staff('catalogue'),
  from: taxRates,
  of: taxRateDocuments,
  parameters: z.object({ country: Country }),
  id: ({ country }) => country,
})

export const taxRateQueries = [listTaxRates, getTaxRates] as const
