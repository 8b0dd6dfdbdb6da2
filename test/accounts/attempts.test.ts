import { expect, test } from 'vitest'
import { attempts, TooManyAttemptsError } from '../../src/accounts/attempts.ts'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { manualClock } from '../manual-clock.ts'

const policy = { limit: 10, windowMs: 900_000 }

function counting() {
  const clock = manualClock()
  const store = memoryCredentialStore()
  const open = () => attempts({ store, clock, hash: (name) => `hash of ${name}` })
  const counted = open()
  /** @returns 0 for a try that is let through, else the seconds to wait */
  async function tried(name = 'ada', by = counted): Promise<number> {
    try {
      await by.take(name, policy)
      return 0
    } catch (error) {
      if (!(error instanceof TooManyAttemptsError)) throw error
      return error.retryAfterSeconds
    }
  }
  async function spent(): Promise<void> {
    for (let turn = 0; turn < policy.limit; turn++) expect(await tried()).toBe(0)
  }
  return { clock, counted, open, tried, spent }
}

test('The eleventh try in a quarter of an hour is refused, and others are not', async () => {
  const { clock, tried, spent } = counting()
  await spent()
  expect(await tried()).toBe(60)
  expect(await tried('bob')).toBe(0)
  await clock.advance(59_000)
  expect(await tried()).toBe(1)
})

test('When a lock has ended there is one try, and then a lock twice as long, up to an hour', async () => {
  const { clock, tried, spent } = counting()
  await spent()
  const waits: number[] = []
  for (let round = 0; round < 8; round++) {
    waits.push(await tried())
    await clock.advance((waits.at(-1) ?? 0) * 1_000)
    expect(await tried()).toBe(0)
  }
  expect(waits).toEqual([60, 120, 240, 480, 960, 1_920, 3_600, 3_600])
})

test('Tries that are far apart are never refused', async () => {
  const { clock, tried } = counting()
  for (let turn = 0; turn < 30; turn++) {
    expect(await tried()).toBe(0)
    await clock.advance(120_000)
  }
})

test('A good try is taken back, or clears all', async () => {
  const { counted, tried, spent } = counting()
  await spent()
  await counted.giveBack('ada')
  expect(await tried()).toBe(0)
  expect(await tried()).toBe(60)
  await counted.clear('ada')
  await spent()
})

test('Tries that come at once in several processes are all counted', async () => {
  const { open, tried } = counting()
  const processes = [open(), open()]
  const answers = await Promise.all(Array.from({ length: 100 }, (_, turn) => tried('ada', processes[turn % 2])))
  expect(answers.filter((wait) => wait === 0)).toHaveLength(10)
})
