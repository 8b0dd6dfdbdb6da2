import { expect, test } from 'vitest'
import { inTime } from '../../src/engine/clock.ts'
import { manualClock, settled } from '../manual-clock.ts'

test('What comes in time is given on, failures too, and leaves no timer behind', async () => {
  const clock = manualClock()
  let timers = 0
  const counting = {
    after(delayMs: number, run: () => void) {
      timers++
      const cancel = clock.after(delayMs, run)
      return () => {
        timers--
        cancel()
      }
    },
  }
  expect(await inTime(counting, 1_000, Promise.resolve('there'))).toBe('there')
  await expect(inTime(counting, 1_000, Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(timers).toBe(0)
})

test('What does not come in time is not waited for, and may fail later without harm', async () => {
  const clock = manualClock()
  const coming = Promise.withResolvers<string>()
  const answers: unknown[] = []
  void inTime(clock, 1_000, coming.promise).then((answer) => answers.push(answer))
  await clock.advance(999)
  expect(answers).toEqual([])
  await clock.advance(1)
  expect(answers).toEqual([undefined])
  coming.reject(new Error('late'))
  await settled() // where nobody had heard of it the run would fail
})
