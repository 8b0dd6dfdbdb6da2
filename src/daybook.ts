import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { accessTokens } from './access-tokens.ts'
import { accounts, mailGatewayOf } from './account-composition.ts'
import type { MailGateway } from './accounts/mail-gateway.ts'
import type { Metrics } from './api/metrics.ts'
import { shopApi } from './api-composition.ts'
import { backups, type LocalBackups } from './backup/backups.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { type Clock, systemClock } from './engine/clock.ts'
import { roles as allRoles, type Role } from './engine/cluster-member.ts'
import { accountsSecret } from './engine/credential-store.ts'
import { type Engine, projectionsOf } from './engine/engine.ts'
import { NewerVersionError } from './engine/errors.ts'
import { watchLogHealth } from './engine/log-health.ts'
import { unknownProjections } from './engine/projection-opening.ts'
import { runningEngine } from './engine-composition.ts'
import type { Extension } from './extension.ts'
import { observation } from './observation.ts'
import { shop } from './shop.ts'
import { filesOf, openingError, openStorage, type Storage } from './storage.ts'
import { surroundingsOf } from './surroundings.ts'
import { version } from './version.ts'
import type { PaymentGateway } from './workers/payment-gateway.ts'

export interface DaybookOptions {
  /** All settings; those of the environment if absent. */
  readonly config?: Config
  /** What the shop has beside what every shop has. */
  readonly extensions?: readonly Extension[]
  /** Payment gateways beside those that the settings name. */
  readonly gateways?: readonly PaymentGateway[]
  /** What sends mail, in the place of what the settings name. */
  readonly mail?: MailGateway
  /** What this process of a cluster does; all of it by default, and always where one process runs alone. */
  readonly roles?: readonly Role[]
  /** False for a command line that only sends commands: what follows from them waits for the server. */
  readonly works?: boolean
}

/** A shop that is open: its API can be called in this process, and over HTTP once it listens. */
export interface Daybook {
  readonly api: FastifyInstance
  readonly engine: Engine
  /** With this token everything may be asked from this machine; it is new at each start. */
  readonly adminToken: string
  readonly version: string
  /** True for a shop in which nothing has happened yet. */
  readonly isNew: boolean
  /** Random bytes of this shop's own, the same ever after. */
  secret(name: string): Promise<Uint8Array>
  /** @returns the addresses of the API, or where this process does not serve it of its health, and of the metrics */
  listen(): Promise<{ readonly url: string; readonly metricsUrl: string }>
  /** Finishes what was accepted, takes nothing new, and lets go of the data directory. */
  close(): Promise<void>
}

/** Connections that the kernel keeps until they are accepted; who finds no room there tries again after seconds only. */
const waitingConnections = 4_096

/**
 * Opens a shop: storage, engine and API, in this order. Nobody hears of it before it listens.
 * @throws ExtensionError for extensions that don't fit together
 * @throws ConfigError for settings that don't fit together
 * @throws DirectoryInUseError, CorruptLogError, NewerVersionError when the directory can't be opened
 */
export async function daybook(options: DaybookOptions = {}): Promise<Daybook> {
  const { config = readConfig(), extensions = [], roles = allRoles, works = true } = options
  const { logger, onFailure, hasMetNewer } = failureLog(config)
  const clock = systemClock
  const stored = await openStorageOf(config, roles, clock, onFailure)
  for (const warning of stored.warnings) logger.warn(warning)
  /** In the order of opening; closed in the other. */
  const opened = new AsyncDisposableStack()
  opened.defer(stored.close)
  try {
    const log = watchLogHealth(stored.store, (error) => onFailure(error, 'log'))
    const storage = { ...stored, store: log.store }
    const { vault, credentials, store } = storage
    const definitions = shop(surroundingsOf(config, storage, options.gateways), extensions)
    const unknown = unknownProjections(await storage.readStore.generations(), projectionsOf(definitions))
    if (unknown.length > 0) logger.warn(withoutExtension(unknown))
    const isNew = (await store.head()).position === 0
    const held = works ? roles : []
    const starting = { config, storage, definitions, extensions, roles: held, works, onFailure }
    const { engine, cluster } = await runningEngine(starting)
    opened.defer(engine.stop)
    let isStopping = false
    const observed = observation({
      config,
      storage,
      definitions,
      engine,
      cluster,
      roles: storage.shared ? held : allRoles,
      log,
      hasMetNewer: () => (cluster ? cluster.gaveUp() !== undefined : hasMetNewer()),
      isDraining: () => isStopping,
    })
    opened.defer(observed.close)
    const customers = accounts({
      config,
      credentials,
      signal: storage.shared?.signal,
      secrets: { accounts: await vault.secret(accountsSecret), claims: await vault.secret('claims') },
      tokens: await accessTokens(config, vault, store, clock),
      engine,
      store,
      mail: options.mail ?? (await mailGatewayOf(config)),
      clock,
      onFailure,
    })
    opened.defer(customers.close)
    const backup = backupsOf(config, extensions, clock)
    opened.defer(async () => backup?.close())
    const adminToken = randomBytes(32).toString('base64url')
    const parts = { config, storage, definitions, engine, cluster, accounts: customers, observed, backup }
    const { app, drain } = await shopApi({ ...parts, adminToken, logger, onFailure })
    return {
      api: app,
      engine,
      adminToken,
      version,
      isNew,
      secret: vault.secret,
      listen: () => listen(config, roles.includes('api') ? app : undefined, observed.measured),
      async close() {
        isStopping = true
        drain()
        await app.close()
        await opened.disposeAsync()
      },
    }
  } catch (error) {
    await opened.disposeAsync()
    throw openingError(config.DAYBOOK_DATA_DIR, error)
  }
}

/** What to do where the plain `daybook` has the data of a shop of its own, or an older one those of a newer. */
function withoutExtension(projections: readonly string[]): string {
  return `The shop has read models that this program does not know: ${projections.join(', ')}. They are those of an extension, or of a newer Daybook, nothing of which is served now. Where the shop is one of its own, start its own command instead: node main.ts serve.`
}

/** Where failures are told that no request is answered with, and whether one of them is something that only a newer version knows. */
function failureLog({ DAYBOOK_LOG_LEVEL: level }: Config) {
  const logger = pino({ level, base: null, redact: ['req.headers.authorization'] })
  let hasMetNewer = false
  function onFailure(error: unknown, where: string): void {
    hasMetNewer ||= error instanceof NewerVersionError
    logger.error({ err: error, where }, 'Something failed and goes on')
  }
  return { logger, onFailure, hasMetNewer: () => hasMetNewer }
}

/** @throws ConfigError for a part of a cluster whose storage no other process can share; and as `daybook` */
async function openStorageOf(
  config: Config,
  roles: readonly Role[],
  clock: Clock,
  onFailure: (error: unknown, where: string) => void,
): Promise<Storage> {
  const storage = await openStorage(config, clock, (error) => onFailure(error, 'storage')).catch((error: unknown) => {
    throw openingError(config.DAYBOOK_DATA_DIR, error)
  })
  if (storage.shared !== undefined || roles.length === allRoles.length) return storage
  await storage.close()
  throw new ConfigError(
    'Only one process may run while anything is kept in files. Set EVENTSTOREDB_URL, MONGODB_URL and REDIS_URL, or leave out --role.',
  )
}

/** @returns undefined where log or keys are on a server, whose own tools copy it */
function backupsOf(config: Config, extensions: readonly Extension[], { now }: Clock): LocalBackups | undefined {
  if (config.EVENTSTOREDB_URL !== undefined || config.MONGODB_URL !== undefined) return undefined
  return backups({ files: filesOf(config.DAYBOOK_DATA_DIR), version, extensions, now })
}

/** @param app undefined where this process does not serve the API */
async function listen(config: Config, app: FastifyInstance | undefined, measured: Metrics) {
  const address = { host: config.DAYBOOK_HOST, port: config.DAYBOOK_PORT, backlog: waitingConnections }
  const listening: Promise<string> | undefined = app?.listen(address)
  const url = await listening
  const port = await measured.listen(config.DAYBOOK_METRICS_PORT, config.DAYBOOK_METRICS_HOST)
  const own = `http://${config.DAYBOOK_METRICS_HOST}:${port}`
  return { url: url ?? own, metricsUrl: `${own}/metrics` }
}

export { type Config, ConfigError, readConfig } from './config.ts'
export { type Extension, ExtensionError } from './extension.ts'
