import type { WindowsClass } from './adapters/redis/rate-limit-windows.ts'
import { RateLimitWindows } from './api/rate-limit-windows.ts'
import type { Config } from './config.ts'
import type { Clock } from './engine/clock.ts'
import type { Coordination } from './engine/coordination.ts'
import type { CredentialStore } from './engine/credential-store.ts'
import { UnavailableError } from './engine/errors.ts'
import type { EventStore } from './engine/event-store.ts'
import type { JobQueue } from './engine/job-queue.ts'
import type { KeyVault } from './engine/key-vault.ts'
import type { ReadStore } from './engine/read-store.ts'
import type { Signal } from './engine/signal.ts'

// Their clients are loaded only where they are used: one machine alone does without their memory and their time to load.

/** The settings of the servers of a cluster. */
export type ServerSettings = Pick<
  Config,
  | 'EVENTSTOREDB_URL'
  | 'MONGODB_URL'
  | 'REDIS_URL'
  | 'DAYBOOK_MONGODB_READ_PREFERENCE'
  | 'DAYBOOK_MONGODB_READ_CONCERN'
  | 'DAYBOOK_REDIS_PREFIX'
>

/** A server that is needed at the start does not answer, or refuses. */
class ServerUnreachableError extends Error {
  override readonly name = 'ServerUnreachableError'
}

/** Where a server is, without the password that its URL may hold, which may have an @, a ? or a / of its own, and without its query. */
export function placeOf(url: string): string {
  const address = url.replace(/^[^/]*\/\//, '')
  const first = address.replace(/[/?].*$/, '')
  // Behind the colon of a host is the number of a port.
  const isHosts = /^[^:@]+(?::\d+(?:,[^:@]+|$))*$/.test(first)
  const path = address.replace(/\?.*$/, '')
  const hosts = isHosts ? first : (path.includes('@') ? path : address).replace(/^.*@/, '')
  return hosts.replace(/[/?].*$/, '')
}

async function reach<Opened>(noun: string, setting: string, url: string, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    throw new ServerUnreachableError(
      `${noun} at ${placeOf(url)} can't be used: ${reason.replace(/[.]?$/, '.')} Start it, or set ${setting} to where it is.`,
      { cause: error },
    )
  }
}

/** Opens the log in EventStoreDB. @throws ServerUnreachableError */
export async function openLogServer(url: string, clock: Clock, onError: (error: unknown) => void): Promise<EventStore> {
  const { openEventStoreDbStore } = await import('./adapters/eventstoredb/event-store.ts')
  return await reach('EventStoreDB', 'EVENTSTOREDB_URL', url, () =>
    openEventStoreDbStore({ url, clock, onFailure: onError }),
  )
}

interface DocumentServer {
  readonly readStore: ReadStore
  readonly vault: KeyVault
  readonly credentials: CredentialStore
  readonly coordination: Coordination
  close(): Promise<void>
}

/** Opens what is in MongoDB: read models, keys, and what processes agree by. @throws ServerUnreachableError */
export async function openDocumentServer(
  url: string,
  settings: Partial<ServerSettings>,
  onError: (error: unknown) => void,
): Promise<DocumentServer> {
  const [connecting, reading, keys, accounts, coordinating] = await Promise.all([
    import('./adapters/mongodb/connection.ts'),
    import('./adapters/mongodb/read-store.ts'),
    import('./adapters/mongodb/key-vault.ts'),
    import('./adapters/mongodb/credential-store.ts'),
    import('./adapters/mongodb/coordination.ts'),
  ])
  const { DAYBOOK_MONGODB_READ_PREFERENCE: readPreference, DAYBOOK_MONGODB_READ_CONCERN: readConcern } = settings
  const queries = { ...(readPreference && { readPreference }), ...(readConcern && { readConcern }) }
  return await reach('MongoDB', 'MONGODB_URL', url, async () => {
    const connection = connecting.connectMongo(url)
    try {
      const readStore = await reading.openMongoReadStore({ connection, queries, onError })
      await readStore.generations()
      const coordination = coordinating.mongoCoordination(connection)
      const vault = keys.mongoKeyVault(connection)
      const credentials = accounts.mongoCredentialStore(connection)
      async function close(): Promise<void> {
        await readStore.close()
        await vault.close()
        await credentials.close()
        await coordination.close()
        await connection.close()
      }
      return { readStore, vault, credentials, coordination, close }
    } catch (error) {
      await connection.close()
      throw error
    }
  })
}

interface JobServer {
  readonly queue: JobQueue
  readonly signal: Signal
  readonly rateLimitStore: WindowsClass
  readonly warnings: readonly string[]
  close(): Promise<void>
}

/** Opens what is in Redis: jobs, the signal between processes, and rate limits. @throws ServerUnreachableError */
export async function openJobServer(
  url: string,
  settings: Partial<ServerSettings>,
  onError: (error: unknown) => void,
): Promise<JobServer> {
  const [{ openRedisJobQueue }, { openRedisSignal }, { openRedisRateLimits }, { checkRedisSettings }] =
    await Promise.all([
      import('./adapters/redis/job-queue.ts'),
      import('./adapters/redis/signal.ts'),
      import('./adapters/redis/rate-limit-windows.ts'),
      import('./adapters/redis/server-settings.ts'),
    ])
  const server = { url, prefix: settings.DAYBOOK_REDIS_PREFIX ?? 'daybook', onError }
  const warnings = await reach('Redis', 'REDIS_URL', url, () => checkRedisSettings(server))
  const queue = openRedisJobQueue(server)
  const signal = openRedisSignal(server)
  const limits = openRedisRateLimits({ ...server, local: RateLimitWindows })
  return {
    queue,
    signal,
    rateLimitStore: limits.store,
    warnings,
    async close() {
      await queue.close()
      await signal.close()
      await limits.close()
    },
  }
}
