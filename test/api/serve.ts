import { createHash, createHmac } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { onTestFinished } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { type ApiOptions, api } from '../../src/api/api.ts'
import { tokens } from '../../src/api/tokens.ts'
import { gatewayCallback } from '../../src/domain/gateway-callback.ts'
import { buildHere, defaultLimits, startEngine } from '../../src/engine/engine.ts'
import { notFound } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { ForgedCallbackError, type PaymentGateway } from '../../src/workers/payment-gateway.ts'
import { manualClock } from '../manual-clock.ts'
import { booking, bookings, commands, queries, venue, venues } from './venue.ts'

const tokenSecret = new TextEncoder().encode('a secret of tests, 32 bytes long')
export const staffSecret = 'c2VjcmV0'
const gatewaySecret = 'whsec'

export function signed(body: string): Record<string, string> {
  return { 'x-signature': createHmac('sha256', gatewaySecret).update(body).digest('hex') }
}

/** A gateway that only calls back; its notices are as they stand in the body. */
const gateway: PaymentGateway = {
  name: 'sandbox',
  authorise: () => Promise.reject(new Error('not asked for here')),
  capture: () => Promise.reject(new Error('not asked for here')),
  refund: () => Promise.reject(new Error('not asked for here')),
  cancel: () => Promise.reject(new Error('not asked for here')),
  parseCallback({ headers, body }) {
    if (headers['x-signature'] !== signed(body.toString())['x-signature']) throw new ForgedCallbackError('forged')
    return JSON.parse(body.toString())
  },
}

interface Sent {
  readonly as?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly raw?: string
}

interface ServeOptions {
  readonly limits?: Partial<ApiOptions['limits']>
  readonly api?: Partial<ApiOptions>
  readonly store?: (store: EventStore) => EventStore
}

/** The fictional shop on memory adapters, behind the API; it is stopped when the test ends. */
export async function serve(given: ServeOptions = {}) {
  const clock = manualClock()
  const memory = memoryEventStore()
  const store = given.store?.(memory) ?? memory
  const readStore = memoryReadStore()
  const vault = memoryKeyVault()
  const ports = { store, readStore, queue: memoryJobQueue({ clock }), vault, clock }
  const definitions = {
    aggregates: [venue, booking, gatewayCallback],
    projections: [venues, bookings],
    processes: [],
    jobs: [],
  }
  const failures: unknown[] = []
  const engine = await startEngine(definitions, ports, {
    limits: defaultLimits,
    builder: buildHere(definitions, ports),
    works: false,
    onFailure: (error) => failures.push(error),
  })
  const issuer = tokens({
    keys: [
      { kid: 'new', secret: tokenSecret },
      { kid: 'old', secret: new TextEncoder().encode('an old secret of tests, 32 bytes') },
    ],
    audiences: ['shop', 'former-shop'],
    lifetimesMs: { customer: 3_600_000, guest: 3_600_000 },
    clock,
  })
  const apiKeys = new Map<string, readonly string[]>([
    ['all', ['venues', 'bookings', 'customers', 'tokens', 'import']],
    ['few', ['other']],
  ])
  const { app, drain } = await api({
    commands,
    queries,
    operations: [],
    gateways: [gateway],
    handler: engine.handler,
    projections: engine.projections,
    watch: engine.watch,
    personal: engine.personal,
    store,
    secrets: { claims: await vault.secret('claims'), requests: await vault.secret('requests') },
    authentication: {
      tokens: issuer,
      findApiKey: async (id) => {
        const scopes = apiKeys.get(id)
        return scopes && { scopes, secretHash: createHash('sha256').update(staffSecret).digest('hex') }
      },
      isForgotten: async (id) => id === 'forgotten',
      adminToken: 'a-token-of-this-machine',
      scopes: ['venues', 'bookings', 'customers', 'tokens', 'import'],
    },
    assertCustomer: async (id) => {
      if (id === 'nobody') throw notFound('customer', id)
    },
    corsOrigins: ['https://shop.example'],
    trustProxy: [],
    version: '0.0.0',
    health: () => ({ started: true, degraded: [] }),
    clock,
    onFailure: (error) => failures.push(error),
    ...given.api,
    limits: {
      bodyBytes: 262_144,
      requestsPerMinute: 100_000,
      guestTokensPerMinute: 1_000,
      queryWaitMs: 1_000,
      requestMs: 3_600_000,
      outcomeWaiters: 10,
      maxRequests: 1_000,
      maxTurnMs: 1_000,
      ...given.limits,
    },
  })
  onTestFinished(async () => {
    await app.close()
    await engine.stop()
  })

  const staff = `dbk_all_${staffSecret}`
  const ada = (await issuer.issue('customer', 'ada')).token
  const bob = (await issuer.issue('guest', 'bob')).token

  /** `send('POST /v1/venues', { as: staff, body: {...} })` */
  function send(route: string, { as, body, headers, raw }: Sent = {}): Promise<LightMyRequestResponse> {
    const [method = '', url = ''] = route.split(' ')
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    return app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...(as !== undefined && { authorization: `Bearer ${as}` }),
        ...headers,
      },
      ...(payload !== undefined && { payload }),
    })
  }

  let keys = 0
  const newKey = () => ({ 'idempotency-key': `key-${++keys}` })

  async function openVenue(id: string, slug = id) {
    return await send('POST /v1/venues', { as: staff, body: { id, slug, title: 'Globe' } })
  }

  /** A booking of a customer in a new venue; answers its id and position. */
  async function book(as = ada): Promise<{ id: string; position: string }> {
    await openVenue(`v${++keys}`)
    const body = { venueId: `v${keys}`, seats: 2, email: 'ada@example.com' }
    return (await send('POST /v1/bookings', { as, body, headers: newKey() })).json()
  }

  return {
    app,
    drain,
    clock,
    engine,
    store,
    vault,
    apiKeys,
    failures,
    issuer,
    staff,
    ada,
    bob,
    send,
    newKey,
    openVenue,
    book,
  }
}
