import { expect, onTestFinished, test } from 'vitest'
import { appender } from '../../../src/adapters/eventstoredb/appender.ts'
import { checkpointsIn } from '../../../src/adapters/eventstoredb/checkpoints.ts'
import { connect } from '../../../src/adapters/eventstoredb/connection.ts'
import { openReader } from '../../../src/adapters/eventstoredb/reader.ts'
import { systemClock as clock } from '../../../src/engine/clock.ts'
import { startServer } from './opened-store.ts'

const patienceMs = 10_000

test('a checkpoint that is stored while the one before it is read is not taken back', async () => {
  const server = await startServer()
  const connection = connect(server.url, clock)
  onTestFinished(() => connection.close(1_000))
  const reader = openReader(connection, clock)
  onTestFinished(() => reader.close())
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const { promise: drained, resolve: drain } = Promise.withResolvers<void>()
  let holds = false
  const checkpoints = checkpointsIn({
    reader: {
      ...reader,
      async read(...asked) {
        const answers = await reader.read(...asked)
        const isHeld = holds
        holds = false
        return {
          ...answers,
          async more(timeoutMs) {
            const isMore = await answers.more(timeoutMs)
            if (isMore || !isHeld) return isMore
            // All that there was has been read, and whoever asked is told so late.
            drain()
            await held
            return false
          },
        }
      },
    },
    appender: appender({
      connection,
      clock,
      appendTimeoutMs: patienceMs,
      maxAppendsUnderWay: 10,
      maxBytesUnderWay: 1_000_000,
    }),
    clock,
    readTimeoutMs: patienceMs,
    saveEveryMs: 60_000,
    onFailure: (error) => expect.fail(String(error)),
  })
  const at = (position: number) => ({ logId: 'log', position, eventId: `event-${position}` })
  checkpoints.save('refund', at(1), 7)
  await checkpoints.flush()
  checkpoints.save('refund', at(2), 7)
  holds = true
  const loading = checkpoints.load('refund')
  await drained
  await checkpoints.flush()
  letGo()
  expect(await loading).toEqual(at(2))
})
