import { expect, onTestFinished, test } from 'vitest'
import { memoryCoordination } from '../../src/adapters/memory/coordination.ts'
import type { Coordination } from '../../src/engine/coordination.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import { type Held, ownership } from '../../src/engine/ownership.ts'
import { manualClock } from '../manual-clock.ts'

const leaseMs = 1_000
const names = ['balances/0', 'balances/1', 'jobs']

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

test('what was lost in an outage longer than a lease is held again after it, and stays', async () => {
  const clock = manualClock(0)
  const { coordination, setAway } = coordinationWithOutages()
  const applied: Held[] = []
  const own = ownership({
    coordination,
    clock,
    id: 'one',
    info: () => ({}),
    names,
    wants: () => true,
    leaseMs,
    apply: async (held) => void applied.push(held),
    onFailure: () => {},
  })
  onTestFinished(() => own.stop())
  const beats = async (count: number) => {
    for (let beat = 0; beat < count; beat++) await clock.advance(leaseMs / 4)
  }
  await beats(8)
  expect([...own.held().keys()].sort()).toEqual(names)
  setAway(true)
  await beats(8)
  expect(own.held().size).toBe(0)
  setAway(false)
  await beats(8)
  const changes = applied.length
  expect([...own.held().keys()].sort()).toEqual(names)
  await beats(8)
  expect(applied).toHaveLength(changes)
})
