/** The port of the alarm clock. It wakes work that the log has open; what it loses, as in a crash the last moment's, the sweep puts back. An adapter passes `test/contract/job-queue.ts` unchanged. */

export interface Job {
  /** Jobs with the same id are one job for as long as the queue knows it, dead ones included. */
  readonly id: string
  readonly name: string
  /** Never holds personal data in the clear. */
  readonly data: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. Stays as it is through retries. */
  readonly dueAt: number
}

export interface RunningJob extends Job {
  /** 1 for the first try. */
  readonly attempt: number
}

export interface DeadJob extends Job {
  readonly attempts: number
  readonly error: string
}

/** Thrown by a handler for a job that no further try can help: it is dead at once. */
export class HopelessJobError extends Error {
  override readonly name = 'HopelessJobError'
}

/** Thrown by a job for which there is no room now: it is tried again soon, and that is no failure. */
export class PostponedJobError extends Error {
  override readonly name = 'PostponedJobError'
}

export interface WorkOptions {
  /** Most jobs of this name that run at once in one worker. */
  readonly concurrency: number
  /** Most that run at once in all workers of all processes, which agree on it; what those of each add up to if absent. */
  readonly totalConcurrency?: number
  /** Tries before the job is dead. */
  readonly maxAttempts: number
  /** Wait before the second try; doubles with each. The jitter takes away up to half of it. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
}

/** How many jobs a queue knows. */
export interface JobCounts {
  /** Due, and not taken up yet. */
  readonly waiting: number
  /** Running, in all processes as far as the queue knows. */
  readonly active: number
  /** Due later, or between two tries. */
  readonly delayed: number
  readonly dead: number
}

export interface JobQueue {
  /** Adds jobs; those whose id the queue knows are left as they are. */
  schedule(jobs: readonly Job[]): Promise<void>
  /** Forgets jobs that wait or are dead; one that runs is not interrupted, and is not tried again. */
  cancel(ids: readonly string[]): Promise<void>
  /** Which of these ids the queue knows (waiting, running or dead). */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Runs due jobs of one name. The handler's return ends the job and the queue forgets it; its throw is retried
   * with backoff, and after `maxAttempts`, or a `HopelessJobError`, the job is dead. A job that ran when the process died runs again.
   * @returns stops taking jobs and waits for those that run
   */
  work(name: string, handler: (job: RunningJob) => Promise<void>, options: WorkOptions): () => Promise<void>
  /** Dead jobs, oldest first. */
  dead(limit: number): Promise<readonly DeadJob[]>
  /** Gives a dead job all its tries again; false if there is no such dead job. */
  revive(id: string): Promise<boolean>
  counts(): Promise<JobCounts>
  close(): Promise<void>
}

const longestReasonCharacters = 1_000

/**
 * The wait after a failed try, in milliseconds: doubled with each, and from half of that to all of it.
 * @param attempt 1 for the first try
 * @param random from 0 to 1
 */
export function retryDelayMs(
  attempt: number,
  { backoffMs, maxBackoffMs }: Pick<WorkOptions, 'backoffMs' | 'maxBackoffMs'>,
  random: () => number,
): number {
  const wholeMs = Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1))
  return Math.round(wholeMs * (0.5 + random() / 2))
}

/** What a dead job says of the error that it died of. */
export function reasonOf(error: unknown): string {
  return String(error).slice(0, longestReasonCharacters)
}
