import { v4 } from 'uuid'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { memoryCoordination } from '../../src/adapters/memory/coordination.ts'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { type Cluster, type ClusterPorts, clusterShards, startCluster } from '../../src/engine/cluster.ts'
import { type Role, roles } from '../../src/engine/cluster-member.ts'
import { ask } from '../../src/engine/command.ts'
import { decider } from '../../src/engine/decider.ts'
import { buildHere, type Definitions, defaultLimits } from '../../src/engine/engine.ts'
import { defineEvents } from '../../src/engine/events.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import type { Projection } from '../../src/engine/projection.ts'
import { idOf } from '../../src/engine/streams.ts'
import { newEvent } from '../contract/new-event.ts'
import { account, accountEvents } from './account.ts'
import { balances, balancesProjection, rich } from './balances.ts'
import { deposit } from './handling.ts'

/** Whatever a customer deposits is matched in the savings of the same account. */
const match = processManager({
  name: 'match',
  of: account,
  from: [accountEvents],
  route: ({ stream, metadata }) => (metadata.actor.kind === 'customer' ? idOf(stream) : undefined),
  on: { Deposited: ({ stream, data: { amount } }) => [ask(account, `${idOf(stream)}:saved`, 'Deposit', { amount })] },
})

/** An aggregate that only a newer version knows. */
const gift = decider({
  events: defineEvents('gift', { GiftWrapped: z.object({ paper: z.string() }) }),
  commands: {},
  initial: {},
  evolve: (state) => state,
  decide: {},
})

const leaseMs = 400

/** Servers that several processes share, and a way to start one of those processes. */
function servers() {
  const shared: ClusterPorts = {
    store: { ...memoryEventStore(), soleWriter: false },
    readStore: memoryReadStore(),
    queue: memoryJobQueue({ clock: systemClock }),
    vault: memoryKeyVault(),
    clock: systemClock,
    coordination: memoryCoordination(),
    signal: memorySignal(),
  }

  async function join(name: string, given: Partial<Definitions> & { roles?: readonly Role[] } = {}) {
    const definitions: Definitions = {
      aggregates: [account],
      projections: [balancesProjection()],
      processes: [match],
      jobs: [],
      ...given,
    }
    const life = mortal(shared)
    const failures: unknown[] = []
    const engine = await startCluster(definitions, life.ports, {
      limits: { ...defaultLimits, retirementMs: 300 },
      builder: buildHere(definitions, life.ports),
      roles: new Set(given.roles ?? roles),
      name,
      version: '1.0.0',
      leaseMs,
      awaited: new Set(['account']),
      newId: v4,
      onFailure: (error) => failures.push(error),
    })
    onTestFinished(async () => {
      life.revive()
      await engine.stop()
    })
    return { engine, failures, die: life.die, revive: life.revive }
  }
  return { shared, join }
}

/** Ports that stop answering when their process is paused, and go on where they were when it is woken. */
function mortal(ports: ClusterPorts) {
  let asleep: { readonly woken: Promise<void>; readonly wake: () => void } | undefined
  const guarded = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const result: unknown = Reflect.apply(value, target, args)
          if (!(result instanceof Promise)) return result
          return asleep ? asleep.woken.then(() => Reflect.apply(value, target, args)) : result
        }
      },
    })
  return {
    ports: { ...ports, coordination: guarded(ports.coordination) },
    die() {
      const { promise, resolve } = Promise.withResolvers<void>()
      asleep = { woken: promise, wake: resolve }
    },
    revive() {
      asleep?.wake()
      asleep = undefined
    },
  }
}

async function heldBy(engine: Cluster): Promise<ReadonlyMap<string, string>> {
  const { leases } = await engine.cluster()
  return new Map(leases.map(({ name, owner }) => [name, owner.split('-')[0] ?? '']))
}

async function owners(engine: Cluster): Promise<readonly string[]> {
  return [...new Set((await heldBy(engine)).values())].sort()
}

const leases = 3 * clusterShards + 1

/** Deposits into many accounts, so that each shard has some. @returns the position of the last */
async function depositAround(engine: Cluster, accounts: number, amount = 1): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: accounts }, (_, index) => engine.handler.handle(deposit(amount, { target: `a${index}` }))),
  )
  return Math.max(...answers.map(({ position }) => position))
}

async function total(engine: Cluster, position: number, name = 'balances'): Promise<number> {
  await engine.projections.waitFor(name, position, 10_000)
  const found = await engine.projections.reader(name).find(balances, { index: 'byBalance', limit: 1_000 })
  return found.filter(({ id }) => !id.includes(':')).reduce((sum, { body }) => sum + body.balance, 0)
}

describe('a cluster', () => {
  test('of one process does all there is to do', async () => {
    const { shared, join } = servers()
    const { engine, failures } = await join('one')
    const states = () => engine.projections.status().map(({ status }) => status)
    await expect.poll(states, { timeout: 5_000 }).toEqual(['live', 'live'])
    const position = await depositAround(engine, 20, 10)
    expect(await total(engine, position)).toBe(200)
    await expect.poll(async () => (await engine.handler.fold(account, 'a7:saved')).state.balance).toBe(10)
    const { position: head } = await shared.store.head()
    await engine.projections.waitFor('balances', head, 5_000)
    expect(await engine.projections.reader('balances').find(rich, { index: 'byBalance', limit: 100 })).toHaveLength(40)
    expect((await heldBy(engine)).size).toBe(leases)
    expect(failures).toEqual([])
  })

  test('shares its work out, and a process that stops hands its own over', async () => {
    const { join } = servers()
    const one = await join('one')
    const two = await join('two')
    await expect.poll(() => owners(one.engine), { timeout: 5_000 }).toEqual(['one', 'two'])
    expect(await total(one.engine, await depositAround(two.engine, 30))).toBe(30)
    await two.engine.stop()
    await expect.poll(() => owners(one.engine), { timeout: 5_000 }).toEqual(['one'])
    expect(await total(one.engine, await depositAround(one.engine, 30))).toBe(60)
    expect(one.failures).toEqual([])
  })

  test('goes on when a process is silent, and that one can write no more when it wakes', async () => {
    const { join } = servers()
    const one = await join('one')
    const two = await join('two')
    await expect.poll(() => owners(one.engine), { timeout: 5_000 }).toEqual(['one', 'two'])
    await total(one.engine, await depositAround(one.engine, 30))
    two.die()
    await expect.poll(() => owners(one.engine), { timeout: 10_000 }).toEqual(['one'])
    expect(await total(one.engine, await depositAround(one.engine, 30))).toBe(60)
    two.revive()
    await expect.poll(() => owners(one.engine), { timeout: 10_000 }).toEqual(['one', 'two'])
    const position = await depositAround(one.engine, 30)
    expect([await total(one.engine, position), await total(two.engine, position)]).toEqual([90, 90])
    await expect.poll(async () => (await one.engine.handler.fold(account, 'a3:saved')).state.balance).toBe(3)
  })

  test('has read models built anew for who asks any of its processes', async () => {
    const { shared, join } = servers()
    const { engine: api } = await join('api', { roles: ['api'] })
    const { engine: projector } = await join('projector', { roles: ['projector'] })
    expect(await total(api, await depositAround(api, 10))).toBe(10)
    const [before] = (await shared.readStore.generations()).filter(({ projection }) => projection === 'balances')
    await api.projections.rebuild('balances')
    const live = async () =>
      (await shared.readStore.generations()).find(
        ({ projection, state }) => projection === 'balances' && state === 'live',
      )?.id
    await expect.poll(live, { timeout: 10_000 }).not.toBe(before?.id)
    expect(await total(api, await depositAround(api, 10))).toBe(20)
    expect(projector.projections.status().map(({ status }) => status)).toEqual(['live', 'live'])
    const ids = async () => (await shared.readStore.generations()).map(({ id }) => id)
    await expect.poll(ids, { timeout: 10_000 }).not.toContain(before?.id)
  })

  test('names the event that stops a read model, and passes over it when an operator says so', async () => {
    const { join } = servers()
    const projections: readonly Projection[] = [balancesProjection((amount) => amount === 13)]
    const { engine } = await join('one', { projections, processes: [] })
    await total(engine, await depositAround(engine, 5))
    await engine.handler.handle(deposit(13, { target: 'a0' }))
    await expect
      .poll(() => engine.projections.status().find(({ name }) => name === 'balances'), { timeout: 5_000 })
      .toMatchObject({ status: 'stopped', poison: { type: 'Deposited' } })
    await engine.projections.skipPoison('balances')
    expect(await total(engine, await depositAround(engine, 5))).toBe(10)
  })

  test('runs two versions of a read model side by side, and the higher one stays when the lower one goes', async () => {
    const { join } = servers()
    const old = await join('old')
    await total(old.engine, await depositAround(old.engine, 10))
    const young = await join('young', { projections: [balancesProjection(() => false, 2)] })
    const position = await depositAround(old.engine, 10)
    await expect.poll(() => young.engine.projections.status()[0]?.status, { timeout: 5_000 }).toBe('live')
    expect([await total(old.engine, position), await total(young.engine, position)]).toEqual([20, 20])
    await young.engine.stop()
    expect(await total(old.engine, await depositAround(old.engine, 10))).toBe(30)
  })

  test('of an older version gives up what it holds when a newer one writes, and says so', async () => {
    const { shared, join } = servers()
    const old = await join('old')
    await total(old.engine, await depositAround(old.engine, 10))
    await shared.store.append('gift-1', -1, [newEvent({ type: 'GiftWrapped', data: { paper: 'red' } })])
    await expect.poll(() => old.engine.gaveUp(), { timeout: 5_000 }).toContain('GiftWrapped')
    await expect.poll(() => owners(old.engine), { timeout: 5_000 }).toEqual([''])
    const young = await join('young', { aggregates: [account, gift] })
    await expect.poll(() => owners(young.engine), { timeout: 5_000 }).toEqual(['young'])
    expect(await total(young.engine, await depositAround(young.engine, 10))).toBe(20)
    expect(old.engine.gaveUp()).toBeDefined()
  })
})
