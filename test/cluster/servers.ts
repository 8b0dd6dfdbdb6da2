import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { redisServer, withoutServer } from '../adapters/redis/redis-server.ts'
import { freePort } from '../free-port.ts'
import { type EventStoreServerProcess, startEventStoreServerProcess } from '../servers/eventstoredb/process.ts'
import { startMongodbProcess, withoutStandIn } from '../servers/mongodb/process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** The servers that a cluster needs, each in a process of its own, which a test may stop, freeze and kill. */

const missing = [withoutServer, withoutStandIn].filter((reason) => reason !== undefined)

/** Why no cluster can be tried here, to be put behind the name of a suite; empty where it can. */
export const whyNotRun = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')})`

/** A server as a fault befalls it. */
export interface Victim {
  readonly name: string
  /** Ends it as a lost power supply would. */
  stop(): Promise<void>
  /** Starts it again with its data. */
  start(): Promise<void>
  freeze(): void
  thaw(): void
}

export interface Servers {
  readonly settings: Readonly<Record<'EVENTSTOREDB_URL' | 'MONGODB_URL' | 'REDIS_URL', string>>
  readonly eventStore: Victim & Pick<EventStoreServerProcess, 'control'>
  readonly mongo: Victim
  readonly redis: Victim & { empty(): Promise<void> }
}

async function startEventStore(): Promise<[string, Servers['eventStore']]> {
  const server = await startEventStoreServerProcess()
  onTestFinished(server.kill)
  const { url, control } = server
  const victim = {
    name: 'EventStoreDB',
    control,
    // Its log is in its memory: the process stays, and serves nobody.
    stop: () => control('goDown', 'killed'),
    start: () => control('comeUp'),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
  }
  return [url, victim]
}

async function startMongo(): Promise<[string, Victim]> {
  const { path, remove } = temporaryDirectory()
  const server = await startMongodbProcess(await freePort(), join(path, 'data'))
  onTestFinished(async () => {
    await server.kill()
    remove()
  })
  const victim = {
    name: 'MongoDB',
    stop: server.kill,
    start: server.start,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
  }
  return [`mongodb://127.0.0.1:${server.port}/shop-${randomUUID()}`, victim]
}

async function startRedis(): Promise<[string, Servers['redis']]> {
  const server = await redisServer('--appendonly', 'yes', '--maxmemory-policy', 'noeviction')
  onTestFinished(server.dispose)
  const { url, kill, start, freeze, thaw } = server
  const victim = {
    name: 'Redis',
    stop: kill,
    start,
    freeze,
    thaw,
    /** Loses everything and starts again. */
    async empty() {
      const client = new Redis(url)
      await client.flushall()
      client.disconnect()
      await kill()
      await start()
    },
  }
  return [url, victim]
}

/** Starts all three of them; they end with the test. */
export async function startServers(): Promise<Servers> {
  const [[EVENTSTOREDB_URL, eventStore], [MONGODB_URL, mongo], [REDIS_URL, redis]] = await Promise.all([
    startEventStore(),
    startMongo(),
    startRedis(),
  ])
  return { settings: { EVENTSTOREDB_URL, MONGODB_URL, REDIS_URL }, eventStore, mongo, redis }
}
