import { expect, test } from 'vitest'
import { taxRatesEvents } from '../../src/domain/tax-rates.ts'
import { taxRateQueries, taxRates } from '../../src/projections/tax-rates.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'

const { given } = readModel(taxRates)
const [listTaxRates, getTaxRates] = taxRateQueries

const germany = happenings(taxRatesEvents, 'DE')
const austria = happenings(taxRatesEvents, 'AT')
const shop = given(
  germany('TaxRateSet', { taxCategory: 'standard', rate: 1_600 }),
  germany('TaxRateSet', { taxCategory: 'reduced', rate: 700 }),
  austria('TaxRateSet', { taxCategory: 'standard', rate: 2_000 }),
  germany('TaxRateSet', { taxCategory: 'standard', rate: 1_900 }),
)
const inAustria = { country: 'AT', rates: { standard: 2_000 }, revision: 0 }
const inGermany = { country: 'DE', rates: { standard: 1_900, reduced: 700 }, revision: 2 }
const principal = asStaff('catalogue')

test('each country has its latest rates', async () => {
  await shop.expect({ 'tax-rates': { AT: inAustria, DE: inGermany } })
})

test('staff read them', async () => {
  expect(await shop.ask(listTaxRates, {}, { principal })).toMatchObject({ items: [inAustria, inGermany] })
  expect(await shop.ask(getTaxRates, { country: 'DE' }, { principal })).toEqual(inGermany)
  expect(await shop.ask(getTaxRates, { country: 'FR' }, { principal })).toBeUndefined()
  await expect(shop.ask(listTaxRates)).rejects.toThrow('unauthenticated')
})
