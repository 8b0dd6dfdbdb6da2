import type { Job, JobQueue, RunningJob, WorkOptions } from '../src/engine/job-queue.ts'

/** Jobs that send mail, for tests of the job queue. */

/** One job at a time, three tries. */
export const patient: WorkOptions = { concurrency: 1, maxAttempts: 3, backoffMs: 200, maxBackoffMs: 10_000 }

/** A job that sends mail. */
export function mail(id: string, dueAt: number, data: Job['data'] = {}): Job {
  return { id, name: 'mail', data, dueAt }
}

/** Works on all jobs of a name, one at a time, and keeps what ran. */
export function record(queue: JobQueue, name = 'mail'): readonly RunningJob[] {
  const ran: RunningJob[] = []
  queue.work(name, async (job) => void ran.push(job), patient)
  return ran
}

/** The ids of jobs. */
export function ids(jobs: readonly RunningJob[]): readonly string[] {
  return jobs.map(({ id }) => id)
}
