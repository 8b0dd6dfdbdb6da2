import type { ReadStore } from '../../src/engine/read-store.ts'

export interface ReadStoreHarness {
  readonly store: ReadStore
  /** Another store over the same storage, as another thread or the next process opens it; absent where nothing outlives the store. */
  readonly open?: () => Promise<ReadStore>
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}
