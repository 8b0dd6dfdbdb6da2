import { watchEventLoop } from './api/event-loop.ts'
import type { Health } from './api/health.ts'
import { type Metrics, metrics } from './api/metrics.ts'
import type { Operation } from './api/operation-route.ts'
import { positionTokens } from './api/position-token.ts'
import { type SystemSources, systemFigures } from './api/system-figures.ts'
import { systemOperation } from './api/system-operation.ts'
import type { Config } from './config.ts'
import { diskUse } from './disk-use.ts'
import type { Cluster } from './engine/cluster.ts'
import type { Role } from './engine/cluster-member.ts'
import type { Definitions, Engine } from './engine/engine.ts'
import type { WatchedLog } from './engine/log-health.ts'
import { type Storage, usesFiles } from './storage.ts'
import { version } from './version.ts'

export interface ObservationOptions {
  readonly config: Config
  readonly storage: Pick<Storage, 'store' | 'readStore' | 'queue' | 'clock'>
  readonly definitions: Pick<Definitions, 'jobs'>
  readonly engine: Engine
  /** Undefined where one process runs alone. */
  readonly cluster: Cluster | undefined
  readonly roles: readonly Role[]
  readonly log: Pick<WatchedLog, 'failure' | 'appended'>
  /** Whether there is something that only a newer version of Daybook knows. */
  readonly hasMetNewer: () => boolean
  readonly isDraining: () => boolean
}

/** How a shop shows from outside what it does and how it is. */
export interface Observation {
  readonly health: () => Health
  readonly measured: Metrics
  readonly showSystem: Operation
  close(): Promise<void>
}

/** Brings together what is known of an open shop: its health, its metrics, and the answer of `GET /v1/system`. */
export function observation(options: ObservationOptions): Observation {
  const { config, engine, cluster, log, definitions, roles, hasMetNewer, isDraining } = options
  const { store, readStore, queue, clock } = options.storage
  const health = (): Health => ({
    started: true,
    degraded: unique([
      ...(log.failure() === undefined ? [] : ['log']),
      ...engine.projections.status().flatMap(({ name, status }) => (status === 'live' ? [] : [name])),
      ...engine.processes.status().flatMap(({ name, error }) => (error === undefined ? [] : [name])),
      ...(engine.jobs.failure() === undefined ? [] : ['jobs']),
      ...(hasMetNewer() ? ['newer-version'] : []),
      ...(cluster?.unattended() ?? []).map(({ name }) => name),
    ]),
  })
  const { backlog } = store
  const { cacheStatus } = readStore
  const system: SystemSources = {
    projections: engine.projections,
    processes: engine.processes.status,
    commands: engine.handler.status,
    appended: log.appended,
    ...(backlog && { backlog }),
    waitingForOutcome: engine.watch.waiting,
    ...(cacheStatus && { readCache: cacheStatus }),
    queue,
    ...(usesFiles(config) && { disk: () => diskUse(config.DAYBOOK_DATA_DIR) }),
    jobs: definitions.jobs.map(({ name }) => name),
    clock,
  }
  const measured = metrics({ version, figures: () => systemFigures(system), health, isDraining, clock })
  const eventLoop = watchEventLoop()
  const showSystem = systemOperation({
    ...system,
    version,
    roles,
    profile: {
      log: config.EVENTSTOREDB_URL === undefined ? 'sqlite' : 'eventstoredb',
      readModels: config.MONGODB_URL === undefined ? 'sqlite' : 'mongodb',
      jobs: config.REDIS_URL === undefined ? 'sqlite' : 'redis',
    },
    positions: positionTokens(store.logId),
    store,
    health,
    eventLoop,
    cluster,
    clock,
  })
  async function close(): Promise<void> {
    eventLoop.stop()
    await measured.close()
  }
  return { health, measured, showSystem, close }
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
