import { describe, expect, onTestFinished, test } from 'vitest'
import { HopelessJobError, type RunningJob } from '../../src/engine/job-queue.ts'
import { ids, mail, patient, record } from '../mail-jobs.ts'
import type { JobQueueHarness } from './job-queue-harness.ts'

/** What every job queue must do when jobs fail, and when the process dies. */

/**
 * Defines these tests.
 * @param harness makes an empty queue
 */
export function failuresContract(harness: () => Promise<JobQueueHarness>): void {
  async function emptyQueue(): Promise<JobQueueHarness> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made
  }

  describe('a job that fails', () => {
    test('is tried again after waits that double, up to a longest one, and is then dead', async () => {
      const { queue, now, advance, holdsTime } = await emptyQueue()
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
        if (holdsTime) expect(waitedMs).toBeLessThanOrEqual(wholeMs)
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

    test('beyond hope is dead at once', async () => {
      const { queue, now, advance } = await emptyQueue()
      let tries = 0
      const hopeless = async () => {
        tries++
        throw new HopelessJobError('there is no such address')
      }
      queue.work('mail', hopeless, patient)
      await queue.schedule([mail('a', now())])
      await advance(5_000)
      expect(tries).toBe(1)
      expect(await queue.dead(10)).toMatchObject([
        { id: 'a', attempts: 1, error: expect.stringContaining('no such address') },
      ])
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
      await advance(2_000)
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
      await advance(2_000)
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

  describe('when the process dies', () => {
    /** After this time, in milliseconds, a crash takes nothing along; what it took before the sweep puts back. */
    const kept = 200

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
      await queue.schedule([mail('dead', now() - 2), mail('runs', now() - 1), mail('waits', now() + 3_000)])
      await queue.schedule([mail('cancelled', now() + 3_000)])
      await queue.cancel(['cancelled'])
      await advance(kept)
      expect(started).toEqual(['dead', 'runs'])

      const next = await crash()
      onTestFinished(() => next.close())
      const ran = record(next)
      await advance(3_000)
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
      await advance(kept)
      const next = await crash()
      onTestFinished(() => next.close())
      next.work('mail', handler, patient)
      await advance(3_000)
      expect(attempts).toEqual([1, 2, 3])
      expect(await next.dead(9)).toMatchObject([{ id: 'a', attempts: 3 }])
    })
  })
}
