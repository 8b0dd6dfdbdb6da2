import { test } from 'vitest'
import { shippingMethod, shippingMethodEvents } from '../../src/domain/shipping-method.ts'
import { specification } from '../../src/testing/specification.ts'

const { given, event } = specification(shippingMethod, shippingMethodEvents, { id: 'standard' })
const terms = { titles: { en: 'Standard' }, prices: { EUR: 490 }, countries: ['DE', 'AT'], taxCategory: 'standard' }
const offered = (changes = {}) => event('ShippingMethodOffered', { ...terms, ...changes })
const withdrawn = event('ShippingMethodWithdrawn', {})

test('a method is offered', () => {
  given().when('OfferShippingMethod', terms).then(offered())
  given()
    .when('OfferShippingMethod', { titles: terms.titles, prices: terms.prices })
    .then(offered({ countries: [] }))
})

test('the same terms again change nothing, whatever the order of their languages and currencies', () => {
  const titles = { en: 'Standard', de: 'Normal' }
  given(offered({ titles }))
    .when('OfferShippingMethod', { ...terms, titles: { de: 'Normal', en: 'Standard' } })
    .thenNothing()
})

test('other terms take the place of the present ones', () => {
  given(offered())
    .when('OfferShippingMethod', { ...terms, prices: { EUR: 590 } })
    .then(offered({ prices: { EUR: 590 } }))
})

test('a method is withdrawn once, and can be offered again', () => {
  given(offered()).when('WithdrawShippingMethod', {}).then(withdrawn).when('OfferShippingMethod', terms).then(offered())
})

test('a method that was never offered cannot be withdrawn', () => {
  given().when('WithdrawShippingMethod', {}).thenRejected('shipping-method-not-found', { id: 'standard' })
})
