/** The engine's only source of time. Tests and simulations pass one that they move themselves. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since some moment in the past; nobody sets it, so that it tells how much time has passed. */
  monotonic(): number
  /** Runs a function once after a time; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void
}

const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), longestDelayMs))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/**
 * Waits, for as long as nobody stops what waits.
 * @param signal ends the wait at once when it is aborted
 */
export function pause(clock: Pick<Clock, 'after'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    function end(): void {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(delayMs, end)
    signal?.addEventListener('abort', end)
  })
}

/**
 * Waits for something, but not for long. It goes on by itself, and nobody hears any more of what comes later.
 * @param limitMs how long, in milliseconds
 * @returns undefined where it has not come by then
 * @throws what it fails with in time
 */
export async function inTime<Result>(
  clock: Pick<Clock, 'after'>,
  limitMs: number,
  coming: Promise<Result>,
): Promise<Result | undefined> {
  const over = Promise.withResolvers<undefined>()
  const cancel = clock.after(limitMs, () => over.resolve(undefined))
  try {
    return await Promise.race([coming, over.promise])
  } finally {
    cancel()
  }
}
