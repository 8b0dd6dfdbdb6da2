import { expect, onTestFinished, test } from 'vitest'
import { memoryCoordination } from '../../src/adapters/memory/coordination.ts'
import { pause } from '../../src/engine/clock.ts'
import type { Coordination } from '../../src/engine/coordination.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import { type Held, type OwnershipOptions, ownership } from '../../src/engine/ownership.ts'
import { type ManualClock, manualClock, settled } from '../manual-clock.ts'

const leaseMs = 1_000
const names = ['balances/0', 'balances/1', 'jobs']

/** A member that keeps what it was told to run, until the test is finished. */
function member(given: Pick<OwnershipOptions, 'coordination' | 'clock'> & Partial<OwnershipOptions>) {
  const applied: Held[] = []
  const { apply = async () => {} } = given
  const own = ownership({
    id: 'one',
    info: () => ({}),
    names,
    wants: () => true,
    leaseMs,
    onFailure: () => {},
    ...given,
    async apply(held) {
      applied.push(held)
      await apply(held)
    },
  })
  onTestFinished(() => own.stop())
  return { own, applied, holds: () => [...own.held().keys()].sort() }
}

async function beats(clock: ManualClock, count: number): Promise<void> {
  for (let beat = 0; beat < count; beat++) await clock.advance(leaseMs / 4)
}

/** A store that can be away: what is asked of it then fails. */
function coordinationWithOutages(): { readonly coordination: Coordination; setAway(away: boolean): void } {
  const memory = memoryCoordination()
  let isAway = false
  return {
    coordination: new Proxy(memory, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]) => {
          if (isAway) throw new UnavailableError('away', 'The store is away.')
          return await Reflect.apply(value, target, args)
        }
      },
    }),
    setAway(away) {
      isAway = away
    },
  }
}

/** A store in which something comes before a lease is taken. */
function takingAfter(coordination: Coordination, before: () => Promise<unknown>): Coordination {
  return {
    ...coordination,
    async take(...args) {
      await before()
      return await coordination.take(...args)
    },
  }
}

test('what was lost in an outage longer than a lease is held again after it, and stays', async () => {
  const clock = manualClock(0)
  const { coordination, setAway } = coordinationWithOutages()
  const { holds, applied } = member({ coordination, clock })
  await beats(clock, 8)
  expect(holds()).toEqual(names)
  setAway(true)
  await beats(clock, 8)
  expect(holds()).toEqual([])
  setAway(false)
  await beats(clock, 8)
  const changes = applied.length
  expect(holds()).toEqual(names)
  await beats(clock, 8)
  expect(applied).toHaveLength(changes)
})

test('many leases of a slow store are taken, though all takes together last longer than a lease', async () => {
  const clock = manualClock(0)
  const many = Array.from({ length: 40 }, (_, index) => `balances/${index}`)
  const coordination = takingAfter(memoryCoordination(), () => pause(clock, leaseMs / 10))
  const { own, applied } = member({ coordination, clock, names: many })
  await beats(clock, 40)
  expect(own.held().size).toBe(many.length)
  const changes = applied.length
  await beats(clock, 40)
  expect(applied).toHaveLength(changes)
})

test('who gives up holds nothing ever again, even while it takes leases', async () => {
  const clock = manualClock(0)
  const memory = memoryCoordination()
  const { promise: mayTake, resolve: letTake } = Promise.withResolvers<void>()
  let takes = 0
  const coordination = takingAfter(memory, () => {
    takes++
    return mayTake
  })
  const { own, holds, applied } = member({ coordination, clock })
  await beats(clock, 1)
  expect(takes).toBeGreaterThan(0)
  own.giveUp()
  letTake()
  await beats(clock, 12)
  expect(holds()).toEqual([])
  expect(applied.flatMap((held) => [...held])).toEqual([])
  expect((await memory.leases()).map(({ owner }) => owner)).not.toContain('one')
})

test('what is handed over is renewed until it is let go of, and nobody else has it before', async () => {
  const clock = manualClock(0)
  const coordination = memoryCoordination()
  let wanted = ['balances/0', 'balances/1']
  const { promise: letGo, resolve: done } = Promise.withResolvers<void>()
  const wants: OwnershipOptions['wants'] = ({ id }, name) => (id === 'one') === wanted.includes(name)
  const one = member({
    coordination,
    clock,
    wants,
    apply: async (held) => (held.has('balances/0') ? undefined : await letGo),
  })
  await beats(clock, 4)
  onTestFinished(() => done())
  expect(one.holds()).toEqual(wanted)
  wanted = ['balances/1']
  const two = member({ coordination, clock, wants, id: 'two' })
  await beats(clock, 12)
  expect([one.holds(), two.holds()]).toEqual([['balances/1'], ['jobs']])
  done()
  await settled()
  await beats(clock, 4)
  expect([one.holds(), two.holds()]).toEqual([['balances/1'], ['balances/0', 'jobs']])
})

test('a lease is put to use while another is still being let go of', async () => {
  const clock = manualClock(0)
  const coordination = memoryCoordination()
  let wanted = ['balances/0']
  const { promise: letGo, resolve: done } = Promise.withResolvers<void>()
  const { applied } = member({
    coordination,
    clock,
    wants: (_, name) => wanted.includes(name),
    apply: async (held) => (held.has('balances/0') ? undefined : await letGo),
  })
  onTestFinished(() => done())
  await beats(clock, 4)
  wanted = []
  await beats(clock, 4)
  expect([...(applied.at(-1) ?? [])]).toEqual([])
  wanted = ['jobs']
  await beats(clock, 4)
  expect([...(applied.at(-1)?.keys() ?? [])]).toEqual(['jobs'])
})
