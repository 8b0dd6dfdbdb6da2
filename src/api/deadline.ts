import type { Clock } from '../engine/clock.ts'
import { problem } from './problems.ts'

/** How long a request may take in all, but for what its caller is slow in, or has asked to wait for. */
export interface Deadline {
  /** Waits for a part of the answer. @throws a problem 503 when the time is over before it is there */
  within<T>(answer: Promise<T>): Promise<T>
  /** Waits for something that the caller has asked to wait for, which is not counted. */
  uncounted<T>(wait: () => Promise<T>): Promise<T>
}

/** @param limitMs in milliseconds, of which all parts of the answer take */
export function deadline(clock: Pick<Clock, 'after' | 'monotonic'>, limitMs: number): Deadline {
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {})
  let leftMs = limitMs
  let parts = 0
  let waits = 0
  /** Since when time is counted; undefined while it is not. */
  let sinceMs: number | undefined
  let cancel = () => {}

  function end(): void {
    over.reject(
      problem(
        503,
        'too-slow',
        'Something that this needs does not answer in time. Send the request again, a command with the same Idempotency-Key.',
        { headers: { 'retry-after': '1' } },
      ),
    )
  }

  /** Counts while there is a part that does not only wait. */
  function recount(): void {
    cancel()
    if (sinceMs !== undefined) leftMs -= clock.monotonic() - sinceMs
    sinceMs = parts > 0 && waits === 0 ? clock.monotonic() : undefined
    if (sinceMs !== undefined) cancel = clock.after(Math.max(0, leftMs), end)
  }

  return {
    async within(answer) {
      // Nobody hears any more of what comes too late.
      answer.catch(() => {})
      parts++
      recount()
      try {
        return await Promise.race([answer, over.promise])
      } finally {
        parts--
        recount()
      }
    },
    async uncounted(wait) {
      waits++
      recount()
      try {
        return await wait()
      } finally {
        waits--
        recount()
      }
    },
  }
}
