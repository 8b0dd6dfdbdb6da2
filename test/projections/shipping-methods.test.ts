import { expect, test } from 'vitest'
import { shippingMethodEvents } from '../../src/domain/shipping-method.ts'
import { shippingMethodQueries, shippingMethods } from '../../src/projections/shipping-methods.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'

const { given } = readModel(shippingMethods)
const [listShippingMethods, listOfferedShippingMethods] = shippingMethodQueries

const standard = happenings(shippingMethodEvents, 'standard')
const express = happenings(shippingMethodEvents, 'express')
const pickup = happenings(shippingMethodEvents, 'pickup')
const terms = {
  titles: { en: 'Standard', de: 'Normal' },
  prices: { EUR: 490, GBP: 450 },
  countries: [],
  taxCategory: 'standard',
}
const happened = [
  standard('ShippingMethodOffered', { ...terms, prices: { EUR: 1 } }),
  standard('ShippingMethodOffered', terms),
  express('ShippingMethodOffered', {
    ...terms,
    titles: { en: 'Express' },
    prices: { EUR: 990 },
    countries: ['DE', 'AT'],
  }),
  pickup('ShippingMethodOffered', { ...terms, titles: { en: 'Pick-up' } }),
]
const withdrawn = pickup('ShippingMethodWithdrawn', {})
const shop = given(...happened, withdrawn)

test('a method is kept with the terms of its last offer, until it is withdrawn', async () => {
  const { 'shipping-methods': methods } = await shop.documents()
  expect(Object.keys(methods ?? {})).toEqual(['express', 'standard'])
  expect(methods?.standard).toEqual({ id: 'standard', ...terms, revision: 1 })
})

test('a method that is offered again is there again', async () => {
  const again = given(...happened, withdrawn, pickup('ShippingMethodOffered', terms))
  expect((await again.documents())['shipping-methods']?.pickup).toEqual({ id: 'pickup', ...terms, revision: 2 })
})

test('methods are listed by country and currency', async () => {
  const inGermany = { id: 'express', title: 'Express', currency: 'EUR', price: 990 }
  const everywhere = { id: 'standard', title: 'Normal', currency: 'EUR', price: 490 }
  expect(await shop.ask(listShippingMethods, { country: 'DE', currency: 'EUR', language: 'de' })).toEqual({
    items: [inGermany, everywhere],
    next: null,
    previous: null,
  })
  expect(await shop.ask(listShippingMethods, { country: 'FR', currency: 'EUR', language: 'de' })).toMatchObject({
    items: [everywhere],
  })
  expect(await shop.ask(listShippingMethods, { country: 'DE', currency: 'GBP' })).toMatchObject({
    items: [{ id: 'standard', title: 'Standard', price: 450 }],
  })
})

test('staff see all terms', async () => {
  expect(await shop.ask(listOfferedShippingMethods, {}, { principal: asStaff('catalogue') })).toMatchObject({
    items: [
      { id: 'express', countries: ['DE', 'AT'] },
      { id: 'standard', ...terms, revision: 1 },
    ],
  })
  await expect(shop.ask(listOfferedShippingMethods)).rejects.toThrow('unauthenticated')
})
