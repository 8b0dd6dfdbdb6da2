/** What a client saw of a cluster while something went wrong. */

export interface Seen {
  readonly accepted: number
  /** Refused by a rule, or otherwise by the client's own doing. */
  readonly refused: number
  /** Answered 503, with when to come again. */
  readonly unavailable: number
  /** No answer: the process was gone. */
  readonly lost: number
  /** Longest time without a command or query that was answered, in milliseconds. */
  readonly longestOutageMs: number
  /** Longest time until an answer of any kind, in milliseconds. */
  readonly slowestMs: number
}

export interface Sightings {
  answered(status: number, elapsedMs: number): void
  lost(): void
  /** What was seen since the last time, which begins anew. */
  take(): Seen
}

export function sightings(): Sightings {
  let seen = { accepted: 0, refused: 0, unavailable: 0, lost: 0, longestOutageMs: 0, slowestMs: 0 }
  let successAt = performance.now()

  function success(): void {
    seen.longestOutageMs = Math.max(seen.longestOutageMs, performance.now() - successAt)
    successAt = performance.now()
  }

  return {
    answered(status, elapsedMs) {
      seen.slowestMs = Math.max(seen.slowestMs, elapsedMs)
      if (status === 503) seen.unavailable++
      else {
        if (status < 400) seen.accepted++
        else seen.refused++
        success()
      }
    },
    lost() {
      seen.lost++
    },
    take() {
      success()
      const taken = seen
      seen = { accepted: 0, refused: 0, unavailable: 0, lost: 0, longestOutageMs: 0, slowestMs: 0 }
      return taken
    },
  }
}

/** A line of a report. */
export function told(what: string, seen: Seen, caughtUpMs: number, more = ''): string {
  const { accepted, refused, unavailable, lost } = seen
  const seconds = (ms: number) => (ms / 1_000).toFixed(1)
  return `${what}: ${accepted} accepted, ${refused} refused, ${unavailable} times 503, ${lost} without an answer; longest outage ${seconds(
    seen.longestOutageMs,
  )} s, slowest answer ${seconds(seen.slowestMs)} s, all caught up after ${seconds(caughtUpMs)} s${more}`
}
