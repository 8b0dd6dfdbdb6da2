import { expect, test } from 'vitest'
import { deadline } from '../../src/api/deadline.ts'
import { manualClock, settled } from '../manual-clock.ts'

const never = new Promise<never>(() => {})

/** What has become of a promise so far. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const known = promise.catch((error: unknown) => error)
  return await Promise.race([known, settled().then(() => 'waits')])
}

test('A request that takes too long in all its parts together is answered 503, to be sent again', async () => {
  const clock = manualClock()
  const limit = deadline(clock, 1_000)
  const first = Promise.withResolvers<string>()
  const part = limit.within(first.promise)
  await clock.advance(600)
  first.resolve('done')
  expect(await part).toBe('done')
  const second = limit.within(never)
  await clock.advance(399)
  expect(await outcome(second)).toBe('waits')
  await clock.advance(1)
  expect(await outcome(second)).toMatchObject({
    problem: { status: 503, code: 'too-slow', headers: { 'retry-after': '1' } },
  })
})

test('What a caller has asked to wait for, and what comes between the parts, is not counted', async () => {
  const clock = manualClock()
  const limit = deadline(clock, 1_000)
  await limit.within(Promise.resolve())
  await clock.advance(60_000)
  const asked = Promise.withResolvers<string>()
  const answer = limit.within(limit.uncounted(() => asked.promise))
  await clock.advance(60_000)
  asked.resolve('reached')
  expect(await answer).toBe('reached')
})
