import { randomUUID } from 'node:crypto'
import { redisServer } from '../test/adapters/redis/redis-server.ts'
import { startEventStoreServerProcess } from '../test/servers/eventstoredb/process.ts'
import type { Surroundings } from './benchmark.ts'
import { startMongodb } from './mongodb-server.ts'

/** The servers that benchmarks of several processes use: those that the URLs name, or else what the tests use for them. */

export interface StartedServer {
  readonly url: string
  stop(): Promise<void>
}

/** What titles say of what was measured without the real servers. */
export const standInNote = 'provisional: on the stand-ins that the tests use for the servers'

/** The log's server, the one of `EVENTSTOREDB_URL` if it is set. */
export async function startEventStore(): Promise<StartedServer> {
  const { EVENTSTOREDB_URL: url } = process.env
  if (url !== undefined) return { url, stop: async () => {} }
  const server = await startEventStoreServerProcess()
  return { url: server.url, stop: server.kill }
}

async function startRedis(): Promise<StartedServer> {
  const { REDIS_URL: url } = process.env
  if (url !== undefined) return { url, stop: async () => {} }
  const server = await redisServer('--appendonly', 'yes', '--maxmemory-policy', 'noeviction')
  return { url: server.url, stop: server.dispose }
}

/** What tells the processes of a cluster where its servers are. */
export type ServerUrls = Readonly<Record<'EVENTSTOREDB_URL' | 'MONGODB_URL' | 'REDIS_URL', string>>

/** Starts all three servers of a cluster, with nothing in them but what servers had that are named by the URLs. */
export async function startServers({ defer }: Pick<Surroundings, 'defer'>): Promise<ServerUrls> {
  const start = async (starting: Promise<StartedServer>) => {
    const { url, stop } = await starting
    defer(stop)
    return url
  }
  const [EVENTSTOREDB_URL, mongodb, REDIS_URL] = await Promise.all([
    start(startEventStore()),
    start(startMongodb()),
    start(startRedis()),
  ])
  const MONGODB_URL = new URL(mongodb)
  MONGODB_URL.pathname = `/bench-${randomUUID()}`
  return { EVENTSTOREDB_URL, MONGODB_URL: MONGODB_URL.href, REDIS_URL }
}
