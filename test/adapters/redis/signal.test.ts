import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedisSignal } from '../../../src/adapters/redis/signal.ts'
import { type SignalHarness, signalContract } from '../../contract/signal.ts'
import { keySpace, redisUrl, withoutRedis } from './redis.ts'
import { redisServer, withoutServer } from './redis-server.ts'

const skipped = redisUrl === undefined

async function harness(): Promise<SignalHarness> {
  const keys = keySpace()
  const { url, prefix, client } = keys
  let count = 0
  return {
    async open() {
      const signal = openRedisSignal({ url, prefix })
      const expected = ++count
      await expect
        .poll(async () => (await client.pubsub('NUMSUB', `${prefix}:signal`))[1])
        .toBeGreaterThanOrEqual(expected)
      return signal
    },
    dispose: keys.dispose,
  }
}

describe.skipIf(skipped)(`the signal over Redis${skipped ? ` (${withoutRedis})` : ''}`, () => {
  signalContract(harness)

  test('says on the wire, which other versions read, what is to be looked at by names', async () => {
    const { url, prefix, client, dispose } = keySpace()
    onTestFinished(dispose)
    const messages: unknown[] = []
    client.on('message', (channel, text) => messages.push([channel, JSON.parse(text)]))
    await client.subscribe(`${prefix}:signal`)
    const signal = openRedisSignal({ url, prefix })
    onTestFinished(() => signal.close())
    signal.send(['orders', 'session:a7'])
    await expect
      .poll(() => messages)
      .toEqual([[`${prefix}:signal`, { from: expect.any(String), names: ['orders', 'session:a7'] }]])
    await client.unsubscribe()
  })
})

describe.skipIf(withoutServer !== undefined)(
  `the signal over Redis when the server goes${withoutServer ? ` (skipped: ${withoutServer})` : ''}`,
  { timeout: 60_000 },
  () => {
    test('tells this process all the same, the others when it is back, and all that they may have missed something', async () => {
      const server = await redisServer()
      onTestFinished(server.dispose)
      const errors: unknown[] = []
      const options = { url: server.url, prefix: 'test', onError: (error: unknown) => errors.push(error) }
      const [sender, receiver] = [openRedisSignal(options), openRedisSignal(options)]
      onTestFinished(async () => {
        await Promise.all([sender.close(), receiver.close()])
      })
      const own = new Set<string>()
      const others = new Set<string>()
      let lost = 0
      sender.listen((names) => {
        for (const name of names) own.add(name)
      })
      receiver.listen(
        (names) => {
          for (const name of names) others.add(name)
        },
        () => lost++,
      )
      await expect.poll(() => lost).toBeGreaterThan(0) // what came before it listened
      sender.send(['before'])
      await expect.poll(() => others).toContain('before')

      await server.kill()
      await expect.poll(() => errors).not.toEqual([])
      sender.send(['orders'])
      sender.send(['carts'])
      await expect.poll(() => own).toContain('carts')
      expect(others).not.toContain('orders')

      const before = lost
      await server.start()
      // Where the sender is the first to be back, that is how the others learn of it.
      await expect.poll(() => lost).toBeGreaterThan(before)
      sender.send(['later'])
      await expect.poll(() => others).toContain('later')
    })
  },
)
