import { describe, test } from 'vitest'
import { cart } from '../../../src/domain/cart/cart.ts'
import { cartEvents } from '../../../src/domain/cart/events.ts'
import { product, productEvents } from '../../../src/domain/product.ts'
import { shippingMethod, shippingMethodEvents } from '../../../src/domain/shipping-method.ts'
import { taxRates, taxRatesEvents } from '../../../src/domain/tax-rates.ts'
import { derivedId } from '../../../src/engine/streams.ts'
import { having, specification } from '../../../src/testing/specification.ts'

const id = 'cart-1'
const products = specification(product, productEvents)
const methods = specification(shippingMethod, shippingMethodEvents)
const rates = specification(taxRates, taxRatesEvents)

const publishedTeapot = [
  products.event('ProductCreated', {
    slug: 'teapot',
    texts: {
      en: { title: 'Teapot', description: '' },
      de: { title: 'Teekanne', description: '' },
    },
    taxCategory: 'standard',
    attributes: {},
  }),
  products.event('ProductCategorised', { categoryIds: ['teapots'], allCategoryIds: ['kitchen', 'teapots'] }),
  products.event('VariantAdded', {
    sku: 'TEAPOT-BLUE',
    titles: { en: 'Blue', de: 'Blau' },
    prices: { EUR: 2_500, GBP: 2_200 },
  }),
  products.event('VariantAdded', { sku: 'TEAPOT-RED', prices: { EUR: 900 } }),
  products.event('ProductPublished', {}),
]
const unpublished = products.event('ProductUnpublished', {})
const dearer = products.event('VariantPricesChanged', { sku: 'TEAPOT-BLUE', prices: { EUR: 2_600 } })

const offered = (changes: object = {}) =>
  methods.event('ShippingMethodOffered', {
    titles: { en: 'Standard' },
    prices: { EUR: 490 },
    countries: ['DE', 'AT'],
    taxCategory: 'standard',
    ...changes,
  })
const withdrawn = methods.event('ShippingMethodWithdrawn', {})

const teapot = having(product, 'teapot', ...publishedTeapot)
const standard = having(shippingMethod, 'standard', offered())
const germany = having(taxRates, 'DE', rates.event('TaxRateSet', { taxCategory: 'standard', rate: 1_900 }))
const facts = [teapot, standard, germany]

const { given, event } = specification(cart, cartEvents, { id, facts })

const opened = event('CartOpened', { customerId: 'ada', buyer: 'member', currency: 'EUR', language: 'en' })
const blue = { sku: 'TEAPOT-BLUE', productId: 'teapot', title: 'Teapot, Blue', unitPrice: 2_500 }
const red = { sku: 'TEAPOT-RED', productId: 'teapot', title: 'Teapot', unitPrice: 900 }
const added = (line: typeof blue, quantity: number) => event('CartLineAdded', { ...line, quantity })
const address = { name: 'Ada Lovelace', line1: 'Seestr. 1', city: 'Berlin', postalCode: '10115' }
const toCountry = (country: string) => ({ country, email: 'ada@example.com', shippingAddress: address })
const addressed = (country = 'DE') => event('CartAddressSet', toCountry(country))
const chosen = event('CartShippingChosen', { method: 'standard', title: 'Standard', amount: 490 })
const ready = [opened, added(blue, 2), added(red, 1), addressed(), chosen]

const contents = {
  customerId: 'ada',
  buyer: 'member',
  currency: 'EUR',
  language: 'en',
  ...toCountry('DE'),
  lines: [
    {
      lineId: 'TEAPOT-BLUE',
      productId: 'teapot',
      sku: 'TEAPOT-BLUE',
      title: 'Teapot, Blue',
      categoryIds: ['kitchen', 'teapots'],
      quantity: 2,
      unitPrice: 2_500,
      amount: 5_000,
      taxRate: 1_900,
      tax: 798,
      unitTaxes: [{ units: 2, tax: 399 }],
    },
    {
      lineId: 'TEAPOT-RED',
      productId: 'teapot',
      sku: 'TEAPOT-RED',
      title: 'Teapot',
      categoryIds: ['kitchen', 'teapots'],
      quantity: 1,
      unitPrice: 900,
      amount: 900,
      taxRate: 1_900,
      tax: 144,
      unitTaxes: [{ units: 1, tax: 144 }],
    },
  ],
  shipping: { method: 'standard', title: 'Standard', amount: 490, taxRate: 1_900, tax: 78 },
  totals: { items: 5_900, shipping: 490, tax: 1_020, total: 6_390 },
} as const
const checkedOut = event('CartCheckedOut', {
  orderId: derivedId('order', id),
  order: {
    ...contents,
    lines: contents.lines.map((line) => ({
      ...line,
      categoryIds: [...line.categoryIds],
      unitTaxes: [...line.unitTaxes],
    })),
  },
})

describe('opening', () => {
  const open = { customerId: 'ada', buyer: 'member', currency: 'EUR' } as const

  test('says whose it is, in which currency and language', () => {
    given().when('OpenCart', open).then(opened)
  })

  test('is done once', () => {
    given(opened)
      .when('OpenCart', { ...open, currency: 'GBP' })
      .thenRejected('cart-exists')
  })
})

describe('lines', () => {
  const add = { productId: 'teapot', sku: 'TEAPOT-BLUE', quantity: 2 }

  test('are added with title and price as they are shown', () => {
    given(opened).when('AddCartLine', add).once().then(added(blue, 2))
  })

  test('have their titles in the language of the cart', () => {
    const german = event('CartOpened', { customerId: 'ada', buyer: 'member', currency: 'EUR', language: 'de-AT' })
    given(german)
      .when('AddCartLine', add)
      .once()
      .then(added({ ...blue, title: 'Teekanne, Blau' }, 2))
  })

  test('have titles that are cut where they are too long', () => {
    const long = having(
      product,
      'teapot',
      ...publishedTeapot,
      products.event('ProductTextsChanged', { texts: { en: { title: `${'x'.repeat(198)}🫖`, description: '' } } }),
    )
    given(opened)
      .when('AddCartLine', { ...add, sku: 'TEAPOT-BLUE' }, { facts: [long] })
      .once()
      .then(added({ ...blue, title: `${'x'.repeat(198)}🫖` }, 2))
    given(opened)
      .when(
        'AddCartLine',
        { ...add, sku: 'TEAPOT-RED' },
        {
          facts: [
            having(
              product,
              'teapot',
              ...publishedTeapot,
              products.event('VariantRemoved', { sku: 'TEAPOT-RED' }),
              products.event('VariantAdded', {
                sku: 'TEAPOT-RED',
                titles: { en: `${'x'.repeat(191)}🫖` },
                prices: { EUR: 900 },
              }),
            ),
          ],
        },
      )
      .once()
      .then(added({ ...red, title: `Teapot, ${'x'.repeat(191)}` }, 2))
  })

  test('grow when they are there already', () => {
    given(opened, added(blue, 2))
      .when('AddCartLine', { ...add, quantity: 3 })
      .once()
      .then(added(blue, 3))
      .when('ChangeCartLineQuantity', { sku: 'TEAPOT-BLUE', quantity: 5 })
      .thenNothing()
  })

  test('need something that is sold', () => {
    given(opened)
      .when('AddCartLine', { ...add, productId: 'cup' })
      .thenRejected('product-not-found', { id: 'cup' })
    given(opened)
      .when('AddCartLine', add, { facts: [having(product, 'teapot', ...publishedTeapot, unpublished)] })
      .thenRejected('product-not-found')
    given(opened)
      .when('AddCartLine', { ...add, sku: 'TEAPOT-GREEN' })
      .thenRejected('variant-not-found', { id: 'TEAPOT-GREEN' })
    const inPounds = event('CartOpened', { customerId: 'ada', buyer: 'guest', currency: 'GBP', language: 'en' })
    given(inPounds)
      .when('AddCartLine', { ...add, sku: 'TEAPOT-RED' })
      .thenRejected('no-price-in-currency', { sku: 'TEAPOT-RED', currency: 'GBP' })
  })

  test('have bounds', () => {
    const full = Array.from({ length: 200 }, (_, number) => added({ ...blue, sku: `SKU-${number}` }, 1))
    given(opened, ...full)
      .when('AddCartLine', add)
      .thenRejected('cart-full', { maxLines: 200 })
    given(opened, ...full.slice(1), added(blue, 1))
      .when('AddCartLine', add)
      .once()
      .then(added(blue, 2))
    given(opened, added(blue, 999_999))
      .when('AddCartLine', add)
      .thenRejected('quantity-too-large', { sku: 'TEAPOT-BLUE' })
  })

  test('are of one product', () => {
    given(opened, added({ ...blue, productId: 'other' }, 1))
      .when('AddCartLine', add)
      .thenRejected('sku-of-another-product', { sku: 'TEAPOT-BLUE', productId: 'other' })
  })

  test('change their quantity', () => {
    given(opened, added(blue, 2))
      .when('ChangeCartLineQuantity', { sku: 'TEAPOT-BLUE', quantity: 7 })
      .then(event('CartLineQuantityChanged', { sku: 'TEAPOT-BLUE', quantity: 7 }))
    given(opened, added(blue, 2))
      .when('ChangeCartLineQuantity', { sku: 'TEAPOT-RED', quantity: 7 })
      .thenRejected('line-not-found')
  })

  test('are removed', () => {
    given(opened, added(blue, 2), added(red, 1))
      .when('RemoveCartLine', { sku: 'TEAPOT-BLUE' })
      .then(event('CartLineRemoved', { sku: 'TEAPOT-BLUE' }))
  })

  test('are in a cart that exists', () => {
    given().when('AddCartLine', add).thenRejected('cart-not-found', { id })
    given().when('RemoveCartLine', { sku: 'TEAPOT-BLUE' }).thenRejected('cart-not-found')
  })
})

describe('shipping', () => {
  test('is chosen with its price', () => {
    given(opened).when('ChooseCartShipping', { method: 'standard' }).then(chosen)
    given(opened, addressed('AT')).when('ChooseCartShipping', { method: 'standard' }).then(chosen)
  })

  test('has to be offered, to go there, and to have a price', () => {
    given(opened).when('ChooseCartShipping', { method: 'express' }).thenRejected('shipping-method-not-found')
    given(opened)
      .when(
        'ChooseCartShipping',
        { method: 'standard' },
        { facts: [having(shippingMethod, 'standard', offered(), withdrawn)] },
      )
      .thenRejected('shipping-method-not-found')
    given(opened, addressed('CH'))
      .when('ChooseCartShipping', { method: 'standard' })
      .thenRejected('shipping-not-to-country', { method: 'standard', country: 'CH' })
    const elsewhere = having(shippingMethod, 'standard', offered({ prices: { CHF: 700 } }))
    given(opened)
      .when('ChooseCartShipping', { method: 'standard' }, { facts: [elsewhere] })
      .thenRejected('no-price-in-currency', { method: 'standard', currency: 'EUR' })
  })

  test('is chosen again where it goes to the new country, too', () => {
    given(opened, addressed('DE'), chosen).when('SetCartAddress', toCountry('AT')).then(addressed('AT'), chosen)
    given(opened, chosen).when('SetCartAddress', toCountry('DE')).then(addressed('DE'), chosen)
  })

  test('is open again where it does not', () => {
    given(opened, added(blue, 1), addressed('DE'), chosen)
      .when('SetCartAddress', toCountry('CH'))
      .then(addressed('CH'))
      .when('CheckOut', {})
      .thenRejected('shipping-missing')
  })

  test('stays as it is at another address in the same country', () => {
    const elsewhere = { ...toCountry('DE'), shippingAddress: { ...address, city: 'Bonn' } }
    given(...ready)
      .when('SetCartAddress', elsewhere)
      .then(event('CartAddressSet', elsewhere))
      .when('ChooseCartShipping', { method: 'standard' })
      .thenNothing()
  })
})

describe('checking out', () => {
  test('decides the order, whose id follows from the cart', () => {
    given(...ready)
      .when('CheckOut', {})
      .then(checkedOut)
    given(...ready)
      .when('CheckOut', { expectedTotal: 6_390 })
      .then(checkedOut)
  })

  test('needs everything', () => {
    given().when('CheckOut', {}).thenRejected('cart-not-found')
    given(opened).when('CheckOut', {}).thenRejected('cart-empty')
    given(opened, added(blue, 1), chosen).when('CheckOut', {}).thenRejected('address-missing')
    given(opened, added(blue, 1), addressed()).when('CheckOut', {}).thenRejected('shipping-missing')
  })

  test('takes what things cost now, and says so where somebody expects something else', () => {
    const now = [having(product, 'teapot', ...publishedTeapot, dearer), standard, germany]
    given(...ready)
      .when('CheckOut', { expectedTotal: 6_390 }, { facts: now })
      .thenRejected('price-changed', { total: 6_590 })
  })

  test('needs what is still sold', () => {
    given(...ready)
      .when('CheckOut', {}, { facts: [having(product, 'teapot', ...publishedTeapot, unpublished), standard, germany] })
      .thenRejected('product-not-found', { id: 'teapot' })
    given(...ready)
      .when('CheckOut', {}, { facts: [teapot, having(shippingMethod, 'standard', offered(), withdrawn), germany] })
      .thenRejected('shipping-method-not-found')
  })

  test('refuses a total that no amount can hold', () => {
    const dear = products.event('VariantPricesChanged', { sku: 'TEAPOT-BLUE', prices: { EUR: 1_000_000_000_000 } })
    given(...ready)
      .when('CheckOut', {}, { facts: [having(product, 'teapot', ...publishedTeapot, dear), standard, germany] })
      .thenRejected('total-too-large')
  })

  test('is the end of the cart', () => {
    const done = given(...ready, checkedOut)
    const code = 'cart-checked-out'
    done.when('AddCartLine', { productId: 'teapot', sku: 'TEAPOT-BLUE', quantity: 1 }).thenRejected(code)
    done.when('ChangeCartLineQuantity', { sku: 'TEAPOT-BLUE', quantity: 1 }).thenRejected(code)
    done.when('RemoveCartLine', { sku: 'TEAPOT-BLUE' }).thenRejected(code)
    done.when('SetCartAddress', toCountry('AT')).thenRejected(code)
    done.when('ChooseCartShipping', { method: 'standard' }).thenRejected(code)
    done.when('OpenCart', { customerId: 'ada', buyer: 'member', currency: 'EUR' }).thenRejected(code)
  })
})
