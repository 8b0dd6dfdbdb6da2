import { describe, expect, onTestFinished, test } from 'vitest'
import type { Job, JobQueue, RunningJob, WorkOptions } from '../../src/engine/job-queue.ts'

/** What every job queue must do. */

export interface JobQueueHarness {
  readonly queue: JobQueue
  /** The queue's time. */
  now(): number
  /** Lets that much time pass, and the queue do what is due; a little more may pass where time can't be held. */
  advance(ms: number): Promise<void>
  /**
   * As if the process had died, with its jobs running: another queue over the same storage.
   * Absent where nothing outlives the queue.
   */
  readonly crash?: () => Promise<JobQueue>
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}

const patient: WorkOptions = { concurrency: 1, maxAttempts: 3, backoffMs: 200, maxBackoffMs: 10_000 }

/**
 * Defines the tests of the port.
 * @param harness makes an empty queue
 */
export function jobQueueContract(harness: () => Promise<JobQueueHarness>): void {
  async function emptyQueue(): Promise<JobQueueHarness> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made
  }

  describe('a job', () => {
    test('runs at once when it is due, and is forgotten', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran = record(queue)
      const job = { id: 'mail/ü:1', name: 'mail', data: { to: ['a', null, 1.5], text: 'Grüße' }, dueAt: now() }
      await queue.schedule([job])
      await advance(50)
      expect(ran).toEqual([{ ...job, attempt: 1 }])
      expect(await queue.known([job.id])).toEqual(new Set())
    })

    test('runs when somebody comes to work on it', async () => {
      const { queue, now, advance } = await emptyQueue()
      await queue.schedule([mail('a', now() - 1_000), mail('b', now() + 300)])
      await advance(50)
      const ran = record(queue)
      await advance(50)
      expect(ids(ran)).toEqual(['a'])
      await advance(300)
      expect(ids(ran)).toEqual(['a', 'b'])
    })

    test('runs at its time and not before, in the order of the times', async () => {
      const { queue, now, advance } = await emptyQueue()
      const times = new Map<string, number>()
      queue.work('mail', async ({ id }) => void times.set(id, now()), patient)
      const start = now()
      const [late, soon, middle] = [mail('late', start + 900), mail('soon', start + 300), mail('middle', start + 600)]
      await queue.schedule([late])
      await queue.schedule([soon, middle])
      await advance(200)
      expect(times.size).toBe(0)
      await advance(900)
      expect(Array.from(times.keys())).toEqual(['soon', 'middle', 'late'])
      for (const { id, dueAt } of [soon, middle, late]) expect(times.get(id)).toBeGreaterThanOrEqual(dueAt)
    })

    test('that is overdue runs in the order of the times too', async () => {
      const { queue, now, advance } = await emptyQueue()
      await queue.schedule([mail('b', now() - 100), mail('c', now() - 50), mail('a', now() - 200)])
      const ran = record(queue)
      await advance(50)
      expect(ids(ran)).toEqual(['a', 'b', 'c'])
    })

    test('of the same time runs in the order of arrival', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran = record(queue)
      const dueAt = now() + 300
      await queue.schedule(['c', 'a'].map((id) => mail(id, dueAt)))
      await queue.schedule([mail('b', dueAt)])
      await advance(400)
      expect(ids(ran)).toEqual(['c', 'a', 'b'])
    })

    test('far away does not run early', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran = record(queue)
      await queue.schedule([mail('a', now() + 60 * 86_400_000), mail('b', now() + 300)])
      await advance(500)
      expect(ids(ran)).toEqual(['b'])
      expect(await queue.known(['a', 'b'])).toEqual(new Set(['a']))
    })

    test('is run by the workers of its name only', async () => {
      const { queue, now, advance } = await emptyQueue()
      const [mails, bills] = [record(queue, 'mail'), record(queue, 'bill')]
      await queue.schedule([
        mail('a', now()),
        { ...mail('b', now()), name: 'bill' },
        { ...mail('c', now()), name: 'x' },
      ])
      await advance(50)
      expect([ids(mails), ids(bills)]).toEqual([['a'], ['b']])
      expect(await queue.known(['a', 'b', 'c'])).toEqual(new Set(['c']))
    })

    test('that the queue knows is left as it is', async () => {
      const { queue, now, advance } = await emptyQueue()
      await queue.schedule([mail('a', now() + 300, { number: 1 }), mail('a', now() + 300, { number: 2 })])
      await queue.schedule([mail('a', now(), { number: 3 }), mail('b', now() + 300)])
      const ran = record(queue)
      await advance(100)
      expect(ran).toEqual([])
      await advance(300)
      expect(ran.map(({ data }) => data)).toEqual([{ number: 1 }, {}])
      await queue.schedule([mail('a', now(), { number: 4 })])
      await advance(50)
      expect(ran.at(-1)?.data).toEqual({ number: 4 })
    })

    test('shares its data with nobody', async () => {
      const { queue, now, advance } = await emptyQueue()
      const tags = ['one']
      await queue.schedule([mail('a', now(), { tags })])
      tags.push('two')
      const ran = record(queue)
      await advance(50)
      expect(ran[0]?.data).toEqual({ tags: ['one'] })
    })
  })

  describe('a job that fails', () => {
    test('is tried again after waits that double, up to a longest one, and is then dead', async () => {
      const { queue, now, advance } = await emptyQueue()
      const tries: { readonly attempt: number; readonly dueAt: number; readonly at: number }[] = []
      const failing = async ({ attempt, dueAt }: RunningJob) => {
        tries.push({ attempt, dueAt, at: now() })
        throw new Error(`no answer ${attempt}`)
      }
      queue.work('mail', failing, { concurrency: 1, maxAttempts: 5, backoffMs: 200, maxBackoffMs: 800 })
      const job = mail('a', now(), { text: 'hello' })
      await queue.schedule([job])
      await advance(5_000)
      expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5])
      expect(new Set(tries.map(({ dueAt }) => dueAt))).toEqual(new Set([job.dueAt])) // the one that it was made for
      for (const [index, wholeMs] of [200, 400, 800, 800].entries()) {
        const waitedMs = (tries[index + 1]?.at ?? 0) - (tries[index]?.at ?? 0)
        expect(waitedMs).toBeGreaterThanOrEqual(wholeMs / 2)
        expect(waitedMs).toBeLessThanOrEqual(wholeMs + 150)
      }
      expect(await queue.dead(10)).toEqual([
        {
          id: 'a',
          name: 'mail',
          data: { text: 'hello' },
          dueAt: job.dueAt,
          attempts: 5,
          error: expect.stringContaining('no answer 5'),
        },
      ])
      expect(await queue.known(['a'])).toEqual(new Set(['a']))
    })

    test('and succeeds later is forgotten', async () => {
      const { queue, now, advance } = await emptyQueue()
      const attempts: number[] = []
      const handler = async ({ attempt }: RunningJob) => {
        attempts.push(attempt)
        if (attempt < 3) await Promise.reject('not an error object')
      }
      queue.work('mail', handler, patient)
      await queue.schedule([mail('a', now())])
      await advance(800)
      expect(attempts).toEqual([1, 2, 3])
      expect(await queue.known(['a'])).toEqual(new Set())
      expect(await queue.dead(10)).toEqual([])
    })

    test('does not hold up the others while it waits', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran: string[] = []
      const handler = async ({ id, attempt }: RunningJob) => {
        ran.push(id)
        if (id === 'bad' && attempt === 1) throw new Error('no')
      }
      queue.work('mail', handler, { ...patient, backoffMs: 1_000 })
      await queue.schedule([mail('bad', now() - 1), mail('good', now())])
      await advance(100)
      expect(ran).toEqual(['bad', 'good'])
      await advance(1_100)
      expect(ran).toEqual(['bad', 'good', 'bad'])
    })
  })

  describe('a dead job', () => {
    async function deadJobs(...names: readonly string[]) {
      const made = await emptyQueue()
      const { queue, now, advance } = made
      const ran: RunningJob[] = []
      const state = { failing: true }
      const handler = async (job: RunningJob) => {
        ran.push(job)
        if (state.failing) throw new Error(`${job.id} failed`)
      }
      const stop = queue.work('mail', handler, { ...patient, maxAttempts: 1 })
      for (const name of names) {
        await queue.schedule([mail(name, now())])
        await advance(50)
      }
      return { ...made, ran, stop, state }
    }

    test('is listed, those first that died first', async () => {
      const { queue } = await deadJobs('b', 'a', 'c')
      expect((await queue.dead(2)).map(({ id }) => id)).toEqual(['b', 'a'])
      expect((await queue.dead(9)).map(({ id, error }) => [id, error.includes(`${id} failed`)])).toEqual([
        ['b', true],
        ['a', true],
        ['c', true],
      ])
    })

    test('stays dead when it is scheduled again', async () => {
      const { queue, now, advance, ran } = await deadJobs('a')
      await queue.schedule([mail('a', now())])
      await advance(500)
      expect(ran).toHaveLength(1)
      expect(await queue.dead(9)).toHaveLength(1)
    })

    test('has all its tries again when it is revived', async () => {
      const { queue, advance, ran, state } = await deadJobs('a')
      expect(await queue.revive('a')).toBe(true)
      await advance(50)
      expect(ran.map(({ attempt }) => attempt)).toEqual([1, 1])
      expect(await queue.dead(9)).toHaveLength(1)
      state.failing = false
      expect(await queue.revive('a')).toBe(true)
      await advance(50)
      expect(ran).toHaveLength(3)
      expect(await queue.known(['a'])).toEqual(new Set())
    })

    test('only can be revived', async () => {
      const { queue, now } = await deadJobs('a')
      await queue.schedule([mail('b', now() + 60_000)])
      expect(await queue.revive('b')).toBe(false)
      expect(await queue.revive('nobody')).toBe(false)
    })

    test('is forgotten when it is cancelled', async () => {
      const { queue } = await deadJobs('a', 'b')
      await queue.cancel(['a'])
      expect((await queue.dead(9)).map(({ id }) => id)).toEqual(['b'])
      expect(await queue.known(['a'])).toEqual(new Set())
      expect(await queue.revive('a')).toBe(false)
    })
  })

  describe('a job that is cancelled', () => {
    test('does not run, and its id is free again', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran = record(queue)
      await queue.schedule([mail('a', now() + 300, { number: 1 }), mail('b', now() + 300)])
      await queue.cancel(['a', 'nobody'])
      expect(await queue.known(['a', 'b'])).toEqual(new Set(['b']))
      await advance(400)
      expect(ids(ran)).toEqual(['b'])
      await queue.schedule([mail('a', now(), { number: 2 })])
      await advance(50)
      expect(ran.at(-1)?.data).toEqual({ number: 2 })
    })

    test('while it runs is not interrupted, and is not tried again', async () => {
      const { queue, now, advance } = await emptyQueue()
      const gate = Promise.withResolvers<void>()
      let ended = 0
      const handler = async () => {
        await gate.promise
        ended++
        throw new Error('no')
      }
      queue.work('mail', handler, patient)
      await queue.schedule([mail('a', now())])
      await advance(50)
      await queue.cancel(['a'])
      await advance(50)
      expect(ended).toBe(0)
      gate.resolve()
      await advance(3_000)
      expect(ended).toBe(1)
      expect(await queue.known(['a'])).toEqual(new Set())
      expect(await queue.dead(9)).toEqual([])
    })

    test('while it waits for its next try does not run again', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran: string[] = []
      const handler = async ({ id }: RunningJob) => {
        ran.push(id)
        throw new Error('no')
      }
      queue.work('mail', handler, { ...patient, backoffMs: 500 })
      await queue.schedule([mail('a', now())])
      await advance(50)
      await queue.cancel(['a'])
      await advance(1_000)
      expect(ran).toEqual(['a'])
    })
  })

  describe('a worker', () => {
    test('runs as many jobs at once as it may, and all in the end', async () => {
      const { queue, now, advance } = await emptyQueue()
      let [running, most, ended] = [0, 0, 0]
      const gates = Array.from({ length: 10 }, () => Promise.withResolvers<void>())
      const handler = async ({ data }: RunningJob) => {
        most = Math.max(most, ++running)
        await gates[Number(data.number)]?.promise
        running--
        ended++
      }
      queue.work('mail', handler, { ...patient, concurrency: 3 })
      await queue.schedule(gates.map((_, number) => mail(`job-${number}`, now(), { number })))
      await advance(100)
      expect([running, ended]).toEqual([3, 0])
      for (const gate of gates) gate.resolve()
      await advance(300)
      expect([running, most, ended]).toEqual([0, 3, 10])
    })

    test('runs no job twice at once', async () => {
      const { queue, now, advance } = await emptyQueue()
      const gate = Promise.withResolvers<void>()
      const ran: string[] = []
      const handler = async ({ id }: RunningJob) => {
        ran.push(id)
        await gate.promise
      }
      queue.work('mail', handler, { ...patient, concurrency: 5 })
      await queue.schedule([mail('a', now())])
      await advance(50)
      await queue.schedule([mail('a', now()), mail('b', now())])
      await advance(50)
      expect(ran).toEqual(['a', 'b'])
      gate.resolve()
      await advance(100)
      expect(ran).toEqual(['a', 'b'])
    })

    test('that is stopped waits for what runs and takes no more', async () => {
      const { queue, now, advance } = await emptyQueue()
      const gate = Promise.withResolvers<void>()
      const events: string[] = []
      const handler = async ({ id }: RunningJob) => {
        events.push(id)
        await gate.promise
      }
      const stop = queue.work('mail', handler, patient)
      await queue.schedule([mail('a', now()), mail('b', now()), mail('c', now() + 300)])
      await advance(50)
      const stopped = stop().then(() => events.push('stopped'))
      await advance(50)
      expect(events).toEqual(['a'])
      gate.resolve()
      await stopped
      await advance(400)
      expect(events).toEqual(['a', 'stopped'])
      expect(await queue.known(['a', 'b', 'c'])).toEqual(new Set(['b', 'c']))
      const ran = record(queue)
      await advance(100)
      expect(ids(ran)).toEqual(['b', 'c'])
    })

    test('ends when the queue is closed, after what runs', async () => {
      const { queue, now, advance } = await emptyQueue()
      const gate = Promise.withResolvers<void>()
      const events: string[] = []
      const handler = async ({ id }: RunningJob) => {
        await gate.promise
        events.push(id)
      }
      queue.work('mail', handler, patient)
      await queue.schedule([mail('a', now()), mail('b', now())])
      await advance(50)
      const closed = queue.close().then(() => events.push('closed'))
      await advance(50)
      gate.resolve()
      await closed
      expect(events).toEqual(['a', 'closed'])
    })
  })

  describe('when the process dies', () => {
    test('what ran runs again, what waited waits, what was dead is dead', { timeout: 120_000 }, async ({ skip }) => {
      const { queue, now, advance, crash } = await emptyQueue()
      if (crash === undefined) return skip('nothing outlives the queue')
      const started: string[] = []
      const handler = async ({ id }: RunningJob) => {
        started.push(id)
        if (id === 'dead') throw new Error('no answer')
        await new Promise(() => {})
      }
      queue.work('mail', handler, { ...patient, maxAttempts: 1, concurrency: 2 })
      await queue.schedule([mail('dead', now() - 2), mail('runs', now() - 1), mail('waits', now() + 500)])
      await queue.schedule([mail('cancelled', now() + 500)])
      await queue.cancel(['cancelled'])
      await advance(50)
      expect(started).toEqual(['dead', 'runs'])

      const next = await crash()
      onTestFinished(() => next.close())
      const ran = record(next)
      await advance(600)
      expect(ids(ran)).toEqual(['runs', 'waits'])
      expect(await next.dead(9)).toMatchObject([
        { id: 'dead', attempts: 1, error: expect.stringContaining('no answer') },
      ])
      expect(await next.known(['runs', 'waits', 'dead', 'cancelled'])).toEqual(new Set(['dead']))
    })

    test('a job goes on with the tries that are left', { timeout: 120_000 }, async ({ skip }) => {
      const { queue, now, advance, crash } = await emptyQueue()
      if (crash === undefined) return skip('nothing outlives the queue')
      const attempts: number[] = []
      const handler = async ({ attempt }: RunningJob) => {
        attempts.push(attempt)
        throw new Error('no')
      }
      queue.work('mail', handler, { ...patient, backoffMs: 1_000 })
      await queue.schedule([mail('a', now())])
      await advance(50)
      const next = await crash()
      onTestFinished(() => next.close())
      next.work('mail', handler, patient)
      await advance(2_000)
      expect(attempts).toEqual([1, 2, 3])
      expect(await next.dead(9)).toMatchObject([{ id: 'a', attempts: 3 }])
    })
  })
}

function mail(id: string, dueAt: number, data: Job['data'] = {}): Job {
  return { id, name: 'mail', data, dueAt }
}

/** Works on all jobs of a name, one at a time, and keeps what ran. */
function record(queue: JobQueue, name = 'mail'): readonly RunningJob[] {
  const ran: RunningJob[] = []
  queue.work(name, async (job) => void ran.push(job), patient)
  return ran
}

function ids(jobs: readonly RunningJob[]): readonly string[] {
  return jobs.map(({ id }) => id)
}
