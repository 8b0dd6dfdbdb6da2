import type { DeadJob, Job, JobQueue } from '../../engine/job-queue.ts'
import {
  type JobTable,
  type TableJobQueueOptions,
  tableJobQueue,
  type WaitingJob,
} from '../../engine/table-job-queue.ts'
import { firstIndex, insertSorted, removeSorted } from './sorted-list.ts'

interface Entry extends WaitingJob {
  /** Time of the next try. */
  readonly at: number
  /** Order of arrival, among jobs that are due at the same time. */
  readonly number: number
  /** As JSON, so that a handler never shares data with who scheduled the job. */
  readonly json: string
}

/**
 * A job queue that lives as long as the process, for tests and simulations.
 * @param options the clock, and what a simulation wants to decide itself
 */
export function memoryJobQueue(options: TableJobQueueOptions): JobQueue {
  return tableJobQueue(memoryTable(), options)
}

function memoryTable(): JobTable {
  const waiting = new Map<string, Entry>()
  /** The same ones, by name and in the order they are due. */
  const sorted = new Map<string, Entry[]>()
  const dead = new Map<string, DeadJob>()
  let added = 0

  function listOf(name: string): Entry[] {
    const list = sorted.get(name) ?? []
    sorted.set(name, list)
    return list
  }

  function put(job: Job, attempts: number, at: number): void {
    const json = JSON.stringify(job.data)
    const entry = { ...job, data: JSON.parse(json), attempts, at, number: ++added, json }
    waiting.set(job.id, entry)
    insertSorted(listOf(job.name), entry, byDueTime)
  }

  function take(id: string): Entry | undefined {
    const entry = waiting.get(id)
    if (entry === undefined) return undefined
    waiting.delete(id)
    removeSorted(listOf(entry.name), entry, byDueTime)
    return entry
  }

  return {
    add(jobs) {
      for (const job of jobs) if (!waiting.has(job.id) && !dead.has(job.id)) put(job, 0, job.dueAt)
    },

    remove(ids) {
      for (const id of ids) {
        take(id)
        dead.delete(id)
      }
    },

    known: (ids) => ids.filter((id) => waiting.has(id) || dead.has(id)),

    due(name, now, limit) {
      const list = listOf(name)
      const end = firstIndex(list, (entry) => entry.at > now)
      return list
        .slice(0, Math.min(end, limit))
        .map(({ at, number, json, ...job }) => ({ ...job, data: JSON.parse(json) }))
    },

    nextAt(name, now) {
      const list = listOf(name)
      return list[firstIndex(list, (entry) => entry.at > now)]?.at
    },

    retry(id, attempts, nextAt) {
      const entry = take(id)
      if (entry !== undefined) put(entry, attempts, nextAt)
    },

    bury(id, attempts, error) {
      const entry = take(id)
      if (entry === undefined) return
      const { name, data, dueAt } = entry
      dead.set(id, { id, name, data, dueAt, attempts, error })
    },

    dead: (limit) => Array.from(dead.values()).slice(0, limit),

    revive(id, nextAt) {
      const job = dead.get(id)
      if (job === undefined) return false
      const { attempts, error, ...rest } = job
      dead.delete(id)
      put(rest, 0, nextAt)
      return true
    },

    counts(now) {
      const due = waiting.values().reduce((sum, { at }) => (at <= now ? sum + 1 : sum), 0)
      return { due, later: waiting.size - due, dead: dead.size }
    },

    close() {},
  }
}

function byDueTime(left: Entry, right: Entry): number {
  return left.at - right.at || left.number - right.number
}
