import { z } from 'zod'
import type { Sessions } from '../../accounts/sessions.ts'
import { Id } from '../../domain/values.ts'
import { owner } from '../../engine/access.ts'
import { notFound } from '../../engine/errors.ts'
import type { PersonalData } from '../../engine/personal-data.ts'
import type { ReadModels } from '../../engine/projections.ts'
import { findPage } from '../../engine/query.ts'
import { pageParameters } from '../../engine/query-definition.ts'
import { Cart, carts, openCartsOf } from '../../projections/carts.ts'
import { Customer, customerDocuments, customers } from '../../projections/customers.ts'
import { orderTimeline, TimelineEntry, timelineOf } from '../../projections/order-timeline.ts'
import { Order, orderDocuments, orders } from '../../projections/orders.ts'
import { Payment, payments, paymentsOf } from '../../projections/payments.ts'
import { type Operation, operation } from '../operation-route.ts'
import { ShownSession, shownSession } from './session-operations.ts'

/** All that the shop knows of a person, as the person may ask for it (GDPR, articles 15 and 20). */

export interface ExportOptions {
  readonly sessions: Pick<Sessions, 'list'>
  readonly personal: Pick<PersonalData, 'open'>
  readonly projections: Pick<ReadModels, 'reader' | 'freshen'>
}

const ordersOfPage = 20

const ExportedOrder = Order.extend({
  timeline: z.array(TimelineEntry).meta({ description: 'What happened to it, the first first; at most 200 entries' }),
  payments: z
    .array(Payment)
    .meta({ description: 'Its payments, the newest first, without what they were paid with; at most 50' }),
})

const Exported = z.object({
  customerId: Id.meta({ description: 'Customer or guest', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  customer: Customer.nullable().meta({
    description: 'Profile, addresses and figures; null for a guest who never ordered',
  }),
  sessions: z.array(ShownSession).meta({ description: 'Where the person has logged in, at most 50' }),
  carts: z
    .array(Cart)
    .meta({ description: 'Open carts, the newest first, at most 20; those that were ordered are orders' }),
  orders: z.array(ExportedOrder).meta({ description: `Orders, the newest first, ${ordersOfPage} at a time` }),
  next: z.string().nullable().meta({
    description: 'Send it as `cursor` for further orders; null where there are none',
    example: 'WyJvcmRlcnMi',
  }),
})

export function exportOperation({ sessions, personal, projections }: ExportOptions): Operation {
  async function readerOf({ name }: { readonly name: string }) {
    await projections.freshen(name)
    return projections.reader(name)
  }

  return operation({
    name: 'exportCustomer',
    method: 'GET',
    path: '/v1/customers/{customerId}/export',
    summary: 'All that is known of a person',
    description:
      'Profile, addresses, sessions and open carts, and orders with what happened to them and their payments. Orders come in pages: go on with `next` as `cursor` until it is null. Works for guests, too, with their token.',
    who: owner(() => undefined, 'customers'),
    parameters: z.object({ customerId: Id, cursor: pageParameters.cursor }),
    result: Exported,
    status: 200,
    async run({ parameters: { customerId, cursor }, principal }) {
      if (principal.kind !== 'staff' && principal.id !== customerId) throw notFound('customer', customerId)
      const [customersReader, cartsReader, ordersReader, timelineReader, paymentsReader] = await Promise.all(
        [customers, carts, orders, orderTimeline, payments].map(readerOf),
      )
      if (!customersReader || !cartsReader || !ordersReader || !timelineReader || !paymentsReader)
        throw new Error('A read model has no reader')
      const [customer = null] = await customersReader.get(customerDocuments, [customerId])
      const page = await findPage(ordersReader, {
        of: orderDocuments,
        find: { index: 'byCustomer', equals: [customerId], direction: 'descending' },
        limit: ordersOfPage,
        cursor,
        show: (found) => found,
      })
      const withTheirs = page.items.map(async (order) => ({
        ...order,
        timeline: (await timelineOf(timelineReader, order.id)).map((entry) => ({ ...entry, by: null })),
        payments: [...(await paymentsOf(paymentsReader, order.id))],
      }))
      const exported = {
        customerId,
        customer,
        sessions: (await sessions.list(customerId)).map(shownSession),
        carts: [...(await openCartsOf(cartsReader, customerId))],
        orders: await Promise.all(withTheirs),
        next: page.next,
      }
      const [opened] = await personal.open(Exported, [exported])
      return Exported.parse(opened)
    },
  })
}
