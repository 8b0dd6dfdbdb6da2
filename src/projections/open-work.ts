import { z } from 'zod'
import { staff } from '../engine/access.ts'
import { OpenWork, openWorkItems } from '../engine/open-work.ts'
import type { Projection } from '../engine/projection.ts'
import { pageQuery } from '../engine/query-definition.ts'
import { Instant } from './instant.ts'

/**
 * What may be asked of the work that is open.
 * @param projection the read model, made from the jobs of the shop
 */
export function openWorkQueries(projection: Projection) {
  const listOpenWork = pageQuery({
    name: 'listOpenWork',
    route: 'GET /v1/open-work',
    summary: 'Work that is asked for and not settled, what is due first',
    who: staff('system'),
    from: projection,
    of: openWorkItems,
    parameters: z.object({
      job: OpenWork.shape.job.max(100).exactOptional().meta({
        description: 'Only this kind of work',
        example: 'authorise-payment',
      }),
      dueTo: Instant.exactOptional().meta({
        description: 'Only what is due then or before',
        example: '2026-01-15T09:30:00.000Z',
      }),
    }),
    item: OpenWork,
    find: ({ parameters: { job, dueTo } }) => ({
      ...(job === undefined ? { index: 'byDue' } : { index: 'byJob', equals: [job] }),
      ...(dueTo !== undefined && { to: dueTo }),
    }),
    show: (found) => found,
  })
  return [listOpenWork] as const
}
