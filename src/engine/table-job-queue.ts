import type { Clock } from './clock.ts'
import {
  type DeadJob,
  HopelessJobError,
  type Job,
  type JobQueue,
  type RunningJob,
  type WorkOptions,
} from './job-queue.ts'

/** A job queue over a table of jobs that one process owns: what the adapters without a broker share. */

export interface WaitingJob extends Job {
  /** Tries that failed. */
  readonly attempts: number
}

/** Where the jobs are. A job that runs stays in it as a waiting one, so that it runs again if the process dies. */
export interface JobTable {
  /** Leaves jobs that it holds as they are. */
  add(jobs: readonly Job[]): void
  remove(ids: readonly string[]): void
  /** Which of these it holds. */
  known(ids: readonly string[]): readonly string[]
  /** Waiting jobs of this name that are due, the longest due first. */
  due(name: string, now: number, limit: number): readonly WaitingJob[]
  /** When the next waiting job of this name is due that is not due yet. */
  nextAt(name: string, now: number): number | undefined
  /** Lets a job wait until a time; the time that it was made for stays. */
  retry(id: string, attempts: number, nextAt: number): void
  bury(id: string, attempts: number, error: string): void
  /** Dead jobs, those first that died first. */
  dead(limit: number): readonly DeadJob[]
  /** @returns false if there is no such dead job */
  revive(id: string, nextAt: number): boolean
  close(): void
}

export interface TableJobQueueOptions {
  readonly clock: Clock
  /** From 0 to 1, for the jitter. */
  readonly random?: () => number
  /** Told when the table fails; the queue goes on trying. */
  readonly onError?: (error: unknown) => void
}

interface Worker {
  readonly name: string
  wake(): void
  stop(): Promise<void>
}

const longestErrorCharacters = 1000
const tableRetryMs = 1000

/**
 * Makes a job queue over a table. Due jobs run at once; for the others it sleeps until the next one is due.
 * @param table is closed with the queue
 */
export function tableJobQueue(table: JobTable, options: TableJobQueueOptions): JobQueue {
  const { clock, random = Math.random, onError = () => {} } = options
  const workers = new Set<Worker>()
  /** Jobs that run, and whether they were cancelled meanwhile. */
  const running = new Map<string, { cancelled: boolean }>()

  function wake(names: ReadonlySet<string>): void {
    for (const worker of workers) if (names.has(worker.name)) worker.wake()
  }

  function startWorker(name: string, handler: (job: RunningJob) => Promise<void>, limits: WorkOptions): Worker {
    const own = new Set<Promise<void>>()
    let cancelTimer = () => {}
    let stopped = false

    function fill(): void {
      cancelTimer()
      if (stopped || own.size >= limits.concurrency) return // the end of a job fills again
      try {
        const now = clock.now()
        // Jobs that run are still in the table, so that many more are asked for.
        for (const job of table.due(name, now, limits.concurrency + running.size)) {
          if (own.size >= limits.concurrency) return
          if (!running.has(job.id)) start(job)
        }
        const next = table.nextAt(name, now)
        if (next !== undefined) cancelTimer = clock.after(next - now, fill)
      } catch (error) {
        onError(error)
        cancelTimer = clock.after(tableRetryMs, fill)
      }
    }

    function start(job: WaitingJob): void {
      const state = { cancelled: false }
      running.set(job.id, state)
      const run = attempt(job, state).then(() => {
        running.delete(job.id)
        own.delete(run)
        wake(new Set([name]))
      })
      own.add(run)
    }

    async function attempt(waiting: WaitingJob, state: { readonly cancelled: boolean }): Promise<void> {
      const { attempts, ...job } = waiting
      const tried = attempts + 1
      let settle = () => table.remove([job.id])
      try {
        await Promise.resolve() // nobody's handler runs inside the caller's `schedule`
        await handler({ ...job, attempt: tried })
      } catch (error) {
        if (tried >= limits.maxAttempts || error instanceof HopelessJobError)
          settle = () => table.bury(job.id, tried, describe(error))
        else {
          const nextAt = clock.now() + backoffMs(tried, limits, random)
          settle = () => table.retry(job.id, tried, nextAt)
        }
      }
      // The outcome is kept before the job's place is free, or the job would run again at once.
      while (!state.cancelled) {
        try {
          return settle()
        } catch (error) {
          onError(error)
          if (stopped) return
          await new Promise<void>((resolve) => clock.after(tableRetryMs, resolve))
        }
      }
    }

    return {
      name,
      wake: fill,
      async stop() {
        stopped = true
        cancelTimer()
        await Promise.all(own)
      },
    }
  }

  return {
    async schedule(jobs) {
      table.add(jobs)
      wake(new Set(jobs.map(({ name }) => name)))
    },

    async cancel(ids) {
      table.remove(ids)
      for (const id of ids) {
        const state = running.get(id)
        if (state !== undefined) state.cancelled = true
      }
    },

    async known(ids) {
      return new Set(table.known(ids))
    },

    work(name, handler, limits) {
      const worker = startWorker(name, handler, limits)
      workers.add(worker)
      worker.wake()
      return async () => {
        workers.delete(worker)
        await worker.stop()
      }
    },

    async dead(limit) {
      return table.dead(limit)
    },

    async revive(id) {
      const revived = table.revive(id, clock.now())
      for (const worker of workers) worker.wake()
      return revived
    },

    async close() {
      await Promise.all(Array.from(workers, (worker) => worker.stop()))
      workers.clear()
      table.close()
    },
  }
}

/** The wait after a failed try: doubled with each, and from half of that to all of it. */
function backoffMs(attempt: number, limits: WorkOptions, random: () => number): number {
  const wholeMs = Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** (attempt - 1))
  return Math.round(wholeMs * (0.5 + random() / 2))
}

function describe(error: unknown): string {
  return String(error).slice(0, longestErrorCharacters)
}
