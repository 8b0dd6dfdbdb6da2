import type { EventStore } from '../../src/engine/event-store.ts'

/** What the tests of the port need to know of an adapter. */
export interface EventStoreHarness {
  /**
   * Opens an empty store, which the harness disposes of when the test is over.
   * @param maxLiveEvents the most events that it should keep for a slow subscriber, where it keeps any
   */
  open(maxLiveEvents?: number): Promise<EventStore>
  /** Closes a store and opens another over what it has stored; absent where nothing outlives the store. */
  readonly reopen?: (store: EventStore) => Promise<EventStore>
  /** Makes the next append be written and its answer be lost, so that it is in doubt; absent where that can't happen. */
  readonly loseNextAnswer?: (store: EventStore) => void
  /** Set where the stores are parts of one log that others have: what needs a log of its own is not run. */
  readonly sharesLog?: boolean
  /** How many courses of appends and reads are tried. */
  readonly propertyRuns: number
}
