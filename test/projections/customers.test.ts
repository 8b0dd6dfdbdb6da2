import { describe, expect, test } from 'vitest'
import { customerEvents } from '../../src/domain/customer.ts'
import { orderEvents } from '../../src/domain/order/events.ts'
import { customerQueries, customers } from '../../src/projections/customers.ts'
import { asCustomer, asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { oneTeapotBack, payment, placement } from './order-events.ts'

const { given } = readModel(customers)

const [getCustomer, listCustomers] = customerQueries
const staff = { principal: asStaff('customers') }
const ada = happenings(customerEvents, 'ada')
const address = { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' }
const registered = ada('CustomerRegistered', {
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  attributes: { vip: true },
})
const order = (id: string, person = 'ada') => happenings(orderEvents, id, { person })

describe('a member', () => {
  test('is as registered, and as changed since', async () => {
    const home = { addressId: 'home', country: 'GB', address }
    const shop = given(
      registered,
      ada('CustomerRenamed', { name: 'Ada King' }),
      ada('AddressSaved', home),
      ada('AddressSaved', { ...home, addressId: 'work' }),
      ada('AddressSaved', { ...home, country: 'IE' }),
      ada('AddressRemoved', { addressId: 'work' }),
      ada('GuestTakenOver', { guestId: 'guest-1' }),
    )
    await shop.expect({
      customers: {
        ada: {
          id: 'ada',
          buyer: 'member',
          email: 'ada@example.com',
          name: 'Ada King',
          addresses: [{ ...home, country: 'IE' }],
          attributes: { vip: true },
          createdAt: '2026-01-15T09:30:00.000Z',
          orders: 0,
          spent: {},
          lastOrderAt: null,
          forgotten: false,
          revision: 6,
        },
      },
    })
  })

  test('has the orders that were paid, and has spent what was not given back', async () => {
    const later = '2026-01-20T10:00:00.000Z'
    const shop = given(
      registered,
      order('order-1')('OrderPlaced', placement({ email: 'other@example.com' })),
      order('order-2')('OrderPlaced', placement({ placedAt: later })),
      order('order-2')('OrderPaid', payment({ currency: 'GBP', amount: 4_000, placedAt: later })),
      order('order-1')('OrderPaid', payment()),
      order('order-1')('OrderRefunded', oneTeapotBack()),
      order('order-3')('OrderPlaced', placement()),
    )
    await shop.documents()
    expect(await shop.ask(getCustomer, { customerId: 'ada' }, staff)).toMatchObject({
      email: 'ada@example.com',
      orders: 2,
      spent: { EUR: 3_890, GBP: 4_000 },
      lastOrderAt: later,
      revision: 0,
    })
  })

  test('is seen by that customer and by staff', async () => {
    const shop = given(registered)
    const ask = (principal: ReturnType<typeof asCustomer>) =>
      shop.ask(getCustomer, { customerId: 'ada' }, { principal })
    expect(await ask(asCustomer('ada'))).toMatchObject({ name: 'Ada Lovelace' })
    expect(await ask(asCustomer('eve'))).toBeUndefined()
    await expect(ask(asStaff('orders'))).rejects.toThrow('forbidden')
  })

  test('is an id once forgotten', async () => {
    const shop = given(
      registered,
      ada('AddressSaved', { addressId: 'home', country: 'GB', address }),
      order('order-1')('OrderPlaced', placement()),
      order('order-1')('OrderPaid', payment()),
      ada('CustomerForgotten', {}),
      ada('PersonalDataErased', {}),
    )
    await shop.documents()
    expect(await shop.ask(getCustomer, { customerId: 'ada' }, staff)).toMatchObject({
      email: null,
      name: null,
      addresses: [],
      attributes: null,
      orders: 1,
      forgotten: true,
    })
  })
})

describe('a guest', () => {
  const placed = order('order-1', 'guest-1')('OrderPlaced', placement({ customerId: 'guest-1', buyer: 'guest' }))

  test('is known from the first order on', async () => {
    const shop = given(placed)
    await shop.documents()
    expect(await shop.ask(getCustomer, { customerId: 'guest-1' }, staff)).toMatchObject({
      buyer: 'guest',
      email: 'ada@example.com',
      name: null,
      createdAt: '2026-01-15T09:30:00.000Z',
      revision: null,
    })
  })

  test('becomes a member by registering', async () => {
    const guest = happenings(customerEvents, 'guest-1')
    const shop = given(placed, guest('CustomerRegistered', { email: 'ada@example.com', name: 'Ada', attributes: {} }))
    expect(await shop.ask(getCustomer, { customerId: 'guest-1' }, staff)).toMatchObject({
      buyer: 'member',
      name: 'Ada',
      createdAt: '2026-01-15T09:31:00.000Z',
      revision: 0,
    })
  })

  test('can be forgotten', async () => {
    const forgotten = happenings(customerEvents, 'guest-1')('CustomerForgotten', {})
    const shop = given(placed, forgotten)
    expect(await shop.ask(getCustomer, { customerId: 'guest-1' }, staff)).toMatchObject({
      email: null,
      forgotten: true,
    })
    await given(forgotten).expect({ customers: {} })
  })
})

test('staff list customers by the time when they came', async () => {
  const shop = given(
    registered,
    order('order-1', 'guest-1')(
      'OrderPlaced',
      placement({ customerId: 'guest-1', buyer: 'guest', placedAt: '2026-01-16T00:00:00.000Z' }),
    ),
    happenings(customerEvents, 'bob')('CustomerRegistered', { email: 'bob@example.com', name: 'Bob', attributes: {} }),
  )
  expect(await shop.ask(listCustomers, {}, staff)).toMatchObject({
    items: [{ id: 'guest-1' }, { id: 'bob', name: 'Bob' }, { id: 'ada' }],
  })
  expect(await shop.ask(listCustomers, { buyer: 'member', createdTo: '2026-01-15T09:31:00Z' }, staff)).toMatchObject({
    items: [{ id: 'ada' }],
  })
  expect(await shop.ask(listCustomers, { createdFrom: '2026-01-16T00:00:00Z' }, staff)).toMatchObject({
    items: [{ id: 'guest-1' }],
  })
})
