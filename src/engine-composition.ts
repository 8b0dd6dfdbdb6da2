import { randomUUID } from 'node:crypto'
import type { Config } from './config.ts'
import { type Cluster, startCluster } from './engine/cluster.ts'
import type { Role } from './engine/cluster-member.ts'
import { defaultLimits, type Engine, type EngineOptions, startEngine } from './engine/engine.ts'
import { type Extension, placesOf } from './extension.ts'
import { workerBuilder } from './rebuild.ts'
import type { Shop } from './shop.ts'
import type { Storage } from './storage.ts'
import { version } from './version.ts'

export interface RunningEngineOptions {
  readonly config: Config
  readonly storage: Storage
  readonly definitions: Shop
  readonly extensions: readonly Extension[]
  /** What this process of a cluster does. */
  readonly roles: readonly Role[]
  /** False where what follows from commands waits for the server. */
  readonly works: boolean
  /** Told of failures that nobody waits for. */
  readonly onFailure: EngineOptions['onFailure']
}

interface RunningEngine {
  readonly engine: Engine
  /** The same engine as a member of a cluster; undefined where one process runs alone. */
  readonly cluster: Cluster | undefined
}

/** Starts the engine by the settings: alone, or as a member of a cluster where processes share their storage. */
export async function runningEngine(options: RunningEngineOptions): Promise<RunningEngine> {
  const { config, storage, definitions, extensions, roles, works, onFailure } = options
  const settings: EngineOptions = {
    limits: {
      ...defaultLimits,
      cachedStreams: config.DAYBOOK_CACHED_STREAMS,
      maxWaiting: config.DAYBOOK_MAX_WAITING,
      answerTimeoutMs: config.DAYBOOK_ANSWER_TIMEOUT_MS,
      sweepEveryMs: config.DAYBOOK_SWEEP_EVERY_MS,
    },
    builder: workerBuilder(config, placesOf(extensions)),
    works,
    onFailure,
  }
  const { shared } = storage
  if (shared === undefined) return { engine: await startEngine(definitions, storage, settings), cluster: undefined }
  const ports = { ...storage, ...shared }
  const cluster = await startCluster(definitions, ports, {
    ...settings,
    roles: new Set(roles),
    name: config.DAYBOOK_MEMBER,
    version,
    leaseMs: config.DAYBOOK_LEASE_MS,
    awaited: new Set(definitions.commands.flatMap(({ outcome }) => (outcome ? [outcome.decider.category] : []))),
    newId: randomUUID,
  })
  return { engine: cluster, cluster }
}
