import { Job, type JobsOptions, Queue, UnrecoverableError } from 'bullmq'
import {
  type DeadJob,
  HopelessJobError,
  type JobQueue,
  type Job as PortJob,
  type RunningJob,
  reasonOf,
  retryDelayMs,
  type WorkOptions,
} from '../../engine/job-queue.ts'
import { connectFast, PatientConnection, type RedisServer } from './connection.ts'
import { type StoredJob, startJobRunner } from './job-runner.ts'
import { appendToCancelled, type MarkedJob, markRunning } from './running-jobs.ts'

export interface RedisJobQueueOptions extends RedisServer {
  /** From 0 to 1, for the jitter. */
  readonly random?: () => number
  /** How long nothing is heard of a process before its jobs go to others, in milliseconds. */
  readonly lockMs?: number
  /** How long a stop waits for jobs that run, in milliseconds. */
  readonly stopTimeoutMs?: number
}

interface Place extends MarkedJob {
  readonly id: string
  readonly name: string
}

const pageJobs = 500

const jobOptions: JobsOptions = {
  attempts: Number.MAX_SAFE_INTEGER, // whoever works on it knows how many there are
  backoff: { type: 'custom' },
  // BullMQ takes no job whose id it still knows.
  removeOnComplete: true,
  removeOnFail: false,
  stackTraceLimit: 0,
}

/** BullMQ's names and ids know no colons, and no id may be a number or one of its own keys. */
function queueName(name: string): string {
  return encodeURIComponent(name)
}

function bullId(id: string): string {
  return `=${encodeURIComponent(id)}`
}

function idOf(job: Job<StoredJob>): string {
  return decodeURIComponent((job.id ?? '').slice(1))
}

function inPages<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / pageJobs) }, (_, page) =>
    all.slice(page * pageJobs, (page + 1) * pageJobs),
  )
}

/**
 * A job queue on BullMQ that any number of processes share: each name of jobs is a queue of its own, so that each has its
 * own limit. It tells time by the system's clock. What Redis loses, the sweep puts back.
 */
export function openRedisJobQueue(options: RedisJobQueueOptions): JobQueue {
  const { prefix, onError = () => {}, random = Math.random, lockMs = 10_000, stopTimeoutMs = 10_000 } = options
  const fast = connectFast(options)
  const bullPrefix = `${prefix}:jobs`
  const namesKey = `${prefix}:job-names`
  const queues = new Map<string, Queue<StoredJob>>()
  const used = new Set<string>()
  const runners = new Set<() => Promise<void>>()
  /** Only who works on jobs needs it. */
  let patient: PatientConnection | undefined

  async function queueOf(name: string): Promise<Queue<StoredJob>> {
    const found = queues.get(name)
    const queue = found ?? new Queue<StoredJob>(queueName(name), { connection: fast.client, prefix: bullPrefix })
    if (found === undefined) {
      queues.set(name, queue)
      queue.on('error', () => {}) // the connection tells of it
    }
    try {
      await queue.waitUntilReady()
    } catch (error) {
      queues.delete(name) // it never would be
      throw error
    }
    return queue
  }

  function placeOf(name: string, id: string): Place {
    const key = `${queueName(name)}:${bullId(id)}`
    return { id, name, job: `${bullPrefix}:${key}`, mark: `${prefix}:cancelled:${key}` }
  }

  /** Ids don't tell which name they are of. */
  async function places(ids: readonly string[]): Promise<readonly Place[]> {
    const names = new Set([...used, ...(await fast.run((client) => client.smembers(namesKey)))])
    return Array.from(names).flatMap((name) => ids.map((id) => placeOf(name, id)))
  }

  async function add(name: string, jobs: readonly PortJob[]): Promise<void> {
    const now = Date.now()
    await fast.run(async (client) => {
      await client.sadd(namesKey, name)
      const queue = await queueOf(name)
      const free = await appendToCancelled(
        client,
        jobs.map((job) => ({ ...placeOf(name, job.id), value: JSON.stringify(job), source: job })),
      )
      await queue.addBulk(
        free.map(({ source: { id, data, dueAt } }) => ({
          name,
          data: { data, dueAt },
          opts: { ...jobOptions, jobId: bullId(id), timestamp: now, delay: Math.max(0, dueAt - now) },
        })),
      )
    })
  }

  async function remove(found: readonly Place[]): Promise<void> {
    await fast.run(async (client) => {
      const free = await markRunning(client, found)
      const begun = await Promise.all(
        free.map(async (place) => {
          const queue = await queueOf(place.name)
          return (await queue.remove(bullId(place.id))) === 0 ? [place] : []
        }),
      )
      // Those that somebody took up meanwhile.
      await markRunning(client, begun.flat())
    })
  }

  /** A limit that was taken back must not stay in Redis. */
  async function limit(name: string, totalConcurrency: number | undefined): Promise<void> {
    await fast.run(async () => {
      const queue = await queueOf(name)
      if (totalConcurrency === undefined) await queue.removeGlobalConcurrency()
      else await queue.setGlobalConcurrency(totalConcurrency)
    })
  }

  async function isCancelled(name: string, id: string): Promise<boolean> {
    try {
      return (await fast.run((client) => client.exists(placeOf(name, id).mark))) === 1
    } catch {
      return false // then it is tried again, and the log knows better
    }
  }

  /** Looks for the mark of one that was cancelled while it ran. */
  async function ended(name: string, id: string): Promise<void> {
    const place = placeOf(name, id)
    const mark = await fast.run((client) => client.getdel(place.mark))
    if (mark === null) return
    await remove([place])
    if (mark !== '') await add(name, [JSON.parse(mark)])
  }

  async function attempt(
    name: string,
    handler: (job: RunningJob) => Promise<void>,
    limits: WorkOptions,
    job: Job<StoredJob>,
  ): Promise<void> {
    const id = idOf(job)
    const tried = job.attemptsMade + 1
    if (job.attemptsStarted > 1 && (await isCancelled(name, id))) return
    try {
      await handler({ id, name, data: job.data.data, dueAt: job.data.dueAt, attempt: tried })
    } catch (error) {
      if (await isCancelled(name, id)) return
      if (tried >= limits.maxAttempts || error instanceof HopelessJobError)
        throw new UnrecoverableError(reasonOf(error))
      throw new Error(reasonOf(error))
    }
  }

  return {
    async schedule(jobs) {
      const byId = new Map(jobs.toReversed().map((job) => [job.id, job]))
      const sorted = [...byId.values()].reverse().sort((one, other) => one.dueAt - other.dueAt)
      for (const [name, ofName] of Map.groupBy(sorted, (job) => job.name)) {
        used.add(name)
        for (const page of inPages(ofName)) await add(name, page)
      }
    },

    async cancel(ids) {
      for (const page of inPages(await places(ids))) await remove(page)
    },

    async known(ids) {
      const known = new Set<string>()
      for (const page of inPages(await places(ids))) {
        const found = await fast.run((client) => Promise.all(page.map(({ job }) => client.exists(job))))
        for (const [index, { id }] of page.entries()) if (found[index] === 1) known.add(id)
      }
      return known
    },

    work(name, handler, limits) {
      used.add(name)
      patient ??= new PatientConnection(options)
      const stop = startJobRunner({
        connection: patient,
        prefix: bullPrefix,
        queue: queueName(name),
        concurrency: limits.concurrency,
        lockMs,
        stopTimeoutMs,
        prepare: () => limit(name, limits.totalConcurrency),
        run: (job) => attempt(name, handler, limits, job),
        retryDelayMs: (tried) => retryDelayMs(tried, limits, random),
        ended: (job) => ended(name, idOf(job)),
        onError,
      })
      runners.add(stop)
      return async () => {
        runners.delete(stop)
        await stop()
      }
    },

    async dead(limit) {
      const names = new Set([...used, ...(await fast.run((client) => client.smembers(namesKey)))])
      const found: { readonly diedAt: number; readonly job: DeadJob }[] = []
      for (const name of names) {
        const jobs = await fast.run(async () => (await queueOf(name)).getJobs(['failed'], 0, limit - 1, true))
        for (const job of jobs) {
          const { data, dueAt } = job.data
          const dead = { id: idOf(job), name, data, dueAt, attempts: job.attemptsMade, error: job.failedReason }
          found.push({ diedAt: job.finishedOn ?? 0, job: dead })
        }
      }
      return found
        .sort((one, other) => one.diedAt - other.diedAt)
        .slice(0, limit)
        .map(({ job }) => job)
    },

    async revive(id) {
      for (const { name } of await places([id])) {
        const isRevived = await fast.run(async () => {
          const job = await Job.fromId<StoredJob>(await queueOf(name), bullId(id))
          if (job === undefined || !(await job.isFailed())) return false
          await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
          return true
        })
        if (isRevived) return true
      }
      return false
    },

    async counts() {
      const names = new Set([...used, ...(await fast.run((client) => client.smembers(namesKey)))])
      const all = await Promise.all(
        Array.from(names, (name) =>
          fast.run(async () => (await queueOf(name)).getJobCounts('wait', 'active', 'delayed', 'failed')),
        ),
      )
      const sum = (state: string) => all.reduce((total, counts) => total + (counts[state] ?? 0), 0)
      return {
        waiting: sum('wait'),
        active: sum('active'),
        delayed: sum('delayed'),
        dead: sum('failed'),
      }
    },

    async close() {
      await Promise.all(Array.from(runners, (stop) => stop()))
      runners.clear()
      patient?.endAll()
      await Promise.all(Array.from(queues.values(), (queue) => queue.close()))
      fast.close()
    },
  }
}
