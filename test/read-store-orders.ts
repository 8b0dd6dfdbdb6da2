import type { Checkpoint } from '../src/engine/event-store.ts'
import type { Document, DocumentWrite, ProjectionSpec } from '../src/engine/read-store.ts'

/** A projection of orders, for tests of the read store. */
export const ordersSpec: ProjectionSpec = {
  name: 'orders',
  version: 3,
  collections: [
    { name: 'orders', indexes: { byStatus: ['status'], byTotal: ['status', 'total'] } },
    { name: 'order-lines', indexes: {} },
  ],
}

/** A write of a document that expects none there, unless a position is given. */
export function put(
  id: string,
  position: number,
  body: Document | undefined,
  collection = 'orders',
  expectedPosition?: number,
): DocumentWrite {
  return { collection, id, expectedPosition, position, body }
}

/** A checkpoint of one log. */
export function at(position: number): Checkpoint {
  return { logId: 'log-1', position, eventId: `event-${position}` }
}
