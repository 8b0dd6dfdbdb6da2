import { z } from 'zod'
import { type Connection, ProblemError, succeed } from './connection.ts'
import { printTable } from './output.ts'

const Letter = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  subject: z.string(),
  reason: z.string(),
  raisedAt: z.string(),
})
type Letter = z.output<typeof Letter>
const Page = z.object({ items: z.array(Letter), next: z.string().nullable() })

function pathOf(id: string): string {
  return `/v1/dead-letters/${encodeURIComponent(id)}`
}

/** All that is set aside, a page at a time, the newest first. */
async function* letters(connection: Connection): AsyncGenerator<readonly Letter[]> {
  for (let cursor = ''; ; ) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { body } = await succeed(connection.send('GET', `/v1/dead-letters?limit=100${query}`))
    const { items, next } = Page.parse(body)
    if (items.length > 0) yield items
    if (next === null) return
    cursor = next
  }
}

/** Lists what failed for good and waits for somebody. */
export async function listDeadLetters(connection: Connection): Promise<void> {
  const rows: string[][] = []
  for await (const page of letters(connection)) {
    rows.push(...page.map(({ id, raisedAt, name, subject, reason }) => [id, raisedAt, name, subject, reason]))
  }
  printTable(['id', 'set aside', 'failed in', 'for', 'why'], rows)
}

/** Shows one with all that is known of it. @throws ProblemError when it does not wait for anybody */
export async function showDeadLetter(connection: Connection, id: string): Promise<void> {
  console.log(JSON.stringify((await succeed(connection.send('GET', pathOf(id)))).body, undefined, 2))
}

/** Has one tried again. @throws ProblemError when there is no such one, or it was discarded */
export async function retryDeadLetter(connection: Connection, id: string): Promise<void> {
  await succeed(connection.send('POST', `${pathOf(id)}/retry`))
}

/**
 * Has all tried again that wait now; those that somebody else discards meanwhile are left out.
 * @returns how many are
 */
export async function retryAllDeadLetters(connection: Connection): Promise<number> {
  // All are known before the first is tried again, for it may come back as a new one.
  const ids: string[] = []
  for await (const page of letters(connection)) ids.push(...page.map(({ id }) => id))
  let retried = 0
  for (const id of ids) {
    try {
      await retryDeadLetter(connection, id)
      retried++
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 409) throw error
    }
  }
  return retried
}

/**
 * Discards one: nobody tries it again.
 * @param reason why, for those who look later
 * @throws ProblemError when there is no such one, or it is being tried again
 */
export async function discardDeadLetter(connection: Connection, id: string, reason: string): Promise<void> {
  await succeed(connection.send('POST', `${pathOf(id)}/discard`, { body: { reason } }))
}
