import { type OpenWork, openWorkItems } from '../engine/open-work.ts'
import type { ReadModels } from '../engine/projections.ts'
import { deadLetters, openDeadLetters } from '../projections/dead-letters.ts'

/** How much work is open and was set aside, counted in the read models' indexes and up to a bound, so that it is cheap to ask. */

/** Work of one kind. */
export interface WorkFigures {
  readonly job: string
  readonly open: number
  /** Of those, the ones whose time has come. */
  readonly overdue: number
  /** When the first of them is due; undefined where there is none. */
  readonly oldestDueAt: string | undefined
  /** True where there is more than was counted. */
  readonly isMore: boolean
}

export interface LetterFigures {
  /** A process manager or a job. */
  readonly name: string
  readonly count: number
}

/** Beyond it one knows that it is too much. */
const mostCounted = 1_000

type Reading = Pick<ReadModels, 'reader'>

/**
 * Counts the work that is open, by its kind.
 * @param jobs names of all kinds
 * @param now ISO 8601
 * @throws UnavailableError while the read model is built
 */
export async function workFigures(
  projections: Reading,
  jobs: readonly string[],
  now: string,
): Promise<readonly WorkFigures[]> {
  const reader = projections.reader('open-work')
  return await Promise.all(
    jobs.map(async (job) => {
      const of = { index: 'byJob', equals: [job], limit: mostCounted }
      const keys = await reader.keys(openWorkItems, of)
      const dueTimes = keys.flatMap(([, dueAt]) =>
        typeof dueAt === 'string' ? [dueAt satisfies OpenWork['dueAt']] : [],
      )
      const overdue = dueTimes.filter((dueAt) => dueAt <= now).length
      return { job, open: keys.length, overdue, oldestDueAt: dueTimes[0], isMore: keys.length === mostCounted }
    }),
  )
}

/**
 * Counts what was set aside and waits for an operator, by what it failed in.
 * @returns `isMore` is true where there is more than was counted
 * @throws UnavailableError while the read model is built
 */
export async function letterFigures(
  projections: Reading,
): Promise<{ readonly items: readonly LetterFigures[]; readonly isMore: boolean }> {
  const reader = projections.reader(deadLetters.name)
  const keys = await reader.keys(openDeadLetters, { index: 'byName', limit: mostCounted })
  const counts = new Map<string, number>()
  for (const [name] of keys) counts.set(String(name), (counts.get(String(name)) ?? 0) + 1)
  return { items: Array.from(counts, ([name, count]) => ({ name, count })), isMore: keys.length === mostCounted }
}
