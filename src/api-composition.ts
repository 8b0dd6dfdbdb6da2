import type { FastifyBaseLogger } from 'fastify'
import type { Accounts } from './account-composition.ts'
import { type Api, api } from './api/api.ts'
import { type Backups, backupOperations } from './api/backup-operations.ts'
import { clusterOperation } from './api/cluster-operation.ts'
import { projectionOperations } from './api/projection-operations.ts'
import { webhookSecretOperation } from './api/webhook-operations.ts'
import type { Config } from './config.ts'
import { apiKey, scopes } from './domain/api-key.ts'
import { customer, isForgotten, registrationOf } from './domain/customer.ts'
import type { Cluster } from './engine/cluster.ts'
import type { Engine } from './engine/engine.ts'
import type { Observation } from './observation.ts'
import type { Shop } from './shop.ts'
import type { Storage } from './storage.ts'
import { version } from './version.ts'

export interface ShopApiOptions {
  readonly config: Config
  readonly storage: Storage
  readonly definitions: Shop
  readonly engine: Engine
  /** Undefined where one process runs alone. */
  readonly cluster: Cluster | undefined
  readonly accounts: Accounts
  readonly observed: Pick<Observation, 'health' | 'measured' | 'showSystem'>
  /** Undefined where the servers' own tools copy the shop. */
  readonly backup: Backups | undefined
  /** With it everything may be asked from this machine. */
  readonly adminToken: string
  readonly logger: FastifyBaseLogger
  /** Told of failures that no request is answered with. */
  readonly onFailure: (error: unknown, where: string) => void
}

const outcomeWaiters = 1_000
/** By then a command has said itself that its outcome is not known yet. */
const answerSlackMs = 1_000

/** The API of an open shop, by its settings. */
export async function shopApi(options: ShopApiOptions): Promise<Api> {
  const { config, storage, definitions, engine, cluster, observed, adminToken, logger, onFailure } = options
  const { store, vault, clock, rateLimitStore } = storage
  const { operations: accountOperations, tokens, isEnded } = options.accounts
  const { fold } = engine.handler
  const customerOf = async (id: string) => (await fold(customer, id)).state
  return await api({
    ...definitions,
    operations: [
      ...projectionOperations(engine.projections),
      clusterOperation(cluster),
      webhookSecretOperation(fold, vault, clock),
      observed.showSystem,
      ...backupOperations(options.backup),
    ],
    ...engine,
    store,
    accountOperations,
    secrets: { claims: await vault.secret('claims'), requests: await vault.secret('requests') },
    authentication: {
      tokens,
      isEnded,
      isForgotten: async (id) => isForgotten(await customerOf(id)),
      findApiKey: async (id) => {
        const { state } = await fold(apiKey, id)
        return state.status === 'active' ? state : undefined
      },
      adminToken,
      scopes,
    },
    assertCustomer: async (id) => {
      registrationOf(await customerOf(id), id)
    },
    limits: {
      bodyBytes: config.DAYBOOK_BODY_LIMIT_BYTES,
      requestsPerMinute: config.DAYBOOK_RATE_LIMIT_PER_MINUTE,
      ...(rateLimitStore && { rateLimitStore }),
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
    health: observed.health,
    metrics: observed.measured,
    clock,
    logger,
    onFailure,
  })
}
