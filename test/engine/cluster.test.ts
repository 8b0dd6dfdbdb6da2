import { describe, expect, test } from 'vitest'
import { type Cluster, clusterShards } from '../../src/engine/cluster.ts'
import type { Projection } from '../../src/engine/projection.ts'
import { newEvent } from '../contract/new-event.ts'
import { account } from './account.ts'
import { balances, balancesProjection, rich } from './balances.ts'
import { gift, servers } from './cluster-servers.ts'
import { deposit } from './handling.ts'

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
    await expect.poll(states).toEqual(['live', 'live'])
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
    await expect.poll(() => owners(one.engine)).toEqual(['one', 'two'])
    expect(await total(one.engine, await depositAround(two.engine, 30))).toBe(30)
    await two.engine.stop()
    await expect.poll(() => owners(one.engine)).toEqual(['one'])
    expect(await total(one.engine, await depositAround(one.engine, 30))).toBe(60)
    expect(one.failures).toEqual([])
  })

  test('goes on when a process is silent, and that one can write no more when it wakes', async () => {
    const { join } = servers()
    const one = await join('one')
    const two = await join('two')
    await expect.poll(() => owners(one.engine)).toEqual(['one', 'two'])
    await total(one.engine, await depositAround(one.engine, 30))
    two.die()
    await expect.poll(() => owners(one.engine)).toEqual(['one'])
    expect(await total(one.engine, await depositAround(one.engine, 30))).toBe(60)
    two.revive()
    await expect.poll(() => owners(one.engine)).toEqual(['one', 'two'])
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
    await expect.poll(live).not.toBe(before?.id)
    expect(await total(api, await depositAround(api, 10))).toBe(20)
    expect(projector.projections.status().map(({ status }) => status)).toEqual(['live', 'live'])
    const ids = async () => (await shared.readStore.generations()).map(({ id }) => id)
    await expect.poll(ids).not.toContain(before?.id)
  })

  test('names the event that stops a read model, and passes over it when an operator says so', async () => {
    const { join } = servers()
    const projections: readonly Projection[] = [balancesProjection((amount) => amount === 13)]
    const { engine } = await join('one', { projections, processes: [] })
    await total(engine, await depositAround(engine, 5))
    await engine.handler.handle(deposit(13, { target: 'a0' }))
    await expect
      .poll(() => engine.projections.status().find(({ name }) => name === 'balances'))
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
    await expect.poll(() => young.engine.projections.status()[0]?.status).toBe('live')
    expect([await total(old.engine, position), await total(young.engine, position)]).toEqual([20, 20])
    await young.engine.stop()
    expect(await total(old.engine, await depositAround(old.engine, 10))).toBe(30)
  })

  test('of an older version gives up what it holds when a newer one writes, and says so', async () => {
    const { shared, join } = servers()
    const old = await join('old')
    await total(old.engine, await depositAround(old.engine, 10))
    await shared.store.append('gift-1', -1, [newEvent({ type: 'GiftWrapped', data: { paper: 'red' } })])
    await expect.poll(() => old.engine.gaveUp()).toContain('GiftWrapped')
    await expect.poll(() => owners(old.engine)).toEqual([''])
    const young = await join('young', { aggregates: [account, gift] })
    await expect.poll(() => owners(young.engine)).toEqual(['young'])
    expect(await total(young.engine, await depositAround(young.engine, 10))).toBe(20)
    expect(old.engine.gaveUp()).toBeDefined()
  })
})
