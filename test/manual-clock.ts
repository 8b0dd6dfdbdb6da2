import type { Clock } from '../src/engine/clock.ts'

export interface ManualClock extends Clock {
  /** Moves the time on, and runs what falls due meanwhile, in its order and at its time. */
  advance(ms: number): Promise<void>
}

interface Timer {
  readonly at: number
  readonly run: () => void
}

/**
 * A clock that stands still until it is moved.
 * @param startMs milliseconds since the epoch
 */
export function manualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Set<Timer>()
  let nowMs = startMs

  function earliest(until: number): Timer | undefined {
    let found: Timer | undefined
    for (const timer of timers) if (timer.at <= until && (found === undefined || timer.at < found.at)) found = timer
    return found
  }

  return {
    now: () => nowMs,
    monotonic: () => nowMs,

    after(delayMs, run) {
      const timer = { at: nowMs + Math.max(0, delayMs), run }
      timers.add(timer)
      return () => timers.delete(timer)
    },

    async advance(ms) {
      const until = nowMs + ms
      await settled()
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        timers.delete(timer)
        nowMs = timer.at
        timer.run()
        await settled() // what a timer starts may set further timers
      }
      nowMs = until
    },
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
