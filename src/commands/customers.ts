import { type Customer, customer, customerCommands } from '../domain/customer.ts'
import { Id } from '../domain/values.ts'
import { owner, staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'

/** A customer's account belongs to the customer with its id. */
const own = owner((_customer: Customer, id) => id, 'customers')
const personOf = ({ id }: { readonly id: string }) => id

export const registerCustomer = command({
  name: 'registerCustomer',
  route: 'POST /v1/customers',
  summary: 'Register a customer',
  description: 'The e-mail address must not be in use by another customer.',
  who: staff('customers'),
  target: customer,
  type: 'RegisterCustomer',
  body: customerCommands.RegisterCustomer.extend({
    id: Id.exactOptional().meta({ description: 'Identifier, if the shop chooses it itself', example: '17850' }),
  }),
  creates: { location: '/v1/customers/{customerId}', id: (body) => body.id },
  personOf,
  claims: ({ email }) => (email === null ? [] : [{ noun: 'e-mail address', value: email.trim().toLowerCase() }]),
  holds: ({ status }) => status === 'registered',
  toData: ({ email, name, attributes }) => ({ email, name, attributes }),
})

export const customerRequests = [
  registerCustomer,
  command({
    name: 'renameCustomer',
    route: 'POST /v1/customers/{customerId}/rename',
    summary: 'Change the name of a customer',
    who: own,
    target: customer,
    type: 'RenameCustomer',
    personOf,
  }),
  command({
    name: 'saveAddress',
    route: 'POST /v1/customers/{customerId}/addresses',
    summary: 'Save an address',
    description: 'Replaces the address with this id, if there is one.',
    who: own,
    target: customer,
    type: 'SaveAddress',
    personOf,
  }),
  command({
    name: 'removeAddress',
    route: 'POST /v1/customers/{customerId}/remove-address',
    summary: 'Remove an address',
    who: own,
    target: customer,
    type: 'RemoveAddress',
  }),
  command({
    name: 'forgetCustomer',
    route: 'POST /v1/customers/{customerId}/forget',
    summary: 'Forget a person',
    description:
      "Deletes the key that the person's data is encrypted with, in every event and read model at once. It can't be undone. Orders and figures stay. Works for guests, too.",
    who: own,
    target: customer,
    type: 'ForgetCustomer',
    keyRequired: true,
    startsWork: true,
  }),
]
