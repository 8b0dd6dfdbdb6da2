import { describe, expect, test } from 'vitest'
import { cartEvents } from '../../src/domain/cart/events.ts'
import type { Principal } from '../../src/engine/access.ts'
import { cartQueries, carts } from '../../src/projections/carts.ts'
import { asCustomer, asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { firstInstant, type Happening } from '../../src/testing/recording.ts'

const { given } = readModel(carts)
const [getCart, listOwnCarts] = cartQueries

const happens = happenings(cartEvents, 'cart-1', { person: 'ada' })
const terms = { customerId: 'ada', buyer: 'guest', currency: 'EUR', language: 'en' } as const
const opened = happens('CartOpened', terms)
const teapot = { sku: 'TEAPOT', productId: 'teapot', title: 'Teapot', unitPrice: 2_499, quantity: 2 }
const cup = { sku: 'CUP', productId: 'cup', title: 'Cup', unitPrice: 500, quantity: 1 }
const withTeapots = happens('CartLineAdded', teapot)
const withCup = happens('CartLineAdded', cup)
const shippingAddress = { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' }
const toLondon = { country: 'GB', email: 'ada@example.com', shippingAddress }
const addressed = happens('CartAddressSet', toLondon)
const standard = { method: 'standard', title: 'Standard', amount: 490 }
const shipped = happens('CartShippingChosen', standard)

/** The cart after these events, as its owner sees it. */
async function cartAfter(...happened: readonly Happening[]) {
  const cart = given(...happened)
  await cart.documents()
  return await cart.ask(getCart, { cartId: 'cart-1' }, { principal: asCustomer('ada') })
}

describe('a cart', () => {
  test('sums up its lines and shipping', async () => {
    await given(opened, withTeapots, withCup, addressed, shipped).expect({
      carts: {
        'cart-1': {
          id: 'cart-1',
          ...terms,
          lines: [
            { ...teapot, amount: 4_998 },
            { ...cup, amount: 500 },
          ],
          ...toLondon,
          shipping: standard,
          subtotal: 5_498,
          total: 5_988,
          checkedOut: false,
          orderId: null,
          openedAt: firstInstant,
          changedAt: '2026-01-15T09:34:00.000Z',
          revision: 4,
        },
      },
    })
  })

  test('is empty when it is opened', async () => {
    expect(await cartAfter(opened)).toMatchObject({ lines: [], subtotal: 0, total: 0, country: null, email: null })
  })

  test('keeps one line for each SKU, at the latest price', async () => {
    const dearer = happens('CartLineAdded', { ...teapot, title: 'New teapot', unitPrice: 3_000, quantity: 1 })
    expect(await cartAfter(opened, withTeapots, withCup, dearer)).toMatchObject({
      lines: [{ sku: 'TEAPOT', title: 'New teapot', quantity: 3, amount: 9_000 }, { sku: 'CUP' }],
      subtotal: 9_500,
    })
  })

  test('follows changes of quantities, and what is taken out', async () => {
    const one = happens('CartLineQuantityChanged', { sku: 'TEAPOT', quantity: 1 })
    const noCup = happens('CartLineRemoved', { sku: 'CUP' })
    expect(await cartAfter(opened, withTeapots, withCup, one, noCup)).toMatchObject({
      lines: [{ sku: 'TEAPOT', quantity: 1, amount: 2_499 }],
      subtotal: 2_499,
    })
  })

  test('loses its shipping with another country only', async () => {
    const chosen = [opened, withCup, addressed, shipped]
    const moved = happens('CartAddressSet', { ...toLondon, shippingAddress: { ...shippingAddress, city: 'Bath' } })
    expect(await cartAfter(...chosen, moved)).toMatchObject({ shipping: standard, total: 990 })
    const abroad = happens('CartAddressSet', { ...toLondon, country: 'DE' })
    expect(await cartAfter(...chosen, abroad)).toMatchObject({ country: 'DE', shipping: null, total: 500 })
  })

  test('shows what was ordered once it is checked out', async () => {
    const unitTaxes = [{ units: 1, tax: 80 }]
    const line = {
      ...cup,
      lineId: 'CUP',
      unitPrice: 510,
      amount: 510,
      categoryIds: [],
      taxRate: 1_900,
      tax: 80,
      unitTaxes,
    }
    const totals = { items: 510, shipping: 450, tax: 80, total: 960 }
    const shipping = { ...standard, amount: 450, taxRate: 0, tax: 0 }
    const order = { ...terms, ...toLondon, lines: [line], shipping, totals }
    const checkedOut = happens('CartCheckedOut', { orderId: 'order-1', order })
    const shop = given(opened, withCup, addressed, shipped, checkedOut)
    await shop.documents()
    expect(await shop.ask(getCart, { cartId: 'cart-1' }, { principal: asCustomer('ada') })).toMatchObject({
      lines: [{ ...cup, unitPrice: 510, amount: 510 }],
      shipping: { ...standard, amount: 450 },
      subtotal: totals.items,
      total: totals.total,
      checkedOut: true,
      orderId: 'order-1',
    })
    expect(await shop.ask(listOwnCarts, {}, { principal: asCustomer('ada') })).toMatchObject({ items: [] })
  })

  test('no longer says who was forgotten', async () => {
    const shop = given(opened, withCup, addressed)
    expect(
      await shop.ask(getCart, { cartId: 'cart-1' }, { principal: asStaff('orders'), forgotten: ['ada'] }),
    ).toMatchObject({ country: 'GB', email: null, shippingAddress: null, subtotal: 500 })
  })

  test('is there for its owner and for staff who see to orders', async () => {
    const shop = given(opened)
    const read = (principal: Principal) => shop.ask(getCart, { cartId: 'cart-1' }, { principal })
    expect(await read(asCustomer('ada'))).toBeDefined()
    expect(await read(asStaff('orders'))).toBeDefined()
    expect(await read(asCustomer('bob'))).toBeUndefined()
    await expect(read(asStaff('catalogue'))).rejects.toThrow('forbidden')
  })

  test("is listed among its owner's open ones, newest first", async () => {
    const shop = given(
      opened,
      happenings(cartEvents, 'cart-2')('CartOpened', { ...terms, customerId: 'bob' }),
      happenings(cartEvents, 'cart-3')('CartOpened', terms),
    )
    expect(await shop.ask(listOwnCarts, {}, { principal: asCustomer('ada') })).toMatchObject({
      items: [{ id: 'cart-3' }, { id: 'cart-1' }],
    })
    await expect(shop.ask(listOwnCarts)).rejects.toThrow('unauthenticated')
  })
})

describe("a guest's cart, once the guest has logged in,", () => {
  test("is the customer's when it is handed over, with an address that was sealed anew", async () => {
    const forBob = happenings(cartEvents, 'cart-1', { person: 'bob' })
    const handedOver = forBob('CartHandedOver', {
      customerId: 'bob',
      buyer: 'member',
      email: 'bob@example.com',
      shippingAddress,
    })
    const shop = given(opened, withTeapots, addressed, handedOver)
    await shop.documents()
    expect(await shop.ask(getCart, { cartId: 'cart-1' }, { principal: asCustomer('bob') })).toMatchObject({
      customerId: 'bob',
      buyer: 'member',
      email: 'bob@example.com',
      lines: [{ sku: 'TEAPOT', quantity: 2 }],
      revision: 3,
    })
  })

  test('is gone when it went into another one', async () => {
    const merged = happens('CartMerged', { intoCartId: 'cart-2' })
    await given(opened, withTeapots, merged).expect({ carts: {} })
  })

  test('is counted in the revision of the one that it went into', async () => {
    const merged = happens('GuestCartMerged', {
      fromCartId: 'cart-0',
      fromRevision: 4,
      added: [],
      raised: [],
      left: [],
    })
    expect(await cartAfter(opened, withTeapots, merged)).toMatchObject({ total: 4_998, revision: 2 })
  })
})
