import { z } from 'zod'
import { type CustomerEvent, customerEvents } from '../domain/customer.ts'
import { orderEvents } from '../domain/order/events.ts'
import { Buyer, Currency, Id, Timestamp } from '../domain/values.ts'
import { owner, staff } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'
import { Instant } from './instant.ts'

/** Who buys: members from their registration on, guests from their first order on. */

const { email, name, attributes } = customerEvents.schemas.CustomerRegistered.shape
const SavedAddress = customerEvents.schemas.AddressSaved

export const Customer = z.object({
  id: Id.meta({ description: 'Customer', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  buyer: Buyer,
  email,
  name,
  addresses: z.array(SavedAddress).meta({ description: 'Saved addresses' }),
  attributes,
  createdAt: Timestamp.meta({
    description: 'When the customer registered; of guests, when they first ordered',
    example: '2026-01-15T09:30:00.000Z',
  }),
  orders: z.int().meta({ description: 'Number of orders that were paid', example: 3 }),
  spent: z.record(Currency, z.int()).meta({
    description: 'Paid for orders less what was given back, in minor units by currency',
    example: { EUR: 16_470 },
  }),
  lastOrderAt: Timestamp.nullable().meta({
    description: 'When the latest order that was paid was placed',
    example: '2026-01-15T09:30:00.000Z',
  }),
  forgotten: z.boolean().meta({ description: 'Whether all personal data was deleted', example: false }),
  revision: z.int().nullable().meta({
    description: 'Revision of the customer, for `If-Match`; null for a guest, of whom only orders know',
    example: 2,
  }),
})
export type Customer = z.output<typeof Customer>

export const customerDocuments = collection('customers', Customer, {
  byCreatedAt: ['createdAt'],
  byBuyer: ['buyer', 'createdAt'],
})

function unknown(id: string, createdAt: string): Customer {
  return {
    id,
    buyer: 'guest',
    email: null,
    name: null,
    addresses: [],
    attributes: null,
    createdAt,
    orders: 0,
    spent: {},
    lastOrderAt: null,
    forgotten: false,
    revision: null,
  }
}

function changed(event: Recorded<CustomerEvent>, evolve: (customer: Customer) => Partial<Customer>): Change {
  return customerDocuments.update(idOf(event.stream), (customer) => ({
    ...customer,
    ...evolve(customer),
    revision: event.revision,
  }))
}

const nothingPersonal: Partial<Customer> = { email: null, name: null, addresses: [], attributes: null, forgotten: true }

/** What the customer has spent, by an amount more or less. */
function spentMore({ spent }: Customer, currency: string, amount: number): Pick<Customer, 'spent'> {
  return { spent: { ...spent, [currency]: (spent[currency] ?? 0) + amount } }
}

export const customers = projection({
  name: 'customers',
  version: 2,
  collections: [customerDocuments],
  from: [customerEvents, orderEvents],
  on: {
    CustomerRegistered: ({ stream, revision, metadata, data }) => {
      const id = idOf(stream)
      const createdAt = metadata.occurredAt
      return customerDocuments.change(id, (known) => ({
        ...(known ?? unknown(id, createdAt)),
        ...data,
        buyer: 'member',
        createdAt,
        revision,
      }))
    },
    CustomerRenamed: (event) => changed(event, () => ({ name: event.data.name })),
    AddressSaved: (event) =>
      changed(event, ({ addresses }) => {
        const isKnown = addresses.some(({ addressId }) => addressId === event.data.addressId)
        if (!isKnown) return { addresses: [...addresses, event.data] }
        return { addresses: addresses.map((each) => (each.addressId === event.data.addressId ? event.data : each)) }
      }),
    AddressRemoved: (event) =>
      changed(event, ({ addresses }) => ({
        addresses: addresses.filter(({ addressId }) => addressId !== event.data.addressId),
      })),
    GuestTakenOver: (event) => changed(event, () => ({})),
    CustomerForgotten: (event) => changed(event, () => nothingPersonal),
    PersonalDataErased: (event) => changed(event, () => nothingPersonal),

    OrderPlaced: ({ data }) =>
      customerDocuments.change(data.customerId, (known) => {
        const customer = known ?? { ...unknown(data.customerId, data.placedAt), buyer: data.buyer }
        // Members change their address themselves; of guests the orders alone know it.
        return customer.revision === null ? { ...customer, email: data.email ?? customer.email } : customer
      }),
    OrderPaid: ({ data }) =>
      customerDocuments.update(data.customerId, (customer) => ({
        ...customer,
        ...spentMore(customer, data.currency, data.amount),
        orders: customer.orders + 1,
        lastOrderAt: (customer.lastOrderAt ?? '') > data.placedAt ? customer.lastOrderAt : data.placedAt,
      })),
    OrderRefunded: ({ data }) =>
      customerDocuments.update(data.customerId, (customer) => ({
        ...customer,
        ...spentMore(customer, data.currency, -data.total),
      })),
  },
})

const getCustomer = documentQuery({
  name: 'getCustomer',
  route: 'GET /v1/customers/{customerId}',
  summary: 'A customer',
  who: owner(({ id }: Customer) => id, 'customers'),
  from: customers,
  of: customerDocuments,
  parameters: z.object({ customerId: Customer.shape.id }),
  id: ({ customerId }) => customerId,
})

const listCustomers = pageQuery({
  name: 'listCustomers',
  route: 'GET /v1/admin/customers',
  summary: 'Customers, those who came last first',
  who: staff('customers'),
  from: customers,
  of: customerDocuments,
  parameters: z.object({
    buyer: Buyer.exactOptional(),
    createdFrom: Instant.exactOptional().meta({
      description: 'Registered (guests: first ordered) then or later',
      example: '2026-01-01T00:00:00.000Z',
    }),
    createdTo: Instant.exactOptional().meta({
      description: 'Registered (guests: first ordered) then or before',
      example: '2026-01-31T23:59:59.999Z',
    }),
  }),
  item: Customer.omit({ addresses: true, attributes: true }),
  find: ({ parameters: { buyer, createdFrom, createdTo } }) => ({
    ...(buyer === undefined ? { index: 'byCreatedAt' } : { index: 'byBuyer', equals: [buyer] }),
    ...(createdFrom !== undefined && { from: createdFrom }),
    ...(createdTo !== undefined && { to: createdTo }),
    direction: 'descending',
  }),
  show: (found) => found,
})

export const customerQueries = [getCustomer, listCustomers] as const
