import { expect, onTestFinished, test } from 'vitest'
import { connect, type ReadCall } from '../../../src/adapters/eventstoredb/connection.ts'
import { subscriptionRequest } from '../../../src/adapters/eventstoredb/read-request.ts'
import { openReader } from '../../../src/adapters/eventstoredb/reader.ts'
import { systemClock } from '../../../src/engine/clock.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import { manualClock, settled } from '../../manual-clock.ts'
import { startServer } from './opened-store.ts'

/** Longer than whoever reads has to wait for a way to the log. */
const longMs = 60_000

test('a read gives up when no way to the log comes in time, and one that comes later is ended', async () => {
  const server = await startServer()
  const clock = manualClock()
  const connection = connect(server.url, systemClock)
  onTestFinished(() => connection.close(1_000))
  const { promise: way, resolve: findWay } = Promise.withResolvers<void>()
  const calls: ReadCall[] = []
  const errors: unknown[] = []
  const reader = openReader(
    {
      async read(request) {
        await way
        const call = await connection.read(request)
        calls.push(call.on('error', (error) => errors.push(error)))
        return call
      },
    },
    clock,
  )
  onTestFinished(() => reader.close())
  const read = reader.read(subscriptionRequest(0, undefined))
  const failed = expect(read).rejects.toThrow(UnavailableError)
  await clock.advance(longMs)
  await failed
  findWay()
  await expect.poll(() => errors).toEqual([expect.objectContaining({ details: 'Cancelled on client' })])
  expect(calls).toHaveLength(1)
})

test('a read that is opened in time is not ended by the time that has passed', async () => {
  const server = await startServer()
  const clock = manualClock()
  const connection = connect(server.url, systemClock)
  onTestFinished(() => connection.close(1_000))
  const reader = openReader(connection, clock)
  onTestFinished(() => reader.close())
  const answers = await reader.read(subscriptionRequest(0, undefined))
  await clock.advance(longMs)
  await settled()
  expect(await answers.more()).toBe(true)
  answers.close()
})
