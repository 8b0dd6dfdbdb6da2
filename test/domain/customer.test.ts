import { describe, expect, test } from 'vitest'
import { customer, customerEvents } from '../../src/domain/customer.ts'
import { specification } from '../../src/testing/specification.ts'

const { given, event } = specification(customer, customerEvents, { id: 'ada' })
const data = { email: 'ada@example.com', name: 'Ada Lovelace', attributes: { newsletter: true } }
const home = {
  addressId: 'home',
  country: 'GB',
  address: { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' },
}

const registered = event('CustomerRegistered', data)
const renamed = (name: string) => event('CustomerRenamed', { name })
const saved = (changes = {}) => event('AddressSaved', { ...home, ...changes })
const removed = event('AddressRemoved', { addressId: 'home' })
const forgotten = event('CustomerForgotten', {})
const erased = event('PersonalDataErased', {})

describe('registering', () => {
  test('a customer registers once', () => {
    given().when('RegisterCustomer', data).then(registered)
    given(registered)
      .when('RegisterCustomer', { ...data, email: 'lovelace@example.com' })
      .thenRejected('customer-exists')
    given(registered)
      .when('RegisterCustomer', { ...data, attributes: {} })
      .thenRejected('customer-exists')
  })
})

describe('a registered customer', () => {
  test('gets another name', () => {
    given(registered)
      .when('RenameCustomer', { name: 'Ada King' })
      .then(renamed('Ada King'))
      .when('RenameCustomer', { name: data.name })
      .then(renamed(data.name))
    given(registered).when('RenameCustomer', { name: data.name }).thenNothing()
  })

  test('saves, changes and removes addresses', () => {
    given(registered)
      .when('SaveAddress', home)
      .then(saved())
      .when('SaveAddress', { ...home, country: 'IE' })
      .then(saved({ country: 'IE' }))
      .when('RemoveAddress', { addressId: 'home' })
      .then(removed)
    given(registered).when('RemoveAddress', { addressId: 'constructor' }).thenNothing()
  })

  test('has 50 addresses at most', () => {
    const addresses = Array.from({ length: 50 }, (_, number) => saved({ addressId: `a${number}` }))
    given(registered, ...addresses)
      .when('SaveAddress', home)
      .thenRejected('too-many-addresses')
    given(registered, ...addresses)
      .when('SaveAddress', { ...home, addressId: 'a7', country: 'IE' })
      .then(saved({ addressId: 'a7', country: 'IE' }))
  })
})

test('who has not registered has nothing to change', () => {
  given().when('RenameCustomer', { name: 'Ada' }).thenRejected('customer-not-found', { id: 'ada' })
  given().when('SaveAddress', home).thenRejected('customer-not-found')
  given().when('RemoveAddress', { addressId: 'home' }).thenRejected('customer-not-found')
})

describe('a guest who logs in', () => {
  const taken = (guestId: string) => event('GuestTakenOver', { guestId })

  test('is remembered, once, also of who is not registered yet', () => {
    given(registered).when('TakeGuestOver', { guestId: 'guest-1' }).then(taken('guest-1'))
    given().when('TakeGuestOver', { guestId: 'guest-1' }).then(taken('guest-1'))
    given(registered, taken('guest-1')).when('TakeGuestOver', { guestId: 'guest-1' }).thenNothing()
    given(registered, forgotten).when('TakeGuestOver', { guestId: 'guest-1' }).thenRejected('customer-forgotten')
  })

  test('is one of 1000 at most', () => {
    const guests = Array.from({ length: 1_000 }, (_, number) => taken(`g${number}`))
    given(registered, ...guests)
      .when('TakeGuestOver', { guestId: 'guest-1' })
      .thenRejected('too-many-guests')
    given(registered, ...guests)
      .when('TakeGuestOver', { guestId: 'g7' })
      .thenNothing()
  })

  test('is known until the data are erased', () => {
    const before = [registered, taken('guest-1'), forgotten].reduce(customer.evolve, customer.initial)
    expect(before).toStrictEqual({ ...customer.initial, status: 'forgotten', guests: ['guest-1'] })
    expect(customer.evolve(before, erased)).toStrictEqual({ ...customer.initial, status: 'erased' })
  })
})

describe('forgetting', () => {
  test('anybody can be forgotten, also a guest', () => {
    given(registered, saved()).when('ForgetCustomer', {}).then(forgotten)
    given().when('ForgetCustomer', {}).then(forgotten)
    given(forgotten, erased).when('ForgetCustomer', {}).thenNothing()
  })

  test.each([
    ['forgotten', [registered, saved(), forgotten]],
    ['erased', [registered, saved(), forgotten, erased]],
  ])('whoever is %s stays so', (_, before) => {
    given(...before)
      .when('RegisterCustomer', data)
      .thenRejected('customer-forgotten')
    given(...before)
      .when('RenameCustomer', { name: 'Ada' })
      .thenRejected('customer-forgotten')
    given(...before)
      .when('SaveAddress', home)
      .thenRejected('customer-forgotten')
    given(...before)
      .when('RemoveAddress', { addressId: 'home' })
      .thenRejected('customer-forgotten')
  })

  test('nothing of a forgotten person is left in the state', () => {
    const state = [registered, saved(), forgotten].reduce(customer.evolve, customer.initial)
    expect(state).toStrictEqual({ ...customer.initial, status: 'forgotten' })
  })

  test('the erasure is confirmed once, and only of who was forgotten', () => {
    given(registered, forgotten).when('ConfirmErasure', {}).then(erased)
    given(registered).when('ConfirmErasure', {}).thenRejected('customer-not-forgotten')
    given().when('ConfirmErasure', {}).thenRejected('customer-not-forgotten')
  })
})
