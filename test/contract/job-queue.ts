import { describe, expect, onTestFinished, test } from 'vitest'
import { HopelessJobError, type RunningJob } from '../../src/engine/job-queue.ts'
import { ids, mail, patient, record } from '../mail-jobs.ts'
import { failuresContract } from './job-queue-failures.ts'
import type { JobQueueHarness } from './job-queue-harness.ts'

/** What every job queue must do. What it does when jobs fail is in the file beside this one. */

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
      const ran: unknown[] = []
      queue.work('mail', async ({ id, dueAt }) => void ran.push({ id, isEarly: now() < dueAt }), patient)
      await advance(400)
      expect(ran).toEqual([
        { id: 'a', isEarly: false },
        { id: 'b', isEarly: false },
      ])
    })

    test('runs at its time and not before, in the order of the times', async () => {
      const { queue, now, advance } = await emptyQueue()
      const times = new Map<string, number>()
      queue.work('mail', async ({ id }) => void times.set(id, now()), patient)
      const start = now()
      const [late, soon, middle] = [mail('late', start + 900), mail('soon', start + 300), mail('middle', start + 600)]
      await queue.schedule([late])
      await queue.schedule([soon, middle])
      await advance(1_100)
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
      const later = now() + 300
      await queue.schedule([mail('a', later, { number: 1 }), mail('a', later, { number: 2 })])
      await queue.schedule([mail('a', now(), { number: 3 }), mail('b', later)])
      const ran = record(queue)
      await advance(400)
      expect(ran.map(({ data, dueAt }) => [data, dueAt])).toEqual([
        [{ number: 1 }, later],
        [{}, later],
      ])
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

    test('has what JSON keeps of its data, whether it waited, ran at once, runs again or is dead', async () => {
      const { queue, now, advance } = await emptyQueue()
      const ran: RunningJob[] = []
      const handler = async (running: RunningJob) => {
        ran.push(running)
        throw new Error('no')
      }
      queue.work('mail', handler, { ...patient, maxAttempts: 2 })
      const data = { at: new Date(0), none: undefined, most: Infinity, tags: ['one'] }
      await queue.schedule([mail('at-once', now(), data), mail('later', now() + 50, data)])
      data.tags.push('two')
      await advance(5_000)
      const kept = { at: '1970-01-01T00:00:00.000Z', most: null, tags: ['one'] }
      expect(ran).toHaveLength(4)
      for (const found of [...ran, ...(await queue.dead(9))]) expect(found.data).toStrictEqual(kept)
      expect(await queue.dead(9)).toHaveLength(2)
    })
  })

  describe('a job that is cancelled', () => {
    test('does not run, and its id is free again', async () => {
      const { queue, now, advance } = await emptyQueue()
      await queue.schedule([mail('a', now() + 300, { number: 1 }), mail('b', now() + 300)])
      await queue.cancel(['a', 'nobody'])
      expect(await queue.known(['a', 'b'])).toEqual(new Set(['b']))
      const ran = record(queue)
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
      queue.work('mail', handler, { ...patient, backoffMs: 4_000 })
      await queue.schedule([mail('a', now())])
      await advance(50)
      await queue.cancel(['a'])
      expect(await queue.known(['a'])).toEqual(new Set())
      await advance(4_000)
      expect(ran).toEqual(['a'])
    })
  })

  describe('a job that is cancelled while it runs, and scheduled anew', () => {
    async function scheduledAnew() {
      const made = await emptyQueue()
      const { queue, now, advance } = made
      const gate = Promise.withResolvers<void>()
      const ran: unknown[] = []
      const handler = async ({ data }: RunningJob) => {
        ran.push(data.number)
        await gate.promise
      }
      const stop = queue.work('mail', handler, { ...patient, concurrency: 5 })
      await queue.schedule([mail('a', now(), { number: 1 })])
      await advance(10)
      await queue.cancel(['a'])
      await queue.schedule([mail('a', now(), { number: 2 })])
      return { ...made, handler, stop, ran, gate }
    }

    test('runs after the one that was cancelled', async () => {
      const { queue, advance, handler, stop, ran, gate } = await scheduledAnew()
      void stop() // it waits for what runs, while another worker has come
      queue.work('mail', handler, patient)
      await advance(10)
      expect(ran).toEqual([1])
      gate.resolve()
      await advance(50)
      expect(ran).toEqual([1, 2])
      expect(await queue.known(['a'])).toEqual(new Set())
    })

    test('does not run if it is cancelled, too', async () => {
      const { queue, advance, ran, gate } = await scheduledAnew()
      await queue.cancel(['a'])
      gate.resolve()
      await advance(50)
      expect(ran).toEqual([1])
      expect(await queue.known(['a'])).toEqual(new Set())
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

    test('runs no more jobs than all together may, and all in the end', async () => {
      const { queue, now, advance } = await emptyQueue()
      let [running, most, ended] = [0, 0, 0]
      const gates = Array.from({ length: 10 }, () => Promise.withResolvers<void>())
      const handler = async ({ data }: RunningJob) => {
        most = Math.max(most, ++running)
        await gates[Number(data.number)]?.promise
        running--
        ended++
      }
      for (let worker = 0; worker < 2; worker++) {
        queue.work('mail', handler, { ...patient, concurrency: 3, totalConcurrency: 4 })
      }
      await advance(100)
      await queue.schedule(gates.map((_, number) => mail(`job-${number}`, now(), { number })))
      await advance(100)
      expect([running, ended]).toEqual([4, 0])
      for (const gate of gates) gate.resolve()
      await advance(300)
      expect([running, most, ended]).toEqual([0, 4, 10])
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

    test('is counted with what waits, runs, comes later and is dead', async () => {
      const { queue, now, advance } = await emptyQueue()
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 0, dead: 0 })
      const gate = Promise.withResolvers<void>()
      const stop = queue.work(
        'mail',
        async ({ id }) => {
          if (id === 'a') throw new HopelessJobError('no such address')
          await gate.promise
        },
        patient,
      )
      await queue.schedule([mail('a', now())])
      await advance(50)
      await queue.schedule([mail('b', now()), mail('c', now()), mail('d', now() + 60_000)])
      await advance(250)
      expect(await queue.counts()).toEqual({ waiting: 1, active: 1, delayed: 1, dead: 1 })
      gate.resolve()
      await advance(100)
      expect(await queue.counts()).toEqual({ waiting: 0, active: 0, delayed: 1, dead: 1 })
      await stop()
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

  failuresContract(harness)
}
