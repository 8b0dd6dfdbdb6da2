import { z } from 'zod'

/** What a process of a cluster that is looked into is asked, and what it answers. */

/** Milliseconds that all processes of a machine count alike. */
const Moment = z.object({ position: z.int(), atMs: z.number() })

export const ClusterEngineQuestion = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open'), role: z.enum(['api', 'projector']) }),
  /** Opens carts, so many in a second, and waits each time until the read model has it. */
  z.object({ kind: z.literal('wait'), perSecond: z.int(), durationMs: z.int() }),
  /** When which places of the read model were written, since the last time that this was asked. */
  z.object({ kind: z.literal('written') }),
])
export type ClusterEngineQuestion = z.output<typeof ClusterEngineQuestion>

/** In the order of time. */
export const Moments = z.array(Moment)
export type Moments = z.output<typeof Moments>

/** The read model that is waited for. */
export const awaited = 'carts'
