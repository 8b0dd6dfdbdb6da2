import { type Job, Worker } from 'bullmq'
import { inTime, pause, systemClock } from '../../engine/clock.ts'
import type { PatientConnection } from './connection.ts'

/** What is kept of a job beside its name and its id. */
export interface StoredJob {
  readonly data: Readonly<Record<string, unknown>>
  readonly dueAt: number
}

export interface JobRunnerOptions {
  readonly connection: PatientConnection
  /** Of BullMQ's keys. */
  readonly prefix: string
  /** Name of BullMQ's queue. */
  readonly queue: string
  readonly concurrency: number
  /** How long nothing is heard of a process before its jobs go to others. */
  readonly lockMs: number
  /** How long a stop waits for jobs that run. */
  readonly stopTimeoutMs: number
  /** Puts down what all processes have to keep to. Before the first job is taken, and whenever Redis may have lost it. */
  prepare(): Promise<void>
  /** Runs a job; what it throws makes BullMQ try again, or an UnrecoverableError call it dead. */
  run(job: Job<StoredJob>): Promise<void>
  /** In milliseconds. */
  retryDelayMs(attempt: number): number
  /** After each try, when BullMQ has put down how it ended. */
  ended(job: Job<StoredJob>): Promise<void>
  onError(error: unknown): void
}

/** BullMQ tries again at once, and would do that thousands of times a second. */
const restMs = 1_000
const prepareAgainMs = 100

/**
 * Takes due jobs of one queue and runs them, for as long as nobody stops it, whatever happens to Redis.
 * @returns takes no more, and waits for those that run, but not for ever: what hangs runs again elsewhere
 */
export function startJobRunner(options: JobRunnerOptions): () => Promise<void> {
  const { connection, prefix, queue, concurrency, lockMs, stopTimeoutMs, prepare, run, retryDelayMs, ended, onError } =
    options
  const stopping = new AbortController()
  const ending = new Set<Promise<void>>()
  let worker = begin()

  function end(job: Job<StoredJob> | undefined): void {
    if (job === undefined) return
    const end = ended(job).catch(onError)
    ending.add(end)
    void end.finally(() => ending.delete(end))
  }

  function begin(): Worker<StoredJob> {
    const own = new Worker<StoredJob>(queue, run, {
      autorun: false,
      connection,
      prefix,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      // The log alone says when a job is dead: that its process died so often proves nothing.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      runRetryDelay: restMs,
      settings: { backoffStrategy: (attempt) => retryDelayMs(attempt) },
    })
    own.on('completed', end)
    own.on('failed', end)
    own.on('error', (error) => {
      if (connection.status !== 'ready' || stopping.signal.aborted) return // the connection tells of it
      onError(error)
      rest(own).catch(onError)
    })
    start(own).catch(onError)
    return own
  }

  async function start(own: Worker<StoredJob>): Promise<void> {
    try {
      await own.waitUntilReady()
    } catch {
      // What failed as it began, never begins.
      await pause(systemClock, restMs, stopping.signal)
      if (!stopping.signal.aborted) worker = begin()
      return await own.close(true)
    }
    await prepareSurely()
    if (!stopping.signal.aborted && !own.isRunning()) await own.run()
  }

  async function prepareSurely(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        return await prepare()
      } catch {
        await pause(systemClock, prepareAgainMs, stopping.signal) // another connection may not be there yet
      }
    }
  }

  function prepareAgain(): void {
    prepareSurely().catch(onError)
  }

  async function rest(own: Worker<StoredJob>): Promise<void> {
    if (own.isPaused()) return
    await own.pause(true)
    await pause(systemClock, restMs, stopping.signal)
    if (!stopping.signal.aborted) await own.resume()
  }

  connection.on('ready', prepareAgain)

  async function close(): Promise<void> {
    await worker.close()
    await Promise.all(ending)
  }

  return async () => {
    stopping.abort()
    connection.off('ready', prepareAgain)
    await inTime(systemClock, stopTimeoutMs, close().catch(onError))
  }
}
