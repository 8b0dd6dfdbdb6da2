import { Map as PersistentMap } from 'immutable'
import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { isSame } from './sameness.ts'
import { Address, Attributes, Country, EmailAddress, Id } from './values.ts'

/** A person who buys. Who is forgotten stays as an id; also a guest, who never registered, can be forgotten. */

const Name = z.string().trim().min(1).max(200).meta({ description: 'Full name', example: 'Ada Lovelace' })
/** What a shop notes of a person is the person's. */
const noted = {
  description: "The shop's own values of the customer, at most 50; personal like the name",
  example: { newsletter: true },
}
const GuestId = Id.meta({
  description: 'Who the customer was as a guest',
  example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88',
})
const AddressId = Id.meta({ description: 'Names the address within the customer', example: 'home' })

// Events

export const customerEvents = defineEvents('customer', {
  CustomerRegistered: z.object({
    email: personal(EmailAddress),
    name: personal(Name),
    attributes: personal(Attributes.meta(noted)),
  }),
  CustomerRenamed: z.object({ name: personal(Name) }),
  AddressSaved: z.object({ addressId: AddressId, country: Country, address: personal(Address) }),
  AddressRemoved: z.object({ addressId: AddressId }),
  /** The customer has logged in as somebody who was a guest before: whoever forgets the customer forgets the guest, too. */
  GuestTakenOver: z.object({ guestId: GuestId }),
  CustomerForgotten: z.object({}),
  /** The key is gone, and with it everything that was encrypted with it. */
  PersonalDataErased: z.object({}),
})
export type CustomerEvent = EventOf<typeof customerEvents>

// State

type Registration = z.output<typeof customerEvents.schemas.CustomerRegistered>
type SavedAddress = Omit<z.output<typeof customerEvents.schemas.AddressSaved>, 'addressId'>

export interface Customer {
  /** `none` is also a guest, who buys without registering. */
  readonly status: 'none' | 'registered' | 'forgotten' | 'erased'
  /** As it now stands. Sealed values of one person are equal where their content is. */
  readonly registration?: Registration
  readonly addresses: PersistentMap<string, SavedAddress>
  /** Guests that the customer was. They stay until their data are erased with the customer's. */
  readonly guests?: readonly string[]
}

const initial: Customer = { status: 'none', addresses: PersistentMap() }

function evolve(customer: Customer, event: CustomerEvent): Customer {
  const { registration, addresses } = customer
  switch (event.type) {
    case 'CustomerRegistered':
      return { ...customer, status: 'registered', registration: event.data }
    case 'CustomerRenamed':
      return { ...customer, ...(registration && { registration: { ...registration, name: event.data.name } }) }
    case 'AddressSaved': {
      const { addressId, ...address } = event.data
      return { ...customer, addresses: addresses.set(addressId, address) }
    }
    case 'AddressRemoved':
      return { ...customer, addresses: addresses.delete(event.data.addressId) }
    case 'GuestTakenOver':
      return { ...customer, guests: [...(customer.guests ?? []), event.data.guestId] }
    case 'CustomerForgotten':
      return { ...initial, status: 'forgotten', ...(customer.guests && { guests: customer.guests }) }
    case 'PersonalDataErased':
      return { ...initial, status: 'erased' }
  }
}

// Commands

export const customerCommands = {
  RegisterCustomer: z.strictObject({
    email: personal(EmailAddress),
    name: personal(Name),
    attributes: personal(Attributes.default({}).meta(noted)),
  }),
  RenameCustomer: z.strictObject({ name: personal(Name) }),
  SaveAddress: z.strictObject({ addressId: AddressId, country: Country, address: personal(Address) }),
  RemoveAddress: z.strictObject({ addressId: AddressId }),
  /** Asked for by the log-in alone. */
  TakeGuestOver: z.strictObject({ guestId: GuestId }),
  ForgetCustomer: z.strictObject({}),
  ConfirmErasure: z.strictObject({}),
}

// Decisions

type Command<Type extends keyof typeof customerCommands> = z.output<(typeof customerCommands)[Type]>
type Around = { readonly id: string }

const maxAddresses = 50
const maxGuests = 1_000

/** Whether nothing personal can be kept of them any more. */
export function isForgotten({ status }: Customer): boolean {
  return status === 'forgotten' || status === 'erased'
}

function refuseForgotten(customer: Customer): void {
  if (isForgotten(customer)) {
    throw reject(
      'customer-forgotten',
      'This customer was forgotten for good. Register anew, which makes another customer.',
    )
  }
}

/**
 * What a registered customer has registered with.
 * @throws Rejection for who never registered, and for who was forgotten
 */
export function registrationOf(customer: Customer, id: string): Registration {
  refuseForgotten(customer)
  if (customer.registration === undefined) throw notFound('customer', id)
  return customer.registration
}

function register(command: Command<'RegisterCustomer'>, customer: Customer): CustomerEvent[] {
  refuseForgotten(customer)
  if (customer.registration === undefined) return [{ type: 'CustomerRegistered', data: command }]
  if (isSame(command, customer.registration)) return []
  throw reject('customer-exists', 'This customer has registered before, with other data. Change those instead.')
}

function rename({ name }: Command<'RenameCustomer'>, customer: Customer, { id }: Around): CustomerEvent[] {
  return name === registrationOf(customer, id).name ? [] : [{ type: 'CustomerRenamed', data: { name } }]
}

function saveAddress(command: Command<'SaveAddress'>, customer: Customer, { id }: Around): CustomerEvent[] {
  registrationOf(customer, id)
  const { addressId, ...address } = command
  const present = customer.addresses.get(addressId)
  if (isSame(address, present)) return []
  if (present === undefined && customer.addresses.size >= maxAddresses) {
    throw reject('too-many-addresses', `A customer has ${maxAddresses} addresses at most. Remove one first.`)
  }
  return [{ type: 'AddressSaved', data: command }]
}

function removeAddress({ addressId }: Command<'RemoveAddress'>, customer: Customer, { id }: Around): CustomerEvent[] {
  registrationOf(customer, id)
  return customer.addresses.has(addressId) ? [{ type: 'AddressRemoved', data: { addressId } }] : []
}

/** Also of who has logged in elsewhere, and is not registered yet. */
function takeGuestOver(command: Command<'TakeGuestOver'>, customer: Customer): CustomerEvent[] {
  refuseForgotten(customer)
  const { guests = [] } = customer
  if (guests.includes(command.guestId)) return []
  if (guests.length >= maxGuests) {
    throw reject('too-many-guests', `A customer can have been ${maxGuests} guests at most. Fill the customer's cart.`)
  }
  return [{ type: 'GuestTakenOver', data: command }]
}

/** Anybody can be forgotten: a guest, whom only orders know, has never been heard of here. */
function forget(_command: object, customer: Customer): CustomerEvent[] {
  return isForgotten(customer) ? [] : [{ type: 'CustomerForgotten', data: {} }]
}

function confirmErasure(_command: object, { status }: Customer): CustomerEvent[] {
  if (status === 'erased') return []
  if (status === 'forgotten') return [{ type: 'PersonalDataErased', data: {} }]
  throw reject('customer-not-forgotten', 'Only the data of a forgotten customer are erased. Forget the customer first.')
}

export const customer = decider({
  events: customerEvents,
  commands: customerCommands,
  initial,
  evolve,
  decide: {
    RegisterCustomer: register,
    RenameCustomer: rename,
    SaveAddress: saveAddress,
    RemoveAddress: removeAddress,
    TakeGuestOver: takeGuestOver,
    ForgetCustomer: forget,
    ConfirmErasure: confirmErasure,
  },
})
