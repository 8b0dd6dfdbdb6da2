import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { bigStore } from './big-store.ts'
import { type Shop, startShop } from './shop.ts'

/** What the benchmarks of read models share: a shop whose read models are built, and the waiting for them. */

const Projections = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['live', 'building', 'stopped']),
      position: z.int(),
      lag: z.int(),
      rebuild: z.unknown().optional(),
      rebuildFailure: z.string().optional(),
      error: z.string().optional(),
    }),
  ),
})
const pollEveryMs = 20

/**
 * Waits until read models are there and nothing is built any more.
 * @param name one of them; all, if it is not given
 * @returns how far the log reaches
 * @throws Error when one has stopped, or could not be built
 */
export async function untilBuilt({ url, token }: Shop, name?: string): Promise<number> {
  for (; ; await sleep(pollEveryMs)) {
    const answer = await fetch(`${url}/v1/projections`, { headers: { authorization: `Bearer ${token}` } })
    // Busy: it says so rather than let others wait.
    if (answer.status === 503) continue
    if (!answer.ok) throw new Error(`How far the read models are was answered ${answer.status}`)
    const { items } = Projections.parse(await answer.json())
    const watched = items.filter((each) => name === undefined || each.name === name)
    for (const { name: failed, error, rebuildFailure } of watched) {
      const reason = error ?? rebuildFailure
      if (reason !== undefined) throw new Error(`The read model ${failed} could not be built: ${reason}`)
    }
    if (watched.every(({ status, lag, rebuild }) => status === 'live' && lag === 0 && rebuild === undefined)) {
      return Math.max(...watched.map(({ position }) => position))
    }
  }
}

/** Asks for a read model to be built anew, as operators do. */
export async function askForRebuild({ url, token }: Shop, name: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/v1/projections/${name}/rebuild`, { method: 'POST', headers })
  if (answer.status !== 202) throw new Error(`The rebuild of ${name} was answered ${answer.status}`)
}

const built = new Map<number, Promise<string>>()

/** A data directory of so many events with all read models, for all in this process, who must leave its log as it is. */
export function bigShop(events: number, progress: (what: string) => void): Promise<string> {
  const known = built.get(events)
  if (known !== undefined) return known
  const made = build(events, progress)
  built.set(events, made)
  return made
}

async function build(events: number, progress: (what: string) => void): Promise<string> {
  const directory = await bigStore(events, progress)
  progress('builds the read models')
  const shop = await startShop(directory, undefined)
  try {
    await untilBuilt(shop)
  } finally {
    await shop.stop()
  }
  return directory
}
