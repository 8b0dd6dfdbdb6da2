import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { whyNotRun } from './servers.ts'
import { freezeMs, startTrial, stopMs } from './trial.ts'

/** What goes wrong with the servers and the ways to them, one thing after another, while a shop is busy. */

describe.skipIf(whyNotRun !== '')(`a cluster whose servers fail${whyNotRun}`, { timeout: 600_000 }, () => {
  test('answers or asks to come again, loses nothing, does nothing twice, and catches up by itself', async () => {
    const { cluster, befall, end, load } = await startTrial(1)
    const { eventStore, mongo, redis, settings } = cluster.servers

    /** Until so many further events of one item are known to be in the log. */
    async function goneOn(events: number): Promise<void> {
      const before = load.hotRevision()
      await expect.poll(load.hotRevision, { timeout: 60_000 }).toBeGreaterThan(before + events)
    }

    for (const victim of [eventStore, mongo, redis]) {
      await befall(`${victim.name} stopped for ${stopMs / 1_000} s`, async () => {
        await victim.stop()
        await sleep(stopMs)
        await victim.start()
      })
      await befall(`${victim.name} frozen for ${freezeMs / 1_000} s`, async () => {
        victim.freeze()
        await sleep(freezeMs)
        victim.thaw()
      })
    }
    await befall('Redis restarted empty', redis.empty)
    await befall('connections to EventStoreDB cut five times', async () => {
      for (let times = 0; times < 5; times++) {
        await eventStore.control('dropConnections')
        await goneOn(1)
      }
    })
    await befall('a subscription of EventStoreDB cut in the middle of a batch', async () => {
      await eventStore.control('cutReadsAfter', 10)
      await goneOn(10)
    })
    await befall('connections to MongoDB cut by a restart', async () => {
      await mongo.stop()
      await mongo.start()
    })
    await befall('connections to Redis cut', async () => {
      const client = new Redis(settings.REDIS_URL)
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      client.disconnect()
    })
    await befall('20 answers of EventStoreDB lost after the write', () => eventStore.control('loseNextAnswers', 20))
    await befall('5 answers of EventStoreDB lost with the connection', () =>
      eventStore.control('loseNextAnswers', 5, true),
    )
    await end()
  })
})
