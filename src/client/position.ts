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

/** What a client has written last. */
export interface LatestPosition {
  get(): string | undefined
  /** Takes what a command was answered with. Answers of commands that were sent together come in any order. */
  reached(position: string): void
  forget(): void
}

export function latestPosition(): LatestPosition {
  let latest: string | undefined
  return {
    get: () => latest,
    reached(position) {
      if (latest === undefined || !isBehind(position, latest)) latest = position
    },
    forget() {
      latest = undefined
    },
  }
}

/** Sends queries with the position of what was written last, so that they show it. */
export function readingWrites(send: Send, latest: LatestPosition): Send {
  return async (request) => {
    if (request.method !== 'GET') {
      const answer = await send(request)
      const reached = answer.headers.get(header)
      if (reached !== null) latest.reached(reached)
      return answer
    }
    const written = latest.get()
    if (written === undefined) return await send(request)
    const positioned = new Request(request.clone())
    positioned.headers.set(header, written)
    const answer = await send(positioned)
    if (!(await isUnknown(answer))) return answer
    // The shop has another log by now: it was restored, or made anew.
    latest.forget()
    return await send(request)
  }
}
