import { z } from 'zod'
import { filesOf } from '../src/storage.ts'
import { startChild } from './child.ts'

export const scanLimit = 'every row of the same log selected and its JSON parsed, in a process of its own'

/** Reads the log of a data directory as barely as it can be read. @returns events a second */
export async function scan(directory: string): Promise<number> {
  const child = startChild('./raw-scan.ts')
  try {
    const answer = await child.ask(filesOf(directory).log)
    const { events, seconds } = z.object({ events: z.number(), seconds: z.number() }).parse(answer)
    return events / seconds
  } finally {
    await child.stop()
  }
}
