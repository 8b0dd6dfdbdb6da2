import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { accounts, mailGatewayOf } from './account-composition.ts'
import type { MailGateway } from './accounts/mail-gateway.ts'
import { api } from './api/api.ts'
import { backupOperations } from './api/backup-operations.ts'
import { clusterOperation } from './api/cluster-operation.ts'
import { projectionOperations } from './api/projection-operations.ts'
import { tokens } from './api/tokens.ts'
import { webhookSecretOperation } from './api/webhook-operations.ts'
import { backups } from './backup/backups.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { apiKey, scopes } from './domain/api-key.ts'
import { customer, isForgotten, registrationOf } from './domain/customer.ts'
import { systemClock } from './engine/clock.ts'
import { startCluster } from './engine/cluster.ts'
import { roles as allRoles, type Role } from './engine/cluster-member.ts'
import { accountsSecret } from './engine/credential-store.ts'
import { defaultLimits, type Engine, type EngineOptions, startEngine } from './engine/engine.ts'
import { NewerVersionError } from './engine/errors.ts'
import { watchLogHealth } from './engine/log-health.ts'
import { type Extension, placesOf } from './extension.ts'
import { observation } from './observation.ts'
import { workerBuilder } from './rebuild.ts'
import { shop } from './shop.ts'
import { filesOf, openingError, openStorage } from './storage.ts'
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

const outcomeWaiters = 1_000
/** By then a command has said itself that its outcome is not known yet. */
const answerSlackMs = 1_000
/** Connections that the kernel keeps until they are accepted; who finds no room there tries again after seconds only. */
const waitingConnections = 4_096

/** Names a secret without giving it away. */
function fingerprint(secret: Uint8Array): string {
  return createHash('sha256').update(secret).digest('hex')
}

/**
 * Opens a shop: storage, engine and API, in this order. Nobody hears of it before it listens.
 * @throws ExtensionError for extensions that don't fit together
 * @throws ConfigError for settings that don't fit together
 * @throws DirectoryInUseError, CorruptLogError, NewerVersionError when the directory can't be opened
 */
export async function daybook(options: DaybookOptions = {}): Promise<Daybook> {
  const { config = readConfig(), extensions = [], roles: asked = allRoles, works = true } = options
  const logger = pino({ level: config.DAYBOOK_LOG_LEVEL, base: null, redact: ['req.headers.authorization'] })
  /** Whether there is something that only a newer version of Daybook knows. */
  let hasMetNewer = false
  function onFailure(error: unknown, where: string): void {
    hasMetNewer ||= error instanceof NewerVersionError
    logger.error({ err: error, where }, 'Something failed and goes on')
  }
  const clock = systemClock
  const directory = config.DAYBOOK_DATA_DIR
  const storage = await openStorage(config, clock, (error) => onFailure(error, 'storage')).catch((error: unknown) => {
    throw openingError(directory, error)
  })
  if (storage.shared === undefined && asked.length < allRoles.length) {
    await storage.close()
    throw new ConfigError(
      'Only one process may run while anything is kept in files. Set EVENTSTOREDB_URL, MONGODB_URL and REDIS_URL, or leave out --role.',
    )
  }
  for (const warning of storage.warnings) logger.warn(warning)
  /** In the order of opening; closed in the other. */
  const opened = new AsyncDisposableStack()
  opened.defer(storage.close)
  try {
    const { vault, credentials } = storage
    const { store, failure: logFailure, appended } = watchLogHealth(storage.store, (error) => onFailure(error, 'log'))
    const definitions = shop(surroundingsOf(config, { ...storage, store }, options.gateways), extensions)
    const isNew = (await store.head()).position === 0
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
    const roles = new Set<Role>(works ? asked : [])
    const cluster =
      storage.shared &&
      (await startCluster(
        definitions,
        { ...storage, ...storage.shared, store },
        {
          ...settings,
          roles,
          name: config.DAYBOOK_MEMBER,
          version,
          leaseMs: config.DAYBOOK_LEASE_MS,
          awaited: new Set(definitions.commands.flatMap(({ outcome }) => (outcome ? [outcome.decider.category] : []))),
          newId: randomUUID,
        },
      ))
    const engine: Engine = cluster ?? (await startEngine(definitions, { ...storage, store }, settings))
    opened.defer(engine.stop)
    let isStopping = false
    const { health, measured, showSystem, ...observed } = observation({
      config,
      storage: { ...storage, store },
      definitions,
      engine,
      cluster,
      roles: storage.shared ? [...roles] : allRoles,
      log: { failure: logFailure, appended },
      hasMetNewer: () => (cluster ? cluster.gaveUp() !== undefined : hasMetNewer),
      isDraining: () => isStopping,
    })
    opened.defer(observed.close)
    const { DAYBOOK_TOKEN_SECRET: tokenSecret, DAYBOOK_TOKEN_PREVIOUS_SECRETS: previousSecrets = [] } = config
    const signingKey = tokenSecret === undefined ? await vault.secret('tokens') : Buffer.from(tokenSecret)
    const keys = [signingKey, ...previousSecrets.map((secret) => Buffer.from(secret))]
    const secrets = { claims: await vault.secret('claims'), requests: await vault.secret('requests') }
    const { operations: accountOperations, ...logIn } = accounts({
      config,
      credentials,
      signal: storage.shared?.signal,
      secrets: { accounts: await vault.secret(accountsSecret), claims: secrets.claims },
      tokens: tokens({
        keys: keys.map((secret) => ({ kid: fingerprint(secret).slice(0, 8), secret })),
        // The shop's own name goes with its keys where it moves; the log's is what older tokens say.
        audiences: [fingerprint(await vault.secret('audience')), store.logId],
        lifetimesMs: { customer: config.DAYBOOK_ACCESS_TOKEN_LIFETIME_MS, guest: config.DAYBOOK_TOKEN_LIFETIME_MS },
        clock,
      }),
      engine,
      store,
      mail: options.mail ?? (await mailGatewayOf(config)),
      clock,
      onFailure,
    })
    opened.defer(logIn.close)
    // Where either is on a server, the server's own tools copy it.
    const isCopied = config.EVENTSTOREDB_URL === undefined && config.MONGODB_URL === undefined
    const backup = isCopied ? backups({ files: filesOf(directory), version, extensions, now: clock.now }) : undefined
    opened.defer(async () => backup?.close())
    const adminToken = randomBytes(32).toString('base64url')
    const { app, drain } = await api({
      ...definitions,
      operations: [
        ...projectionOperations(engine.projections),
        clusterOperation(cluster),
        webhookSecretOperation(engine.handler.fold, vault, clock),
        showSystem,
        ...backupOperations(backup),
      ],
      ...engine,
      store,
      accountOperations,
      secrets,
      authentication: {
        ...logIn,
        isForgotten: async (id) => isForgotten((await engine.handler.fold(customer, id)).state),
        findApiKey: async (id) => {
          const { state } = await engine.handler.fold(apiKey, id)
          return state.status === 'active' ? state : undefined
        },
        adminToken,
        scopes,
      },
      assertCustomer: async (id) => {
        registrationOf((await engine.handler.fold(customer, id)).state, id)
      },
      limits: {
        bodyBytes: config.DAYBOOK_BODY_LIMIT_BYTES,
        requestsPerMinute: config.DAYBOOK_RATE_LIMIT_PER_MINUTE,
        ...(storage.rateLimitStore && { rateLimitStore: storage.rateLimitStore }),
        guestTokensPerMinute: config.DAYBOOK_GUEST_TOKENS_PER_MINUTE,
        queryWaitMs: config.DAYBOOK_QUERY_WAIT_MS,
        requestMs: config.DAYBOOK_ANSWER_TIMEOUT_MS + answerSlackMs,
        outcomeWaiters,
        maxRequests: config.DAYBOOK_MAX_REQUESTS,
        maxTurnMs: config.DAYBOOK_MAX_TURN_MS,
      },
      corsOrigins: config.DAYBOOK_CORS_ORIGINS,
      trustProxy: config.DAYBOOK_TRUST_PROXY,
      version,
      health,
      metrics: measured,
      clock,
      logger,
      onFailure,
    })
    return {
      api: app,
      engine,
      adminToken,
      version,
      isNew,
      secret: vault.secret,
      async listen() {
        const address = { host: config.DAYBOOK_HOST, port: config.DAYBOOK_PORT, backlog: waitingConnections }
        const listening: Promise<string> | undefined = asked.includes('api') ? app.listen(address) : undefined
        const url = await listening
        const port = await measured.listen(config.DAYBOOK_METRICS_PORT, config.DAYBOOK_METRICS_HOST)
        const own = `http://${config.DAYBOOK_METRICS_HOST}:${port}`
        return { url: url ?? own, metricsUrl: `${own}/metrics` }
      },
      async close() {
        isStopping = true
        drain()
        await app.close()
        await opened.disposeAsync()
      },
    }
  } catch (error) {
    await opened.disposeAsync()
    throw openingError(directory, error)
  }
}

export { type Config, ConfigError, readConfig } from './config.ts'
export { type Extension, ExtensionError } from './extension.ts'
