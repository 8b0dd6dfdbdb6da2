import type { Clock } from '../engine/clock.ts'
import type { CredentialStore } from '../engine/credential-store.ts'

export interface CredentialSweepOptions {
  readonly store: Pick<CredentialStore, 'sweep'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly onFailure: (error: unknown) => void
}

const everyMs = 600_000
/** Between two parts of one sweep: requests come first. */
const pauseMs = 100
const sweptAtOnce = 1_000

/**
 * Deletes sessions and counts of tries that have expired, now and then, and all that there are: in parts, for a part holds a lock.
 * @returns a function that stops it
 */
export function credentialSweep({ store, clock, onFailure }: CredentialSweepOptions): () => void {
  let isStopped = false
  let cancel = () => {}

  function sweepAfter(ms: number): void {
    if (isStopped) return
    cancel = clock.after(ms, () => {
      store.sweep(clock.now(), sweptAtOnce).then(
        (number) => sweepAfter(number < sweptAtOnce ? everyMs : pauseMs),
        (error: unknown) => {
          onFailure(error)
          sweepAfter(everyMs)
        },
      )
    })
  }
  sweepAfter(everyMs)

  return () => {
    isStopped = true
    cancel()
  }
}
