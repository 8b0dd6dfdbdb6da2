import { describe, expect, onTestFinished, test } from 'vitest'
import type { Coordination, Lease, OperatorRequest } from '../../src/engine/coordination.ts'

/** What everything that processes agree by must do. */

export interface CoordinationHarness {
  /** Two members of one cluster that has agreed on nothing yet; they may be the same one. */
  readonly members: readonly [Coordination, Coordination]
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}

/**
 * Defines the tests of the port.
 * @param harness makes an empty cluster
 */
export function coordinationContract(harness: () => Promise<CoordinationHarness>): void {
  async function emptyCluster(): Promise<readonly [Coordination, Coordination]> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made.members
  }

  async function leaseOf(cluster: Coordination, name: string): Promise<Lease | undefined> {
    return (await cluster.leases()).find((lease) => lease.name === name)
  }

  async function idsOf(cluster: Coordination): Promise<Set<string>> {
    return new Set((await cluster.members()).map(({ id }) => id))
  }

  describe('a lease', () => {
    test('is taken by one, and seen by all', async () => {
      const [a, b] = await emptyCluster()
      expect(await a.leases()).toEqual([])
      const token = await a.take('orders:0', 'ada', undefined)
      expect(token).toBeGreaterThan(0)
      expect(await b.leases()).toEqual([{ name: 'orders:0', owner: 'ada', token, beat: expect.any(Number) }])
    })

    test('that was not there is taken by one of many at once', async () => {
      const cluster = await emptyCluster()
      const takers = Array.from({ length: 20 }, (_, index) => ({ owner: `member-${index}`, by: cluster[index % 2] }))
      const tokens = await Promise.all(takers.map(({ owner, by }) => by?.take('orders:0', owner, undefined)))
      const winners = takers.filter((_, index) => tokens[index] !== undefined)
      expect(winners).toHaveLength(1)
      expect((await leaseOf(cluster[0], 'orders:0'))?.owner).toBe(winners[0]?.owner)
    })

    test('that was seen is taken over by one of many at once, with the token that it then has', async () => {
      const cluster = await emptyCluster()
      await cluster[0].take('orders:0', 'dead', undefined)
      for (let round = 0; round < 5; round++) {
        const seen = await leaseOf(cluster[1], 'orders:0')
        const takers = Array.from({ length: 20 }, (_, index) => ({
          owner: `${round}-${index}`,
          by: cluster[index % 2],
        }))
        const tokens = await Promise.all(takers.map(({ owner, by }) => by?.take('orders:0', owner, seen)))
        const winners = takers.flatMap(({ owner }, index) => (tokens[index] === undefined ? [] : { owner, index }))
        expect(winners).toHaveLength(1)
        const [winner] = winners
        const now = await leaseOf(cluster[0], 'orders:0')
        expect(now).toMatchObject({ owner: winner?.owner, token: tokens[winner?.index ?? -1] })
      }
    })

    test('is not taken when its owner has renewed it since', async () => {
      const [a, b] = await emptyCluster()
      const token = (await a.take('orders:0', 'ada', undefined)) ?? 0
      const seen = await leaseOf(b, 'orders:0')
      expect(await a.renew('ada', new Map([['orders:0', token]]))).toEqual(new Set(['orders:0']))
      expect(await b.take('orders:0', 'bob', seen)).toBeUndefined()
      expect(await leaseOf(b, 'orders:0')).toMatchObject({ owner: 'ada', token })
    })

    test('is not taken by who never saw it though it is there', async () => {
      const [a, b] = await emptyCluster()
      const token = await a.take('orders:0', 'ada', undefined)
      expect(await b.take('orders:0', 'bob', undefined)).toBeUndefined()
      expect(await leaseOf(b, 'orders:0')).toMatchObject({ owner: 'ada', token })
    })

    test('has a higher token with each change of owner, and with no renewal', async () => {
      const [a, b] = await emptyCluster()
      const tokens: number[] = []
      for (const owner of ['ada', 'bob', 'bob', 'ada']) {
        const token = (await a.take('orders:0', owner, await leaseOf(b, 'orders:0'))) ?? 0
        await a.renew(owner, new Map([['orders:0', token]]))
        expect((await leaseOf(b, 'orders:0'))?.token).toBe(token)
        if (owner === 'bob') await a.release(owner, new Map([['orders:0', token]]))
        tokens.push(token)
      }
      expect(tokens).toEqual(Array.from(new Set(tokens)).sort((one, other) => one - other))
    })

    test('beats with each renewal, and with nothing else than its owner', async () => {
      const [a, b] = await emptyCluster()
      const token = (await a.take('orders:0', 'ada', undefined)) ?? 0
      await a.take('orders:1', 'ada', undefined)
      const [first, still] = [await leaseOf(b, 'orders:0'), await leaseOf(b, 'orders:1')]
      const beats = [first?.beat ?? Number.NaN]
      for (let time = 0; time < 3; time++) {
        await a.renew('ada', new Map([['orders:0', token]]))
        beats.push((await leaseOf(b, 'orders:0'))?.beat ?? Number.NaN)
      }
      for (const [index, beat] of beats.slice(1).entries()) expect(beat).toBeGreaterThan(beats[index] ?? Number.NaN)
      expect(await leaseOf(b, 'orders:1')).toEqual(still)
    })

    test('is not renewed under a stale token, nor by who does not own it, and the others are', async () => {
      const [a, b] = await emptyCluster()
      const stale = (await a.take('orders:0', 'ada', undefined)) ?? 0
      const kept = (await a.take('orders:1', 'ada', undefined)) ?? 0
      const token = (await b.take('orders:0', 'bob', await leaseOf(b, 'orders:0'))) ?? 0
      const held = new Map([
        ['orders:0', stale],
        ['orders:1', kept],
        ['never:0', 1],
      ])
      const before = await leaseOf(b, 'orders:0')
      expect(await a.renew('ada', held)).toEqual(new Set(['orders:1']))
      expect(await a.renew('ada', new Map([['orders:0', token]]))).toEqual(new Set())
      expect(await a.renew('ada', new Map())).toEqual(new Set())
      expect(await leaseOf(b, 'orders:0')).toEqual(before)
      expect(await leaseOf(b, 'never:0')).toBeUndefined()
    })

    test('that was taken again by the same owner is not renewed under the former token', async () => {
      const [a] = await emptyCluster()
      const former = (await a.take('orders:0', 'ada', undefined)) ?? 0
      await a.take('orders:0', 'ada', await leaseOf(a, 'orders:0'))
      expect(await a.renew('ada', new Map([['orders:0', former]]))).toEqual(new Set())
    })

    test('that was released has no owner, and is no longer renewed', async () => {
      const [a, b] = await emptyCluster()
      const held = new Map<string, number>()
      for (const name of ['orders:0', 'orders:1']) held.set(name, (await a.take(name, 'ada', undefined)) ?? 0)
      const kept = (await a.take('orders:2', 'ada', undefined)) ?? 0
      for (let time = 0; time < 2; time++) await a.release('ada', held)
      for (const name of held.keys()) expect((await leaseOf(b, name))?.owner).toBe('')
      expect(await a.renew('ada', held)).toEqual(new Set())
      expect(await leaseOf(b, 'orders:2')).toMatchObject({ owner: 'ada', token: kept })
      expect(await b.take('orders:0', 'bob', await leaseOf(b, 'orders:0'))).toBeGreaterThan(held.get('orders:0') ?? 0)
    })

    test('that has gone over is not released by its former owner', async () => {
      const [a, b] = await emptyCluster()
      const stale = (await a.take('orders:0', 'ada', undefined)) ?? 0
      await b.take('orders:0', 'bob', await leaseOf(b, 'orders:0'))
      const before = await leaseOf(b, 'orders:0')
      await a.release('ada', new Map([['orders:0', stale]]))
      await a.release('ada', new Map())
      expect(await leaseOf(b, 'orders:0')).toEqual(before)
    })

    test('may have any name', async () => {
      const [a] = await emptyCluster()
      const names = ['$where', 'a.b.c', '__proto__', 'a:1', 'ä b']
      const held = new Map<string, number>()
      for (const name of names) held.set(name, (await a.take(name, 'ada', undefined)) ?? 0)
      expect(await a.renew('ada', held)).toEqual(new Set(names))
    })
  })

  describe('a member', () => {
    test('says what it is, and beats with each announcement', async () => {
      const [a, b] = await emptyCluster()
      expect(await a.members()).toEqual([])
      const info = { roles: ['api'], 'a.b': { $set: 1 }, lag: null }
      await a.announce('ada', info)
      const [first] = await b.members()
      expect(first).toEqual({ id: 'ada', beat: expect.any(Number), info })
      await a.announce('ada', { roles: [] })
      const [second] = await b.members()
      expect(second).toEqual({ id: 'ada', beat: expect.any(Number), info: { roles: [] } })
      expect(second?.beat).toBeGreaterThan(first?.beat ?? Number.NaN)
    })

    test('leaves, and the others stay', async () => {
      const [a, b] = await emptyCluster()
      for (const id of ['ada', 'bob', 'eve']) await a.announce(id, {})
      for (let time = 0; time < 2; time++) await b.leave('bob')
      expect(await idsOf(a)).toEqual(new Set(['ada', 'eve']))
    })

    test('comes with all others at once', async () => {
      const cluster = await emptyCluster()
      const ids = Array.from({ length: 20 }, (_, index) => `member-${index}`)
      await Promise.all(ids.map((id, index) => cluster[index % 2]?.announce(id, { index })))
      expect(await idsOf(cluster[0])).toEqual(new Set(ids))
    })
  })

  describe('what an operator asks', () => {
    const rebuild: OperatorRequest = { id: 'z', action: 'rebuild', projection: 'orders' }
    const skip: OperatorRequest = { id: 'a', action: 'skip', projection: 'carts', eventId: 'e' }

    test('is seen by all until it is settled, the oldest first', async () => {
      const [a, b] = await emptyCluster()
      expect(await b.asked()).toEqual([])
      const further = Array.from({ length: 12 }, (_, index): OperatorRequest => ({ ...skip, id: `m${12 - index}` }))
      for (const request of [rebuild, skip, ...further]) await a.ask(request)
      expect(await b.asked()).toEqual([rebuild, skip, ...further])
      await b.settle(rebuild.id)
      expect(await a.asked()).toEqual([skip, ...further])
    })

    test('is asked once, however often it is, and also after it was settled', async () => {
      const [a, b] = await emptyCluster()
      await Promise.all([a.ask(rebuild), b.ask(rebuild), a.ask(rebuild)])
      await a.ask(skip)
      await b.ask({ ...rebuild, projection: 'carts' })
      expect(await a.asked()).toHaveLength(2)
      for (let time = 0; time < 2; time++) await b.settle(skip.id)
      await a.ask(skip)
      const [only, ...none] = await b.asked()
      expect(only).toMatchObject({ id: rebuild.id, action: 'rebuild' })
      expect(none).toEqual([])
    })

    test('and nobody knows is settled already', async () => {
      const [a] = await emptyCluster()
      await a.settle('unknown')
      expect(await a.asked()).toEqual([])
    })
  })
}
