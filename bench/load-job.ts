import { z } from 'zod'
import { type Child, startChild } from './child.ts'

/** What the process that makes the load is asked, and what it answers. */

/** So many shoppers or readers do one thing after another until the time is over. */
const closed = { url: z.string(), concurrency: z.int(), durationMs: z.int() }

export const Job = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('purchases'),
    ...closed,
    /** Of the customers who buy, in turn. */
    tokens: z.array(z.string()),
    skus: z.array(z.object({ productId: z.string(), sku: z.string() })),
  }),
  z.object({
    kind: z.literal('queries'),
    ...closed,
    queries: z.array(z.object({ path: z.string(), token: z.string().exactOptional() })),
  }),
])
export type Job = z.output<typeof Job>
export type JobOf<Kind extends Job['kind']> = Extract<Job, { kind: Kind }>

const Outcome = z.object({
  /** Purchases or queries that were answered as they should be. */
  count: z.int(),
  perSecond: z.number(),
  /** Of single requests, as the other one. */
  p50Ms: z.number(),
  p99Ms: z.number(),
})
export type Outcome = z.output<typeof Outcome>

export interface Load {
  run(job: Job): Promise<Outcome>
  stop(): Promise<void>
}

/** Starts the process that makes the load. */
export function startLoad(): Load {
  const child: Child = startChild('./load.ts')
  return { run: async (job) => Outcome.parse(await child.ask(job)), stop: child.stop }
}
