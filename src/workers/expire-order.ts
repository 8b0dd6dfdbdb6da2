import { orderEvents } from '../domain/order/events.ts'
import { order } from '../domain/order/order.ts'
import { ask } from '../engine/command.ts'
import { job } from '../engine/job.ts'
import { idOf } from '../engine/streams.ts'

const settled = ({ stream }: { readonly stream: string }) => ({ target: idOf(stream), key: '' })

/** Ends an order that is still pending when its time is up. */
export const expireOrder = job({
  name: 'expire-order',
  of: order,
  from: [orderEvents],
  opens: {
    OrderPlaced: ({ stream, data }) => ({ target: idOf(stream), key: '', dueAt: data.expiresAt }),
  },
  settles: {
    OrderConfirmed: settled,
    OrderRejected: settled,
    OrderExpired: settled,
    OrderCancelled: settled,
  },
  isOpen: ({ status }) => status === 'pending',
  run: async (_state, { target, dueAt }) => [ask(order, target, 'ExpireOrder', { dueAt })],
})
