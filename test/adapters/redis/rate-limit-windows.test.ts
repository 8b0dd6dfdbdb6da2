import type { FastifyRateLimitStore } from '@fastify/rate-limit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openRedisRateLimits } from '../../../src/adapters/redis/rate-limit-windows.ts'
import { RateLimitWindows } from '../../../src/api/rate-limit-windows.ts'
import { serve } from '../../api/serve.ts'
import { keySpace, redisUrl, withoutRedis } from './redis.ts'
import { redisServer, withoutServer } from './redis-server.ts'

const skipped = redisUrl === undefined

/** Counts a request. */
function count(store: FastifyRateLimitStore, key: string, windowMs = 60_000) {
  return new Promise<{ current: number; ttl: number } | undefined>((resolve, reject) => {
    store.incr(key, (error, result) => (error ? reject(error) : resolve(result)), windowMs, 100)
  })
}

/** Whether two processes count together. */
async function isShared(one: FastifyRateLimitStore, other: FastifyRateLimitStore, key: string): Promise<boolean> {
  const before = await count(one, key)
  return (await count(other, key))?.current === (before?.current ?? 0) + 1
}

/** Two processes that share a Redis. */
function processes(url: string, prefix: string): readonly FastifyRateLimitStore[] {
  return [1, 2].map(() => {
    const limits = openRedisRateLimits({ url, prefix, local: RateLimitWindows, timeoutMs: 1_000 })
    onTestFinished(limits.close)
    return new limits.store()
  })
}

describe.skipIf(skipped)(`rate limits in Redis${skipped ? ` (${withoutRedis})` : ''}`, () => {
  async function shared() {
    const keys = keySpace()
    onTestFinished(keys.dispose)
    const [one, other] = processes(keys.url, keys.prefix)
    if (one === undefined || other === undefined) throw new Error('There are two')
    // From when both are connected.
    await expect.poll(() => isShared(one, other, 'first')).toBe(true)
    return { ...keys, one, other }
  }

  test('count the requests of one caller in all processes together', async () => {
    const { one, other } = await shared()
    for (const [index, store] of [one, other, one, other].entries()) {
      expect(await count(store, 'ada')).toMatchObject({ current: index + 1 })
    }
    expect(await count(one, 'bob')).toMatchObject({ current: 1 })
  })

  test('begin anew when a window has ended', async () => {
    const { one, other } = await shared()
    const windowMs = 2_000
    expect(await count(one, 'ada', windowMs)).toMatchObject({ current: 1 })
    const second = await count(other, 'ada', windowMs)
    expect(second?.current).toBe(2)
    expect(second?.ttl).toBeLessThanOrEqual(windowMs)
    await expect.poll(async () => (await count(one, 'ada', windowMs))?.current).toBe(1)
  })

  test('count a route that has a limit of its own by itself', async () => {
    const { one, other } = await shared()
    const routes = ['/v1/tokens', '/v1/guests'].map((url) => ({ routeInfo: { method: 'POST', url } }))
    const child = (store: FastifyRateLimitStore, route: object | undefined) =>
      store.child(Object.assign(Object.create(null), route))
    expect(await count(child(one, routes[0]), 'ada')).toMatchObject({ current: 1 })
    expect(await count(child(other, routes[0]), 'ada')).toMatchObject({ current: 2 })
    expect(await count(child(one, routes[1]), 'ada')).toMatchObject({ current: 1 })
    expect(await count(one, 'ada')).toMatchObject({ current: 1 })
  })

  test('refuse, in every process of the API, whoever has asked too much of all of them', async () => {
    const keys = keySpace()
    onTestFinished(keys.dispose)
    const stores = [1, 2].map(() => openRedisRateLimits({ ...keys, local: RateLimitWindows, timeoutMs: 1_000 }))
    onTestFinished(async () => {
      for (const each of stores) await each.close()
    })
    const [one, other] = stores
    if (one === undefined || other === undefined) throw new Error('There are two')
    const [first, second] = [new one.store(), new other.store()]
    await expect.poll(() => isShared(first, second, 'first')).toBe(true)
    const apis = await Promise.all(
      stores.map(({ store }) => serve({ limits: { requestsPerMinute: 3, rateLimitStore: store } })),
    )
    const statuses: number[] = []
    for (const { send } of [...apis, ...apis]) statuses.push((await send('GET /v1/venues/globe')).statusCode)
    expect(statuses).toEqual([404, 404, 404, 429])
  })

  test('say nothing readable of who calls', async () => {
    const { one, client, prefix } = await shared()
    await count(one, 'address 192.0.2.7')
    expect((await client.keys(`${prefix}:rate:*`)).join()).not.toContain('192')
  })
})

describe.skipIf(withoutServer !== undefined)(
  `rate limits in Redis when the server goes${withoutServer ? ` (skipped: ${withoutServer})` : ''}`,
  { timeout: 60_000 },
  () => {
    test.each(['killed', 'frozen'])(
      'are counted by each process while it is %s, and shared again afterwards',
      async (fate) => {
        const server = await redisServer()
        onTestFinished(server.dispose)
        const [one, other] = processes(server.url, 'test')
        if (one === undefined || other === undefined) throw new Error('There are two')
        await expect.poll(() => isShared(one, other, 'before')).toBe(true)

        if (fate === 'killed') await server.kill()
        else server.freeze()
        for (const expected of [1, 2, 3]) expect(await count(one, 'ada')).toMatchObject({ current: expected })
        expect(await count(other, 'ada')).toMatchObject({ current: 1 })
        // Thousands of requests wait for it no longer than one does.
        const all = await Promise.all(Array.from({ length: 5_000 }, () => count(one, 'many')))
        expect(Math.max(...all.map((each) => each?.current ?? 0))).toBe(5_000)

        if (fate === 'killed') await server.start()
        else server.thaw()
        await expect.poll(() => isShared(one, other, 'after'), { timeout: 20_000, interval: 200 }).toBe(true)
      },
    )
  },
)
