import { z } from 'zod'
import { startChild } from './child.ts'

/** What the process that uses EventStoreDB is asked, and what it answers. */

const url = z.string()
export const EventStoreQuestion = z.discriminatedUnion('kind', [
  /** Reserves stock through the command handler, on so many stock items. */
  z.object({ kind: z.literal('handle'), url, count: z.int(), concurrency: z.int(), streams: z.int() }),
  /** Appends events like the last one of a stream by the bare client. */
  z.object({ kind: z.literal('append-barely'), url, count: z.int(), concurrency: z.int(), like: z.string() }),
  /** Reads the whole log, or its events of one type. */
  z.object({ kind: z.literal('scan'), url, type: z.string().optional() }),
  z.object({ kind: z.literal('scan-barely'), url, type: z.string().optional() }),
])
export type EventStoreQuestion = z.output<typeof EventStoreQuestion>

export const Handled = z.object({ seconds: z.number(), like: z.string() })
export const Appended = z.object({ seconds: z.number() })
export const Scanned = z.object({ seconds: z.number(), events: z.int() })

/** Asks a new process, which ends when it has answered. */
export async function askEventStoreProcess<Answer>(
  schema: z.ZodType<Answer>,
  question: EventStoreQuestion,
  profileDirectory: string | undefined,
): Promise<Answer> {
  const child = startChild('./eventstoredb-process.ts', { profileDirectory })
  try {
    return schema.parse(await child.ask(question))
  } finally {
    await child.stop()
  }
}
