import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSqliteJobQueue } from '../../../src/adapters/sqlite/job-queue.ts'
import { NewerVersionError } from '../../../src/engine/errors.ts'
import { jobQueueContract } from '../../contract/job-queue.ts'
import type { JobQueueHarness } from '../../contract/job-queue-harness.ts'
import { manualClock } from '../../manual-clock.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

async function harness(): Promise<JobQueueHarness> {
  const directory = temporaryDirectory()
  const file = join(directory.path, 'jobs.db')
  let clock = manualClock()
  const queue = openSqliteJobQueue({ file, clock })
  return {
    queue,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    holdsTime: true,
    async crash() {
      clock = manualClock(clock.now()) // the dead process' timers never run
      return openSqliteJobQueue({ file, clock })
    },
    async dispose() {
      void queue.close() // never ends where a job was left running
      directory.remove()
    },
  }
}

function temporaryFile(): string {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  return join(directory.path, 'jobs.db')
}

describe('the job queue in SQLite', () => {
  jobQueueContract(harness)

  test('has a death and a revival in the file at once, for nobody asks for them again', async () => {
    const file = temporaryFile()
    const clock = manualClock()
    const queue = openSqliteJobQueue({ file, clock })
    onTestFinished(() => queue.close())
    const asAnotherProcess = new DatabaseSync(file)
    onTestFinished(() => asAnotherProcess.close())
    const dead = () => asAnotherProcess.prepare('SELECT id FROM job WHERE death IS NOT NULL').all()
    const handler = async () => {
      throw new Error('no')
    }
    const stop = queue.work('mail', handler, { concurrency: 1, maxAttempts: 1, backoffMs: 1, maxBackoffMs: 1 })
    await queue.schedule([{ id: 'a', name: 'mail', data: {}, dueAt: clock.now() }])
    await stop()
    expect(dead()).toEqual([{ id: 'a' }])
    expect(await queue.revive('a')).toBe(true)
    expect(dead()).toEqual([])
  })

  test('sets a damaged file aside and begins anew', async () => {
    const file = temporaryFile()
    writeFileSync(file, 'not a database, '.repeat(1_000))
    const errors: unknown[] = []
    const clock = manualClock()
    const queue = openSqliteJobQueue({ file, clock, onError: (error) => errors.push(error) })
    onTestFinished(() => queue.close())
    expect(errors).toHaveLength(1)
    await queue.schedule([{ id: 'a', name: 'mail', data: {}, dueAt: clock.now() }])
    expect(await queue.known(['a'])).toEqual(new Set(['a']))
  })

  test('refuses a newer file', () => {
    const file = temporaryFile()
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openSqliteJobQueue({ file, clock: manualClock() })).toThrow(NewerVersionError)
  })
})
