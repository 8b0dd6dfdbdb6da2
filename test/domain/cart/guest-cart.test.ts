import { describe, expect, test } from 'vitest'
import { cart } from '../../../src/domain/cart/cart.ts'
import { cartEvents } from '../../../src/domain/cart/events.ts'
import { mergedLines } from '../../../src/domain/cart/merged-lines.ts'
import { specification } from '../../../src/testing/specification.ts'

const { given, event } = specification(cart, cartEvents, { id: 'cart-1' })
const line = (sku: string, quantity: number, productId = 'teapot') => ({
  sku,
  productId,
  title: sku,
  unitPrice: 2_500,
  quantity,
})
const opened = (customerId = 'ada', buyer: 'member' | 'guest' = 'member') =>
  event('CartOpened', { customerId, buyer, currency: 'EUR', language: 'en' })
const shippingAddress = { name: 'Ada Lovelace', line1: 'Seestr. 1', city: 'Berlin', postalCode: '10115' }
const address = { country: 'DE', email: 'ada@example.com', shippingAddress }
const shipping = { method: 'standard', title: 'Standard', amount: 490 }

describe('lines of two carts', () => {
  test('are brought together by the larger number of pieces', () => {
    const offered = [line('RED', 3), line('BLUE', 1), line('GREEN', 2)]
    expect(mergedLines([line('RED', 1), line('BLUE', 5)], offered, 200)).toEqual({
      added: [line('GREEN', 2)],
      raised: [line('RED', 3)],
      left: [],
    })
  })

  test('that find no place are left: the cart is full, or has the SKU of another product', () => {
    const offered = [line('RED', 3, 'mug'), line('BLUE', 1), line('GREEN', 2)]
    expect(mergedLines([line('RED', 1)], offered, 2)).toEqual({
      added: [line('BLUE', 1)],
      raised: [],
      left: [line('GREEN', 2), line('RED', 3, 'mug')],
    })
  })
})

describe("a guest's cart that is merged", () => {
  const merge = { fromCartId: 'cart-0', fromRevision: 4, lines: [line('RED', 3), line('BLUE', 1)], address, shipping }
  const merged = event('GuestCartMerged', {
    fromCartId: 'cart-0',
    fromRevision: 4,
    added: ['BLUE'],
    raised: ['RED'],
    left: [],
  })

  test("adds to the customer's cart, whose own address stays", () => {
    given(opened(), event('CartLineAdded', line('RED', 1)), event('CartAddressSet', { ...address, country: 'AT' }))
      .when('MergeGuestCart', merge)
      .then(
        event('CartLineAdded', line('BLUE', 1)),
        event('CartLineQuantityChanged', { sku: 'RED', quantity: 3 }),
        merged,
      )
  })

  test('brings its address and shipping where the cart has none', () => {
    given(opened())
      .when('MergeGuestCart', { ...merge, lines: [] })
      .then(
        event('CartAddressSet', address),
        event('CartShippingChosen', shipping),
        event('GuestCartMerged', { fromCartId: 'cart-0', fromRevision: 4, added: [], raised: [], left: [] }),
      )
  })

  test('is known: what the customer takes out again does not come back', () => {
    given(opened(), event('CartLineAdded', line('BLUE', 1)), merged, event('CartLineRemoved', { sku: 'BLUE' }))
      .when('MergeGuestCart', merge)
      .thenNothing()
  })

  test('comes again where the guest has changed it since', () => {
    given(opened(), event('CartLineAdded', line('BLUE', 1)), event('CartLineAdded', line('RED', 3)), merged)
      .when('MergeGuestCart', { ...merge, fromRevision: 5, lines: [line('RED', 7), line('BLUE', 1)] })
      .then(
        event('CartLineQuantityChanged', { sku: 'RED', quantity: 7 }),
        event('CartAddressSet', address),
        event('CartShippingChosen', shipping),
        event('GuestCartMerged', { fromCartId: 'cart-0', fromRevision: 5, added: [], raised: ['RED'], left: [] }),
      )
  })

  test('is closed for good, but for the guest alone', () => {
    const close = { fromCustomerId: 'guest-1', intoCartId: 'cart-2' }
    given(opened('guest-1', 'guest'), event('CartLineAdded', line('RED', 1)))
      .when('CloseMergedCart', close)
      .then(event('CartMerged', { intoCartId: 'cart-2' }))
      .when('RemoveCartLine', { sku: 'RED' })
      .thenRejected('cart-merged')
    given(opened('eve')).when('CloseMergedCart', close).thenRejected('cart-not-found')
  })
})

describe("a guest's cart that is handed over", () => {
  const over = { fromCustomerId: 'guest-1', customerId: 'ada', email: 'ada@example.com', shippingAddress }
  const { fromCustomerId: _from, ...handedOver } = over

  test("is the customer's from then on", () => {
    given(opened('guest-1', 'guest'), event('CartAddressSet', address))
      .when('HandOverCart', over)
      .then(event('CartHandedOver', { ...handedOver, buyer: 'member' }))
      .when('CloseMergedCart', { fromCustomerId: 'guest-1', intoCartId: 'cart-2' })
      .thenRejected('cart-not-found')
  })

  test("is left alone where it is somebody else's, or nobody's", () => {
    given(opened('eve', 'guest')).when('HandOverCart', over).thenRejected('cart-not-found')
    given().when('HandOverCart', over).thenRejected('cart-not-found')
  })

  test('changes buyer, address and all that an order is placed with', () => {
    const state = [
      opened('guest-1', 'guest'),
      event('CartAddressSet', { ...address, email: 'old@example.com' }),
    ].reduce(cart.evolve, cart.initial)
    const after = cart.evolve(state, event('CartHandedOver', { ...handedOver, buyer: 'member' }))
    expect(after).toMatchObject({ customerId: 'ada', terms: { customerId: 'ada', buyer: 'member' } })
    expect(after.address).toEqual(event('CartAddressSet', address).data)
  })
})
