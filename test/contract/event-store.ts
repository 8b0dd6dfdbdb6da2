import { describe } from 'vitest'
import { appendContract } from './event-store-append.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { lifeContract } from './event-store-life.ts'
import { modelContract } from './event-store-model.ts'
import { readContract } from './event-store-read.ts'
import { subscribeContract } from './event-store-subscribe.ts'

/** What every event store must do. */

/**
 * Defines the tests of the port.
 * @param name what the store is
 */
export function eventStoreContract(name: string, harness: EventStoreHarness): void {
  describe(name, () => {
    appendContract(harness)
    readContract(harness)
    subscribeContract(harness)
    lifeContract(harness)
    modelContract(harness)
  })
}
