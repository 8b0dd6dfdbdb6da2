import { z } from 'zod'
import { fulfilmentStates, paymentStates } from '../domain/order/standing.ts'
import { Id } from '../domain/values.ts'
import { owner, shopper, staff } from '../engine/access.ts'
import { findPage, findPageStepwise } from '../engine/query.ts'
import { documentQuery, pageOf, pageParameters, pageQuery, query } from '../engine/query-definition.ts'
import type { Find } from '../engine/read-store.ts'
import { Instant } from './instant.ts'
import { askedWords, findByBeginning, matchesAll, orderTexts } from './order-search.ts'
import { Order, orderDocuments, orders } from './orders.ts'

const getOrder = documentQuery({
  name: 'getOrder',
  route: 'GET /v1/orders/{orderId}',
  summary: 'An order',
  who: owner((order: Order) => order.customerId, 'orders'),
  from: orders,
  of: orderDocuments,
  parameters: z.object({ orderId: Order.shape.id }),
  id: ({ orderId }) => orderId,
})

const Summary = Order.pick({
  id: true,
  number: true,
  currency: true,
  units: true,
  totals: true,
  status: true,
  endReason: true,
  paymentStatus: true,
  fulfilmentStatus: true,
  placedAt: true,
  revision: true,
})

const listOwnOrders = pageQuery({
  name: 'listOwnOrders',
  route: 'GET /v1/orders',
  summary: 'My orders, the newest first',
  who: shopper(),
  from: orders,
  of: orderDocuments,
  parameters: z.object({ status: Order.shape.status.exactOptional() }),
  item: Summary,
  find: ({ principal }) => ({ index: 'byCustomer', equals: [principal.id], direction: 'descending' }),
  show: (found, { parameters: { status } }) =>
    found.map((order) => (status === undefined || order.status === status ? order : undefined)),
})

const StaffSummary = Summary.extend(
  Order.pick({
    customerId: true,
    buyer: true,
    country: true,
    email: true,
    paid: true,
    refunded: true,
    refundStatus: true,
  }).shape,
)

const Filters = z.object({
  status: Order.shape.status.exactOptional(),
  paymentStatus: z.enum(paymentStates).exactOptional().meta({ description: 'How far it is paid', example: 'captured' }),
  fulfilmentStatus: z
    .enum(fulfilmentStates)
    .exactOptional()
    .meta({ description: 'How far it is shipped and delivered', example: 'unfulfilled' }),
  refundStatus: Order.shape.refundStatus.exactOptional(),
  customerId: Id.exactOptional().meta({ description: 'Whose orders', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  placedFrom: Instant.exactOptional().meta({
    description: 'Placed then or later',
    example: '2026-01-01T00:00:00.000Z',
  }),
  placedTo: Instant.exactOptional().meta({ description: 'Placed then or before', example: '2026-01-31T23:59:59.999Z' }),
  q: z.string().trim().min(1).max(200).exactOptional().meta({
    description: 'Beginnings of words of its number, of SKUs and of titles; an order has to have them all',
    example: 'blue teap',
  }),
})
type Filters = z.output<typeof Filters>

/** The index that has the least to look through; what it does not know is filtered. */
function placeOf({
  customerId,
  fulfilmentStatus,
  paymentStatus,
  refundStatus,
  status,
}: Filters): Pick<Find, 'index' | 'equals'> {
  if (customerId !== undefined) return { index: 'byCustomer', equals: [customerId] }
  if (refundStatus !== undefined) return { index: 'byRefund', equals: [refundStatus] }
  if (paymentStatus !== undefined) return { index: 'byPayment', equals: [paymentStatus] }
  if (fulfilmentStatus !== undefined) return { index: 'byFulfilment', equals: [fulfilmentStatus] }
  return status !== undefined ? { index: 'byStatus', equals: [status] } : { index: 'byPlacedAt' }
}

function matches(
  order: Order,
  { customerId, fulfilmentStatus, paymentStatus, refundStatus, status }: Filters,
): boolean {
  return (
    (customerId === undefined || order.customerId === customerId) &&
    (fulfilmentStatus === undefined || order.fulfilmentStatus === fulfilmentStatus) &&
    (paymentStatus === undefined || order.paymentStatus === paymentStatus) &&
    (refundStatus === undefined || order.refundStatus === refundStatus) &&
    (status === undefined || order.status === status)
  )
}

const listOrders = query({
  name: 'listOrders',
  route: 'GET /v1/admin/orders',
  summary: 'All orders, the newest first',
  description: 'Filters can be combined. Where several leave little, a page may be short and still have a next one.',
  who: staff('orders'),
  from: orders,
  parameters: Filters.extend(pageParameters),
  result: pageOf(StaffSummary),
  paged: true,
  async run({ parameters: { cursor, limit, ...filters }, reader }) {
    const { q, placedFrom, placedTo } = filters
    const range = {
      ...(placedFrom !== undefined && { from: placedFrom }),
      ...(placedTo !== undefined && { to: placedTo }),
    }
    if (q === undefined) {
      return await findPage(reader, {
        of: orderDocuments,
        find: { ...placeOf(filters), ...range, direction: 'descending' },
        limit,
        cursor,
        boundTo: filters,
        show: (found) => found.map((order) => (matches(order, filters) ? order : undefined)),
      })
    }
    const asked = askedWords(q)
    const [longest] = asked.toSorted((left, right) => right.length - left.length)
    return await findPageStepwise({
      generationId: reader.generationId,
      direction: 'descending',
      boundTo: ['orders by words', filters],
      limit,
      cursor,
      find: longest === undefined ? async () => [] : findByBeginning(reader, longest, range),
      async show(hits) {
        const ids = hits.map(({ orderId }) => orderId)
        const [texts, found] = await Promise.all([reader.get(orderTexts, ids), reader.get(orderDocuments, ids)])
        return found.map((order, index) => {
          const text = texts[index]
          return order && text && matchesAll(text, asked) && matches(order, filters) ? order : undefined
        })
      },
    })
  },
})

export const orderQueries = [getOrder, listOwnOrders, listOrders] as const
