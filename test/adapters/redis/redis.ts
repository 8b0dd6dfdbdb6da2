import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'

/** The Redis that tests run against, if there is one. */
export const redisUrl = process.env.REDIS_URL

/** What a suite is called that has no Redis to run against. */
export const withoutRedis = 'skipped: REDIS_URL names no Redis to run against'

export interface KeySpace {
  readonly url: string
  readonly prefix: string
  /** Looks at what is there. */
  readonly client: Redis
  dispose(): Promise<void>
}

/** A prefix of its own for each test, whose keys are deleted at its end. */
export function keySpace(url = redisUrl): KeySpace {
  if (url === undefined) throw new Error(withoutRedis)
  const prefix = `test-${randomUUID()}`
  const client = new Redis(url)
  return {
    url,
    prefix,
    client,
    async dispose() {
      for await (const keys of client.scanStream({ match: `${prefix}:*`, count: 1_000 })) {
        if (keys.length > 0) await client.unlink(...keys)
      }
      client.disconnect()
    },
  }
}
