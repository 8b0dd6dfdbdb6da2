import type { JobQueue } from '../../src/engine/job-queue.ts'

export interface JobQueueHarness {
  readonly queue: JobQueue
  /** The queue's time. */
  now(): number
  /** Lets that much time pass, and the queue do what is due; more may pass where time can't be held, as much as a busy machine takes. */
  advance(ms: number): Promise<void>
  /** Whether only as much time passes as it is told to. */
  readonly holdsTime: boolean
  /**
   * As if the process had died, with its jobs running: another queue over the same storage.
   * Absent where nothing outlives the queue.
   */
  readonly crash?: () => Promise<JobQueue>
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}
