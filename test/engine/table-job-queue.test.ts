import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { systemClock } from '../../src/engine/clock.ts'
import type { Job, WorkOptions } from '../../src/engine/job-queue.ts'
import { type JobTable, tableJobQueue, type WaitingJob } from '../../src/engine/table-job-queue.ts'
import { manualClock } from '../manual-clock.ts'

const limits: WorkOptions = { concurrency: 1, maxAttempts: 3, backoffMs: 1_000, maxBackoffMs: 60_000 }

function job(dueAt: number): Job {
  return { id: 'a', name: 'mail', data: {}, dueAt }
}

/** A table of at most one job, which can be made to fail. */
function fragileTable() {
  let kept: WaitingJob | undefined
  const state = { broken: false, asked: 0 }
  function working(): void {
    if (state.broken) throw new Error('disk full')
  }
  const table: JobTable = {
    add([first]) {
      working()
      if (first !== undefined) kept = { ...first, attempts: 0 }
    },
    remove() {
      working()
      kept = undefined
    },
    known: (ids) => ids.filter((id) => id === kept?.id),
    due(_, now) {
      state.asked++
      working()
      return kept !== undefined && kept.dueAt <= now ? [kept] : []
    },
    nextAt: (_, now) => (kept !== undefined && kept.dueAt > now ? kept.dueAt : undefined),
    retry() {},
    bury() {},
    dead: () => [],
    revive: () => false,
    counts: () => ({ due: 0, later: 0, dead: 0 }),
    close() {},
  }
  return { table, state }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('the job runner', () => {
  test.each([
    [0, 500],
    [0.5, 750],
    [1, 1_000],
  ])('waits from half to all of the backoff: with %d of the jitter %d ms', async (jitter, waitMs) => {
    const clock = manualClock()
    const queue = memoryJobQueue({ clock, random: () => jitter })
    const times: number[] = []
    const handler = async () => {
      times.push(clock.now())
      throw new Error('no')
    }
    queue.work('mail', handler, { ...limits, maxAttempts: 2 })
    await queue.schedule([job(clock.now())])
    await clock.advance(60_000)
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBe(waitMs)
  })

  test('wakes for a job that is further away than any timer, at its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const queue = memoryJobQueue({ clock: systemClock })
    const dueAt = Date.now() + 60 * 86_400_000
    let ranAt = 0
    const handler = async () => {
      ranAt = Date.now()
    }
    queue.work('mail', handler, limits)
    await queue.schedule([job(dueAt)])
    await vi.advanceTimersByTimeAsync(60 * 86_400_000 - 1)
    expect(ranAt).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(ranAt).toBe(dueAt)
  })

  test('asks the table no more often than something is due or comes', async () => {
    const clock = manualClock()
    const { table, state } = fragileTable()
    const queue = tableJobQueue(table, { clock })
    queue.work('mail', async () => {}, limits)
    await queue.schedule([job(clock.now() + 1_000_000)])
    const { asked } = state
    await clock.advance(999_999)
    expect(state.asked).toBe(asked)
    await clock.advance(1)
    expect(await queue.known(['a'])).toEqual(new Set())
  })

  test('runs as many jobs as all workers of a name may together', async () => {
    const clock = manualClock()
    const queue = memoryJobQueue({ clock })
    const ran: string[] = []
    const handler = async ({ id }: Job) => {
      ran.push(id)
      await new Promise(() => {})
    }
    queue.work('mail', handler, limits)
    queue.work('mail', handler, limits)
    await queue.schedule(['a', 'b', 'c'].map((id) => ({ ...job(clock.now()), id })))
    await clock.advance(10)
    expect(ran).toEqual(['a', 'b'])
  })

  test('asks the table once for all that have ended together, however many wait', async () => {
    const clock = manualClock()
    const waiting = new Map(Array.from({ length: 200 }, (_, number) => [`${number}`, clock.now()]))
    let asked = 0
    const table: JobTable = {
      ...fragileTable().table,
      due(_, now, limit) {
        asked++
        const due = [...waiting].filter(([, at]) => at <= now).slice(0, limit)
        return due.map(([id, dueAt]) => ({ id, name: 'mail', data: {}, dueAt, attempts: 0 }))
      },
      nextAt: () => undefined,
      retry: (id, _attempts, nextAt) => void waiting.set(id, nextAt),
    }
    const queue = tableJobQueue(table, { clock })
    let ran = 0
    const handler = async () => {
      ran++
      throw new Error('no room')
    }
    queue.work('mail', handler, { ...limits, concurrency: 50 })
    await clock.advance(10)
    expect(ran).toBe(200)
    expect(asked).toBeLessThan(10)
  })

  test('goes on once a table that failed works again', async () => {
    const clock = manualClock()
    const { table, state } = fragileTable()
    const errors: unknown[] = []
    const queue = tableJobQueue(table, { clock, onError: (error) => errors.push(error) })
    let ran = 0
    queue.work('mail', async () => void ran++, limits)
    await queue.schedule([job(clock.now() + 100)])
    state.broken = true
    await clock.advance(5_000)
    expect([ran, errors.length]).toEqual([0, 5])
    state.broken = false
    await clock.advance(1_000)
    expect(ran).toBe(1)
  })

  test('does not run a job again because its end could not be written', async () => {
    const clock = manualClock()
    const { table, state } = fragileTable()
    const queue = tableJobQueue(table, { clock })
    let ran = 0
    const handler = async () => {
      ran++
      state.broken = true
    }
    queue.work('mail', handler, limits)
    await queue.schedule([job(clock.now())])
    await clock.advance(10_000)
    state.broken = false
    await clock.advance(10_000)
    expect(ran).toBe(1)
    expect(await queue.known(['a'])).toEqual(new Set())
  })

  test('stops though the table fails', async () => {
    const clock = manualClock()
    const { table, state } = fragileTable()
    const queue = tableJobQueue(table, { clock })
    const handler = async () => {
      state.broken = true
    }
    queue.work('mail', handler, limits)
    await queue.schedule([job(clock.now())])
    await clock.advance(10)
    const closed = queue.close()
    await clock.advance(2_000)
    await closed
  })
})
