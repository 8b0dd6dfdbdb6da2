import { z } from 'zod'

/** What a process that makes load is told to do, and what it tells. */

export const LoadTask = z.object({
  url: z.url(),
  shopperToken: z.string(),
  staffToken: z.string(),
  seconds: z.number(),
  /** Requests a second that are sent on schedule, whatever becomes of those before them. */
  perSecond: z.number().optional(),
  /** Requests under way at a time, if there is no schedule. */
  concurrency: z.number().optional(),
})
export type LoadTask = z.input<typeof LoadTask>

/** Milliseconds from sending a request to the end of its answer, sorted. */
const Latencies = z.array(z.number())
export const Seen = z.object({
  sent: z.number(),
  seconds: z.number(),
  served: Latencies,
  /** Answered 503. */
  refused: Latencies,
  /** Of the refused: without Retry-After or a problem of their own. */
  unexplained: z.number(),
  /** Everything else, by what it was. */
  others: z.record(z.string(), z.number()),
})
export type Seen = z.output<typeof Seen>
