import { expect, onTestFinished, test } from 'vitest'
import { watchEventLoop } from '../../src/api/event-loop.ts'
import type { ApiRequest } from '../../src/api/exchange.ts'
import { operationRoute } from '../../src/api/operation-route.ts'
import { positionTokens } from '../../src/api/position-token.ts'
import { System, systemOperation } from '../../src/api/system-operation.ts'
import type { Cluster } from '../../src/engine/cluster.ts'
import { deadLetter } from '../../src/engine/dead-letter.ts'
import { rate } from '../../src/engine/rate.ts'
import { deadLetters } from '../../src/projections/dead-letters.ts'
import { balancesProjection } from '../engine/balances.ts'
import { servers } from '../engine/cluster-servers.ts'
import { command, deposit } from '../engine/handling.ts'

/** What one process of a cluster answers of how the shop does. */

type Shared = ReturnType<typeof servers>['shared']

function systemOf(engine: Cluster, { store, queue, clock }: Shared) {
  const eventLoop = watchEventLoop()
  onTestFinished(() => eventLoop.stop())
  const { answer } = operationRoute(
    systemOperation({
      projections: engine.projections,
      processes: engine.processes.status,
      commands: engine.handler.status,
      appended: rate(clock),
      waitingForOutcome: engine.watch.waiting,
      queue,
      jobs: [],
      version: '1.0.0',
      roles: ['api'],
      profile: { log: 'eventstoredb', readModels: 'mongodb', jobs: 'redis' },
      positions: positionTokens(store.logId),
      store,
      health: () => ({ started: true, degraded: [] }),
      eventLoop,
      cluster: engine,
      clock,
    }),
  )
  const request: ApiRequest = {
    principal: { kind: 'staff', id: 'ada', scopes: new Set(['system']) },
    correlationId: 'test',
    address: '127.0.0.1',
    parameters: {},
    query: {},
    headers: {},
    body: undefined,
    standBy: (wait) => wait(),
  }
  return async () => System.parse(JSON.parse((await answer(request)).body))
}

test('A process of a cluster tells how all of them do, and what it does not know it leaves out', async () => {
  const { shared, join } = servers()
  const projections = [balancesProjection((amount) => amount === 13), deadLetters]
  const { engine } = await join('api', { roles: ['api'], projections })
  await join('projector', { roles: ['projector'], projections })
  await join('worker', { roles: ['worker'], projections })
  const system = systemOf(engine, shared)
  const first = await engine.handler.handle(deposit(5, { target: 'a0' }))
  const data = { source: 'reaction', name: 'match', subject: 'a0', position: 1, reason: 'Down' }
  await engine.handler.handle({ ...command('RaiseDeadLetter', data), decider: deadLetter, target: 'letter' })
  await expect.poll(system).toMatchObject({
    processes: [{ name: 'match', position: expect.any(Number), underWay: 0 }],
    deadLetters: { count: 1 },
  })
  await expect.poll(async () => (await system()).processes?.[0]?.position).toBeGreaterThan(first.position)

  await engine.handler.handle(deposit(13, { target: 'a0' }))
  const balances = async () => (await system()).projections.find(({ name }) => name === 'balances')
  await expect.poll(balances).toMatchObject({ status: 'stopped', poison: { type: 'Deposited' } })
  const found = await system()
  expect(found.log).toMatchObject({ unit: 'bytes', number: (await shared.store.head()).position })
  expect(found.jobs).toEqual({ waiting: 0, active: 0, delayed: 0, dead: 0 })
  expect(found.documentCache).toBeUndefined()
  expect(found.disk).toBeUndefined()
})

test('What does not answer now is left out, and the rest is told', async () => {
  const { shared, join } = servers()
  const { engine } = await join('one')
  const away = () => Promise.reject(new Error('away'))
  const system = systemOf(engine, {
    ...shared,
    store: { ...shared.store, head: away },
    queue: { ...shared.queue, counts: away },
  })
  const found = await system()
  expect(found.log.number).toBeUndefined()
  expect(found.jobs).toBeUndefined()
  expect(found.deadLetters).toBeUndefined()
  expect(found.projections.length).toBeGreaterThan(0)
})

test('What a frozen server keeps back is left out, too, in time for who scrapes figures', async () => {
  const { shared, join } = servers()
  const { engine } = await join('one')
  const never = () => new Promise<never>(() => {})
  const system = systemOf(engine, {
    ...shared,
    // Two seconds are over at once.
    clock: { ...shared.clock, after: (_delayMs, run) => shared.clock.after(0, run) },
    store: { ...shared.store, head: never },
    queue: { ...shared.queue, counts: never },
  })
  const found = await system()
  expect([found.log.number, found.jobs]).toEqual([undefined, undefined])
  expect(found.projections.length).toBeGreaterThan(0)
})

test('Which process managers there are is left out where the processes of the cluster can not be looked at', async () => {
  const { shared, join } = servers()
  const { engine } = await join('one')
  await expect.poll(async () => (await systemOf(engine, shared)()).processes).toMatchObject([{ name: 'match' }])
  const frozen = { ...engine, cluster: () => new Promise<never>(() => {}) }
  // Two seconds are over at once.
  const clock = { ...shared.clock, after: (_delayMs: number, run: () => void) => shared.clock.after(0, run) }
  const found = await systemOf(frozen, { ...shared, clock })()
  expect(found.processes).toBeUndefined()
  expect(found.projections.length).toBeGreaterThan(0)
})

test('What nobody is there for is named with the role that is missing', async () => {
  const { shared, join } = servers()
  const { engine } = await join('api', { roles: ['api'] })
  const system = systemOf(engine, shared)
  const missing = async () => (await system()).unattended?.map(({ name, role }) => `${role} ${name}`)
  const ofWorker = ['worker match', 'worker jobs']
  const ofProjector = ['projector balances', 'projector open-work']
  await expect.poll(missing).toEqual([...ofProjector, ...ofWorker])
  const projector = await join('projector', { roles: ['projector'] })
  await expect.poll(missing).toEqual(ofWorker)
  const worker = await join('worker', { roles: ['worker'] })
  await expect.poll(missing).toEqual([])
  await worker.engine.stop()
  await expect.poll(missing).toEqual(ofWorker)
  projector.die()
  await expect.poll(missing).toEqual([...ofProjector, ...ofWorker])
})

test('A process that hears of nobody does not say that nobody is there', async () => {
  const { join } = servers()
  const { engine, die } = await join('api', { roles: ['api'] })
  await expect.poll(() => engine.unattended().length).toBe(4)
  die()
  await expect.poll(() => engine.unattended()).toEqual([])
})
