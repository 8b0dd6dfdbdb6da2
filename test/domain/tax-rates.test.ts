import { test } from 'vitest'
import { taxRates, taxRatesEvents } from '../../src/domain/tax-rates.ts'
import { specification } from '../../src/testing/specification.ts'

const { given, event } = specification(taxRates, taxRatesEvents, { id: 'DE' })
const set = (taxCategory: string, rate: number) => event('TaxRateSet', { taxCategory, rate })

test('a country has a rate for each tax category', () => {
  given()
    .when('SetTaxRate', { taxCategory: 'standard', rate: 1900 })
    .then(set('standard', 1900))
    .when('SetTaxRate', { taxCategory: 'books', rate: 700 })
    .then(set('books', 700))
    .when('SetTaxRate', { taxCategory: 'standard', rate: 1900 })
    .thenNothing()
    .when('SetTaxRate', { taxCategory: 'standard', rate: 1600 })
    .then(set('standard', 1600))
})

test('a rate of zero is a rate', () => {
  given().when('SetTaxRate', { taxCategory: 'constructor', rate: 0 }).then(set('constructor', 0))
})

test('a country has 100 tax categories at most', () => {
  const rates = Array.from({ length: 100 }, (_, number) => set(`c${number}`, 100))
  given(...rates)
    .when('SetTaxRate', { taxCategory: 'standard', rate: 1900 })
    .thenRejected('too-many-tax-categories')
  given(...rates)
    .when('SetTaxRate', { taxCategory: 'c7', rate: 200 })
    .then(set('c7', 200))
})

test('only countries have tax rates', () => {
  given()
    .when('SetTaxRate', { taxCategory: 'standard', rate: 1900 }, { id: 'Germany' })
    .thenRejected('country-not-found', { id: 'Germany' })
})
