import { z } from 'zod'
import { startChild } from './child.ts'

/** What the process that runs the engine without HTTP is asked, and what it answers. */

export const EngineQuestion = z.discriminatedUnion('kind', [
  /** Opens a directory; with read models, the whole engine, when they are all there. */
  z.object({
    kind: z.literal('open'),
    directory: z.string(),
    readModels: z.boolean(),
    /** Where the log is, if it is not in the directory. */
    eventStoreUrl: z.string().exactOptional(),
  }),
  /** Opens carts, each a new stream with one event. */
  z.object({ kind: z.literal('open-carts'), count: z.int(), concurrency: z.int() }),
  /** Asks as processes do for one piece of an item each time, of which there are fewer. */
  z.object({ kind: z.literal('sell-out'), stock: z.int(), reservations: z.int(), concurrency: z.int() }),
  /** Reserves a piece and sends out another one, again and again. */
  z.object({ kind: z.literal('turn-over'), events: z.int(), open: z.int() }),
  /** Reserves one piece of the item that was turned over. */
  z.object({ kind: z.literal('reserve-one') }),
  /** Makes pieces of an item available. */
  z.object({ kind: z.literal('receive'), sku: z.string(), quantity: z.int() }),
  /** Asks for one piece of an item each time until the time is over, and again for what was refused because others wrote too. */
  z.object({
    kind: z.literal('reserve'),
    sku: z.string(),
    /** What the ids of its reservations begin with. */
    prefix: z.string(),
    concurrency: z.int(),
    durationMs: z.int(),
  }),
  /** Reads what became of the reservations of an item. */
  z.object({ kind: z.literal('read-reservations'), sku: z.string() }),
])
export type EngineQuestion = z.output<typeof EngineQuestion>

export const Seconds = z.object({ seconds: z.number() })
export const SoldOut = Seconds.extend({ reserved: z.int(), refused: z.int() })
export const Reserved = Seconds.extend({
  /** Those that were answered. */
  answers: z.array(z.object({ reservationId: z.string(), revision: z.int() })),
  /** How often one had to be asked for again. */
  retries: z.int(),
  p99Ms: z.number(),
})
/** Events of a stock item that answer reservations, in their order. */
export const Reservations = z.array(z.object({ reservationId: z.string(), revision: z.int(), type: z.string() }))

export interface EngineProcess {
  ask<Answer>(schema: z.ZodType<Answer>, question: Exclude<EngineQuestion, { kind: 'open' }>): Promise<Answer>
  /** Ends as a server does: the directory can be opened again. */
  stop(): Promise<void>
}

interface EngineProcessOptions {
  readonly readModels: boolean
  readonly eventStoreUrl?: string
  readonly profileDirectory?: string | undefined
}

/** Starts the engine on a data directory, in a process of its own. */
export async function startEngineProcess(
  directory: string,
  { profileDirectory, ...opening }: EngineProcessOptions,
): Promise<EngineProcess> {
  const child = startChild('./engine-process.ts', { profileDirectory })
  const ask = (question: EngineQuestion) => child.ask(question)
  await ask({ kind: 'open', directory, ...opening })
  return { ask: async (schema, question) => schema.parse(await ask(question)), stop: child.stop }
}
