import { LRUCache } from 'lru-cache'
import type { GatewayAnswer } from '../../workers/payment-gateway.ts'
import { Problem } from './problem.ts'

/** A call as its idempotency key names it. */
export interface Call {
  readonly fingerprint: string
  attempts: number
  answer?: GatewayAnswer
}

export interface Calls {
  /**
   * Counts a try of a call.
   * @param fingerprint what was asked, in full
   * @returns the call with its tries so far, and the answer if one of them was done
   * @throws Problem when the key was used for something else
   */
  attempt(key: string, fingerprint: string): Call
}

/** Remembers calls by their idempotency keys. @param max beyond it those used least recently are forgotten */
export function callMemory(max: number): Calls {
  const calls = new LRUCache<string, Call>({ max })
  return {
    attempt(key, fingerprint) {
      const call = calls.get(key) ?? { fingerprint, attempts: 0 }
      if (call.fingerprint !== fingerprint) {
        throw new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key was used for another request.')
      }
      call.attempts++
      calls.set(key, call)
      return call
    },
  }
}
