import { z } from 'zod'
import { startChild } from './child.ts'

/** What the process that runs the engine without HTTP is asked, and what it answers. */

export const EngineQuestion = z.discriminatedUnion('kind', [
  /** Opens a directory; with read models, the whole engine, when they are all there. */
  z.object({ kind: z.literal('open'), directory: z.string(), readModels: z.boolean() }),
  /** Opens carts, each a new stream with one event. */
  z.object({ kind: z.literal('open-carts'), count: z.int(), concurrency: z.int() }),
  /** Asks as processes do for one piece of an item each time, of which there are fewer. */
  z.object({ kind: z.literal('sell-out'), stock: z.int(), reservations: z.int(), concurrency: z.int() }),
  /** Reserves a piece and sends out another one, again and again. */
  z.object({ kind: z.literal('turn-over'), events: z.int(), open: z.int() }),
  /** Reserves one piece of the item that was turned over. */
  z.object({ kind: z.literal('reserve-one') }),
])
export type EngineQuestion = z.output<typeof EngineQuestion>

export const Seconds = z.object({ seconds: z.number() })
export const SoldOut = Seconds.extend({ reserved: z.int(), refused: z.int() })

export interface EngineProcess {
  ask<Answer>(schema: z.ZodType<Answer>, question: Exclude<EngineQuestion, { kind: 'open' }>): Promise<Answer>
  /** Ends as a server does: the directory can be opened again. */
  stop(): Promise<void>
}

/** Starts the engine on a data directory, in a process of its own. */
export async function startEngineProcess(
  directory: string,
  { readModels, profileDirectory }: { readonly readModels: boolean; readonly profileDirectory?: string | undefined },
): Promise<EngineProcess> {
  const child = startChild('./engine-process.ts', { profileDirectory })
  const ask = (question: EngineQuestion) => child.ask(question)
  await ask({ kind: 'open', directory, readModels })
  return { ask: async (schema, question) => schema.parse(await ask(question)), stop: child.stop }
}
