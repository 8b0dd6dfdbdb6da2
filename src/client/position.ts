import type { Send } from './retry.ts'

const header = 'daybook-position'
const form = /^([A-Za-z0-9_-]+)\.([0-9a-z]+)$/

/**
 * Whether a position is behind another one of the same log: behind the dot is a number in base 36. Of positions that do not
 * look like that, the one that came later counts.
 */
function isBehind(one: string, other: string): boolean {
  const [, log, place] = form.exec(one) ?? []
  const [, otherLog, otherPlace] = form.exec(other) ?? []
  if (log === undefined || log !== otherLog) return false
  return Number.parseInt(place ?? '', 36) < Number.parseInt(otherPlace ?? '', 36)
}

async function isUnknown(answer: Response): Promise<boolean> {
  return answer.status === 400 && (await answer.clone().text()).includes('"unknown-position"')
}

/** Sends queries with the position of what was written last, so that they show it. */
export function readingWrites(send: Send): Send {
  let latest: string | undefined
  return async (request) => {
    if (request.method !== 'GET') {
      const answer = await send(request)
      const reached = answer.headers.get(header)
      // Answers of commands that were sent together come in any order.
      if (reached !== null && (latest === undefined || !isBehind(reached, latest))) latest = reached
      return answer
    }
    if (latest === undefined) return await send(request)
    const positioned = new Request(request.clone())
    positioned.headers.set(header, latest)
    const answer = await send(positioned)
    if (!(await isUnknown(answer))) return answer
    // The shop has another log by now: it was restored, or made anew.
    latest = undefined
    return await send(request)
  }
}
