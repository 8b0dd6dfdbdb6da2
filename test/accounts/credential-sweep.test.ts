import { expect, onTestFinished, test } from 'vitest'
import { credentialSweep } from '../../src/accounts/credential-sweep.ts'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { manualClock } from '../manual-clock.ts'

const tenMinutes = 600_000

function swept() {
  const clock = manualClock()
  const kept = memoryCredentialStore()
  const failures: unknown[] = []
  const troubles: Error[] = []
  const store = {
    async sweep(nowMs: number, limit: number): Promise<number> {
      const trouble = troubles.pop()
      if (trouble) throw trouble
      return await kept.sweep(nowMs, limit)
    },
  }
  const stop = credentialSweep({ store, clock, onFailure: (error) => failures.push(error) })
  onTestFinished(stop)

  async function keep(number: number): Promise<void> {
    for (let turn = 0; turn < number; turn++)
      await kept.write({ kind: 'attempts', id: `${turn}`, owner: null, expiresAt: clock.now(), version: 1, data: '{}' })
  }
  async function left(): Promise<number> {
    let count = 0
    for await (const entries of kept.entries()) count += entries.length
    return count
  }
  return { clock, keep, left, stop, failures, troubles }
}

test('what has expired goes, however much there is, within ten minutes and a moment', async () => {
  const { clock, keep, left } = swept()
  await keep(20_500)
  await clock.advance(tenMinutes + 3_000)
  expect(await left()).toBe(0)
  await keep(10)
  await clock.advance(tenMinutes)
  expect(await left()).toBe(0)
})

test('a failure is told, and the next turn goes on', async () => {
  const { clock, keep, left, failures, troubles } = swept()
  troubles.push(new Error('no answer'))
  await keep(10)
  await clock.advance(tenMinutes)
  expect([failures.length, await left()]).toEqual([1, 10])
  await clock.advance(tenMinutes)
  expect([failures.length, await left()]).toEqual([1, 0])
})

test('nothing is swept once it is stopped', async () => {
  const { clock, keep, left, stop } = swept()
  await keep(10)
  stop()
  await clock.advance(tenMinutes)
  expect(await left()).toBe(10)
})
