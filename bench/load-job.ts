import { z } from 'zod'
import { type Child, startChild } from './child.ts'

/** What the process that makes the load is asked, and what it answers. */

/** So many shoppers or readers do one thing after another until the time is over, or it was done often enough. */
const closed = {
  url: z.string(),
  concurrency: z.int(),
  durationMs: z.int().exactOptional(),
  count: z.int().exactOptional(),
}

const Request = z.object({
  path: z.string(),
  token: z.string().exactOptional(),
  /** Of a command; a query has none. */
  body: z.unknown().optional(),
})

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
    queries: z.array(Request),
  }),
  /** So many requests in a second, whether or not those before have been answered; latencies count from when each was due. */
  z.object({
    kind: z.literal('schedule'),
    url: z.string(),
    perSecond: z.number(),
    durationMs: z.int(),
    requests: z.array(Request),
  }),
  /** So many commands in a second, each followed by the query that sees its effect; latencies are of these. */
  z.object({
    kind: z.literal('reactions'),
    url: z.string(),
    perSecond: z.number(),
    durationMs: z.int(),
    carts: z.array(z.object({ cartId: z.string(), sku: z.string(), token: z.string() })),
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
  /** All of them, where they were asked for on schedule. */
  latenciesMs: z.array(z.number()).exactOptional(),
})
export type Outcome = z.output<typeof Outcome>

export interface Load {
  run(job: z.input<typeof Job>): Promise<Outcome>
  stop(): Promise<void>
}

/** Starts the process that makes the load. */
export function startLoad(): Load {
  const child: Child = startChild('./load.ts')
  return { run: async (job) => Outcome.parse(await child.ask(job)), stop: child.stop }
}
