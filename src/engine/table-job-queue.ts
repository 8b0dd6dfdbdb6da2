import type { Clock } from './clock.ts'
import {
  type DeadJob,
  HopelessJobError,
  type Job,
  type JobQueue,
  type RunningJob,
  reasonOf,
  retryDelayMs,
  type WorkOptions,
} from './job-queue.ts'

/** A job queue over a table of jobs that one process owns: what the adapters without a broker share. */

export interface WaitingJob extends Job {
  /** Tries that failed. */
  readonly attempts: number
}

/** Where the jobs are that wait, run or are dead. One that runs is in it as a waiting one, so that it runs again if the process dies. */
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
  /** How many are due, are not yet, and are dead; those that run among them. */
  counts(now: number): { readonly due: number; readonly later: number; readonly dead: number }
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
  /** Looks for due jobs in the table. */
  wake(): void
  /** Looks for those that had to wait until another was done. */
  goOn(): void
  /** Starts a job that is not in the table. @returns false when the table's come first, or there is no room */
  startAtOnce(job: Job): boolean
  /** Is told of a job that was put into the table. */
  expect(dueAt: number): void
  stop(): Promise<void>
}

/** A job that runs. */
interface Running {
  readonly job: Job
  cancelled: boolean
  /** It is in the table. */
  saved: boolean
}

const tableRetryMs = 1000
/** Most jobs are done sooner, and never get into the table. */
const saveAfterMs = 100

/**
 * Makes a job queue over a table. Due jobs run at once; for the others it sleeps until the next one is due.
 * @param table is closed with the queue
 */
export function tableJobQueue(table: JobTable, options: TableJobQueueOptions): JobQueue {
  const { clock, random = Math.random, onError = () => {} } = options
  const workers = new Set<Worker>()
  const running = new Map<string, Running>()
  let cancelSave: (() => void) | undefined

  function workersOf(name: string): readonly Worker[] {
    return [...workers].filter((worker) => worker.name === name)
  }

  function isRunning(id: string): boolean {
    return running.get(id)?.cancelled === false
  }

  /** Keeps what runs for long, should the process die. */
  function saveLater(): void {
    cancelSave ??= clock.after(saveAfterMs, () => {
      cancelSave = undefined
      try {
        save([...running.values()].filter(({ saved, cancelled }) => !saved && !cancelled))
      } catch (error) {
        onError(error)
        saveLater()
      }
    })
  }

  function save(unsaved: readonly Running[]): void {
    if (unsaved.length === 0) return
    table.add(unsaved.map(({ job }) => job))
    for (const each of unsaved) each.saved = true
  }

  function startWorker(name: string, handler: (job: RunningJob) => Promise<void>, limits: WorkOptions): Worker {
    const own = new Set<Promise<void>>()
    let cancelTimer = () => {}
    let timerAt = Infinity
    let stopped = false
    /** The table may have due jobs that have not been started. */
    let hasMore = false
    let goesOn = false

    function isFull(): boolean {
      if (own.size >= limits.concurrency) return true
      const { totalConcurrency } = limits
      if (totalConcurrency === undefined) return false
      return running.values().reduce((sum, { job }) => (job.name === name ? sum + 1 : sum), 0) >= totalConcurrency
    }

    function wakeAt(time: number, delayMs: number): void {
      cancelTimer()
      timerAt = time
      cancelTimer = clock.after(delayMs, fill)
    }

    function fill(): void {
      cancelTimer()
      timerAt = Infinity
      hasMore = true
      if (stopped || isFull()) return // the end of a job fills again
      const now = clock.now()
      let isAnyBehind = false
      try {
        // Jobs that run are still in the table, so that many more are asked for.
        for (const { attempts, ...job } of table.due(name, now, limits.concurrency + running.size)) {
          if (isFull()) return
          if (!running.has(job.id)) start({ job, cancelled: false, saved: true }, attempts)
          // One that was cancelled, and scheduled anew while it still runs, comes after that.
          else if (!isRunning(job.id)) isAnyBehind = true
        }
        hasMore = isAnyBehind || isFull()
        const next = table.nextAt(name, now)
        if (next !== undefined) wakeAt(next, next - now)
      } catch (error) {
        onError(error)
        wakeAt(now + tableRetryMs, tableRetryMs)
      }
    }

    function start(state: Running, attempts: number): void {
      const { id } = state.job
      running.set(id, state)
      const run = attempt(state, attempts + 1).then(() => {
        running.delete(id)
        own.delete(run)
        for (const each of workersOf(name)) each.goOn()
      })
      own.add(run)
    }

    async function attempt(state: Running, tried: number): Promise<void> {
      const { job } = state
      let settle = () => {
        if (state.saved) table.remove([job.id])
      }
      try {
        await Promise.resolve() // nobody's handler runs inside the caller's `schedule`
        await handler({ ...job, attempt: tried })
      } catch (error) {
        if (tried >= limits.maxAttempts || error instanceof HopelessJobError)
          settle = () => {
            if (!state.saved) save([state])
            table.bury(job.id, tried, reasonOf(error))
          }
        else {
          const nextAt = clock.now() + retryDelayMs(tried, limits, random)
          settle = () => {
            if (!state.saved) save([state])
            table.retry(job.id, tried, nextAt)
            worker.expect(nextAt)
          }
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

    const worker: Worker = {
      name,
      wake: fill,
      goOn() {
        if (!hasMore || goesOn) return
        goesOn = true
        // Many may end at the same moment, and each look reads all that is due.
        queueMicrotask(() => {
          goesOn = false
          if (hasMore) fill()
        })
      },
      startAtOnce(job) {
        if (stopped || hasMore || isFull()) return false
        // As it would come out of the table.
        const data = JSON.parse(JSON.stringify(job.data))
        start({ job: { ...job, data }, cancelled: false, saved: false }, 0)
        saveLater()
        return true
      },
      expect(dueAt) {
        const now = clock.now()
        if (dueAt <= now) fill()
        else if (dueAt < timerAt && !stopped) wakeAt(dueAt, dueAt - now)
      },
      async stop() {
        stopped = true
        cancelTimer()
        await Promise.all(own)
      },
    }
    return worker
  }

  return {
    async schedule(jobs) {
      const byId = new Map(jobs.toReversed().map((job) => [job.id, job]))
      for (const id of table.known([...byId.keys()])) byId.delete(id)
      const now = clock.now()
      const waiting: Job[] = []
      for (const job of [...byId.values()].reverse().sort((one, other) => one.dueAt - other.dueAt)) {
        if (isRunning(job.id)) continue
        const isStarted =
          job.dueAt <= now && !running.has(job.id) && workersOf(job.name).some((worker) => worker.startAtOnce(job))
        if (!isStarted) waiting.push(job)
      }
      if (waiting.length === 0) return
      table.add(waiting)
      for (const { name, dueAt } of waiting) for (const worker of workersOf(name)) worker.expect(dueAt)
    },

    async cancel(ids) {
      // One that was cancelled before may have been scheduled anew: then the table has that one.
      const kept = ids.filter((id) => !isRunning(id) || running.get(id)?.saved)
      for (const id of ids) {
        const state = running.get(id)
        if (state !== undefined) state.cancelled = true
      }
      if (kept.length > 0) table.remove(kept)
    },

    async known(ids) {
      return new Set([...table.known(ids), ...ids.filter((id) => running.has(id))])
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

    async counts() {
      const { due, later, dead } = table.counts(clock.now())
      const underWay = [...running.values()].filter(({ cancelled }) => !cancelled)
      const saved = underWay.filter((each) => each.saved).length
      return { waiting: Math.max(0, due - saved), active: underWay.length, delayed: later, dead }
    },

    async close() {
      cancelSave?.()
      await Promise.all(Array.from(workers, (worker) => worker.stop()))
      workers.clear()
      table.close()
    },
  }
}
