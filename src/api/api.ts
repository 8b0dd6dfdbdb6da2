import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { type Claims, claims } from '../engine/claims.ts'
import type { Clock } from '../engine/clock.ts'
import type { CommandDefinition } from '../engine/command-definition.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import type { EventStore } from '../engine/event-store.ts'
import { filledPath } from '../engine/path-template.ts'
import type { PersonalData } from '../engine/personal-data.ts'
import type { ReadModels } from '../engine/projections.ts'
import type { QueryDefinition } from '../engine/query-definition.ts'
import type { Watch } from '../engine/watch.ts'
import type { PaymentGateway } from '../workers/payment-gateway.ts'
import { type AdmissionLimits, admission } from './admission.ts'
import { type AuthenticationOptions, authentication } from './authentication.ts'
import { identifyCallers } from './caller.ts'
import { commandRoute } from './command-route.ts'
import { deadline } from './deadline.ts'
import type { Route } from './exchange.ts'
import { gatewayCallbackRoute } from './gateway-callbacks.ts'
import { type Health, healthRoutes } from './health.ts'
import type { CommandOutcome, Metrics } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import { type Operation, operationRoute } from './operation-route.ts'
import { outcomeWaiters } from './outcome-waiters.ts'
import { positionTokens } from './position-token.ts'
import { problem, problemOf } from './problems.ts'
import { queryRoute } from './query-route.ts'
import { type RateLimits, rateLimits } from './rate-limits.ts'
import { referencePage } from './reference-page.ts'
import { traceRequests } from './request-spans.ts'
import { addNotFound, addRoute, type ServerOptions, server } from './server.ts'
import { tokenOperations } from './token-operations.ts'

export interface ApiOptions {
  readonly commands: readonly CommandDefinition[]
  readonly queries: readonly QueryDefinition[]
  /** Beside those that issue tokens. */
  readonly operations: readonly Operation[]
  /** Those of customers' accounts, which claim e-mail addresses as commands do. */
  accountOperations?(claims: Claims): readonly Operation[]
  readonly gateways: readonly PaymentGateway[]
  readonly handler: CommandHandler
  readonly projections: ReadModels
  readonly watch: Watch
  readonly personal: PersonalData
  readonly store: Pick<EventStore, 'logId' | 'soleWriter' | 'head'>
  readonly secrets: {
    /** Of the hash that names the stream of a unique value; the same for ever. */
    readonly claims: Uint8Array
    /** Of the hash by which a reused Idempotency-Key is noticed. */
    readonly requests: Uint8Array
  }
  readonly authentication: Omit<AuthenticationOptions, 'clock'>
  /** Throws a Rejection for who is not registered, or no longer: no token is issued then. */
  assertCustomer(id: string): Promise<void>
  readonly limits: AdmissionLimits &
    RateLimits & {
      readonly bodyBytes: number
      /** Of one address. */
      readonly guestTokensPerMinute: number
      /** How long a query waits for the position that it was sent. */
      readonly queryWaitMs: number
      /** How long a request may take in all before it is answered 503; what it was asked to wait for is not counted. */
      readonly requestMs: number
      /** Requests that may wait for an outcome at a time; more are answered 202 at once. */
      readonly outcomeWaiters: number
    }
  readonly corsOrigins: readonly string[]
  readonly trustProxy: ServerOptions['trustProxy']
  /** Of Daybook, as the OpenAPI document says it. */
  readonly version: string
  readonly health: () => Health
  readonly metrics?: Pick<Metrics, 'request' | 'command'>
  readonly clock: Clock
  readonly logger?: FastifyBaseLogger
  /** Told of failures that no request is answered with. */
  readonly onFailure: (error: unknown, where: string) => void
}

export interface Api {
  readonly app: FastifyInstance
  /** Refuses new requests while those under way are answered; `app.close()` then waits for them. */
  drain(): void
}

function outcomeOf(error: unknown): CommandOutcome {
  const { status } = problemOf(error)
  if (status === 503) return 'unavailable'
  return status === 500 ? 'failed' : 'rejected'
}

function counted(name: string, route: Route, metrics: ApiOptions['metrics']): Route {
  if (!metrics) return route
  return {
    ...route,
    async answer(request) {
      try {
        const answer = await route.answer(request)
        metrics.command(name, 'accepted')
        return answer
      } catch (error) {
        metrics.command(name, outcomeOf(error))
        throw error
      }
    },
  }
}

/** @throws Error when two have one name, or one route */
function assertDistinct(
  asked: readonly { readonly name: string; readonly method: string; readonly path: string }[],
): void {
  const taken = new Map<string, string>()
  for (const { name, method, path } of asked) {
    for (const place of [name, `${method} ${filledPath(path, () => '{}')}`]) {
      const other = taken.get(place)
      if (other !== undefined) throw new Error(`${name} (${method} ${path}) is there already, as ${other}. Rename it.`)
      taken.set(place, `${name} (${method} ${path})`)
    }
  }
}

/** The HTTP API: turns requests into commands and queries, and nothing else. It does not listen yet. */
export async function api(options: ApiOptions): Promise<Api> {
  const { handler, projections, personal, store, secrets, limits, clock, metrics, onFailure } = options
  const { corsOrigins, trustProxy, version, logger } = options
  const positions = positionTokens(store.logId)
  const waiters = outcomeWaiters(options.watch, limits.outcomeWaiters)
  const held = claims({
    handler,
    clock,
    secret: secrets.claims,
    soleWriter: store.soleWriter,
    onFailure: (error) => onFailure(error, 'claims'),
  })
  const { guestTokensPerMinute } = limits
  const { tokens } = options.authentication
  const issuing = tokenOperations({ tokens, assertCustomer: options.assertCustomer, guestTokensPerMinute })
  const operations = [...issuing, ...options.operations, ...(options.accountOperations?.(held) ?? [])]
  const toCommand = { handler, personal, claims: held, waiters, positions, clock, hashSecret: secrets.requests }
  const head = async () => (await store.head()).position
  const toQuery = { projections, personal, positions, head, clock, queryWaitMs: limits.queryWaitMs }
  assertDistinct([...options.commands, ...options.queries.map((each) => ({ ...each, method: 'GET' })), ...operations])
  const routes: readonly Route[] = [
    ...options.commands.map((each) => counted(each.name, commandRoute(each, toCommand), metrics)),
    ...options.queries.map((each) => queryRoute(each, toQuery)),
    ...operations.map(operationRoute),
  ]

  const bounded = admission({
    ...limits,
    corsOrigins,
    onRefused: (method) => metrics?.request(method, 'none', 503, 0),
  })
  const app = await server({
    admission: bounded,
    bodyLimitBytes: limits.bodyBytes,
    trustProxy,
    corsOrigins,
    ...(logger && { logger }),
  })
  let isDraining = false
  function drain(): void {
    isDraining = true
    waiters.stop()
  }
  app.addHook('preClose', (done) => {
    drain()
    done()
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isDraining || request.url.startsWith('/health/')) return done()
    const headers = { 'retry-after': '1' }
    done(problem(503, 'draining', 'This server is stopping. Send the request again.', { headers }))
  })
  // Whoever was under way as it began, too: a connection that is kept open would keep the server from stopping.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isDraining) reply.header('connection', 'close')
    done(null, payload)
  })
  if (metrics) {
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}') ?? 'none'
      metrics.request(request.method, route, reply.statusCode, reply.elapsedTime / 1_000)
      done()
    })
  }
  traceRequests(app)
  identifyCallers(app, authentication({ ...options.authentication, clock }), () => deadline(clock, limits.requestMs))
  await rateLimits(app, limits)

  for (const route of routes) addRoute(app, bounded, route)
  gatewayCallbackRoute(app, { gateways: options.gateways, handler, clock })
  healthRoutes(app, options.health, () => isDraining)
  let document: string | undefined
  app.get('/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(openApiDocument({ ...options, operations, version }))
    return reply.type('application/json; charset=utf-8').send(document)
  })
  referencePage(app)
  addNotFound(app, [...routes, { method: 'POST', path: '/v1/gateways/{gateway}/callbacks' }])
  await app.ready()
  return { app, drain }
}
