import type { Clock } from './clock.ts'

/** How much of something has happened lately: a ring of seconds, so that counting costs next to nothing and nothing piles up. */
export interface Rate {
  add(count: number): void
  /** All that was ever counted. */
  total(): number
  /** How many a second, over the whole seconds of the last half minute. */
  perSecond(): number
}

const ringSeconds = 32
const windowSeconds = 30

/** Counts by the seconds of a clock that never jumps. */
export function rate(clock: Pick<Clock, 'monotonic'>): Rate {
  const counts = new Float64Array(ringSeconds)
  const startedAtMs = clock.monotonic()
  let total = 0
  /** The second that is counted in now. */
  let newest = 0

  function turn(): void {
    const second = Math.floor((clock.monotonic() - startedAtMs) / 1_000)
    for (let each = Math.max(newest + 1, second - ringSeconds + 1); each <= second; each++)
      counts[each % ringSeconds] = 0
    newest = Math.max(newest, second)
  }

  return {
    add(count) {
      turn()
      total += count
      counts[newest % ringSeconds] = (counts[newest % ringSeconds] ?? 0) + count
    },
    total: () => total,
    perSecond() {
      turn()
      // What has just begun is told by what there is of it.
      const seconds = Math.min(windowSeconds, newest)
      if (seconds === 0) return counts[0] ?? 0
      let sum = 0
      for (let each = newest - seconds; each < newest; each++) sum += counts[each % ringSeconds] ?? 0
      return sum / seconds
    },
  }
}
