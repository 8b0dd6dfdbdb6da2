import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { Address, Attributes, Country, EmailAddress, Id } from './values.ts'

/** A person who buys. Who is forgotten stays as an id; also a guest, who never registered, can be forgotten. */

const Name = z.string().trim().min(1).max(200).meta({ description: 'Full name', example: 'Ada Lovelace' })
const AddressId = Id.meta({ description: 'Names the address within the customer', example: 'home' })

// Events

export const customerEvents = defineEvents('customer', {
  CustomerRegistered: z.object({ email: personal(EmailAddress), name: personal(Name), attributes: Attributes }),
  CustomerRenamed: z.object({ name: personal(Name) }),
  AddressSaved: z.object({ addressId: AddressId, country: Country, address: personal(Address) }),
  AddressRemoved: z.object({ addressId: AddressId }),
  CustomerForgotten: z.object({}),
  /** The key is gone, and with it everything that was encrypted with it. */
  PersonalDataErased: z.object({}),
})
export type CustomerEvent = EventOf<typeof customerEvents>

// Commands

export const customerCommands = {
  RegisterCustomer: z.strictObject({
    email: personal(EmailAddress),
    name: personal(Name),
    attributes: Attributes.default({}),
  }),
  RenameCustomer: z.strictObject({ name: personal(Name) }),
  SaveAddress: z.strictObject({ addressId: AddressId, country: Country, address: personal(Address) }),
  RemoveAddress: z.strictObject({ addressId: AddressId }),
  ForgetCustomer: z.strictObject({}),
  ConfirmErasure: z.strictObject({}),
}
