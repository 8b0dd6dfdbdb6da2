import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decider, fact, withFacts } from '../../src/engine/decider.ts'
import { reject } from '../../src/engine/errors.ts'
import { defineEvents, type EventOf } from '../../src/engine/events.ts'
import { personal } from '../../src/engine/personal-data.ts'
import { having, specification } from '../../src/testing/specification.ts'

/** A counter whose every part can be made wrong: the tests of the tests. */

const events = defineEvents('counter', {
  Counted: z.object({ by: z.int(), name: personal(z.string().trim()) }),
})
type Counted = EventOf<typeof events>
interface Counter {
  total: number
}
const commands = { Count: z.strictObject({ to: z.int(), name: personal(z.string().trim()) }) }
type Count = z.output<typeof commands.Count>

const right = {
  events,
  commands,
  initial: { total: 0 } as Counter,
  evolve: ({ total }: Counter, { data }: Counted): Counter => ({ total: total + data.by }),
  decide: {
    Count: ({ to, name }: Count, { total }: Counter): Counted[] => {
      if (to < total) throw reject('counts-up', 'It only counts up.', { total })
      return to === total ? [] : [{ type: 'Counted', data: { by: to - total, name } }]
    },
  },
}

const counting = (changes: Partial<typeof right>) => specification(decider({ ...right, ...changes }), events)
const { given, event } = counting({})
const counted = (by: number) => event('Counted', { by, name: 'Ada' })
const threeTo = (to: number, changes: Partial<typeof right> = {}) =>
  counting(changes).given(counted(3)).when('Count', { to, name: ' Ada ' })

test('what is right passes', () => {
  threeTo(5).then(counted(2)).when('Count', { to: 5, name: 'Ada' }).thenNothing()
  threeTo(2).thenRejected('counts-up', { total: 3 })
})

describe('it fails', () => {
  test('for other events, other answers and other rejections', () => {
    expect(() => threeTo(5).then(counted(3))).toThrow()
    expect(() => threeTo(5).then()).toThrow()
    expect(() => threeTo(5).thenNothing()).toThrow()
    expect(() => threeTo(5).thenRejected('counts-up')).toThrow('Expected a rejection')
    expect(() => threeTo(2).thenRejected('counts-down')).toThrow()
    expect(() => threeTo(2).thenRejected('counts-up', { total: 4 })).toThrow()
    expect(() => threeTo(2).then()).toThrow('It only counts up.')
  })

  test('for a decision that takes effect twice, unless that is said', () => {
    const Count = ({ to, name }: Count): Counted[] => [{ type: 'Counted', data: { by: to, name } }]
    expect(() => threeTo(5, { decide: { Count } }).then(counted(5))).toThrow('sent again')
    threeTo(5, { decide: { Count } }).once().then(counted(5))
  })

  test('for a state that is changed in place', () => {
    const evolve = (counter: Counter, { data }: Counted) => {
      counter.total += data.by
      return counter
    }
    expect(() => threeTo(5, { evolve }).then(counted(2))).toThrow(TypeError)
  })

  test('for an event that its schema refuses, or that has what its schema has not', () => {
    const half = ({ name }: Count): Counted[] => [{ type: 'Counted', data: { by: 0.5, name } }]
    expect(() => threeTo(5, { decide: { Count: half } }).then(counted(2))).toThrow()
    const more = ({ name }: Count): Counted[] => {
      const data = { by: 2, name, more: true }
      return [{ type: 'Counted', data }]
    }
    expect(() => threeTo(5, { decide: { Count: more } }).then(counted(2))).toThrow('as its schema has it')
  })

  test('for personal data in the clear', () => {
    const Count = (): Counted[] => [{ type: 'Counted', data: JSON.parse('{ "by": 2, "name": "Ada" }') }]
    expect(() => threeTo(5, { decide: { Count } }).then(counted(2))).toThrow('Not sealed')
  })

  test('for a snapshot that loses something', () => {
    const forgetful = decider({
      ...right,
      snapshot: { version: 1, entries: () => 1, every: 10, save: () => ({}), load: () => ({ total: 0 }) },
    })
    const after = specification(forgetful, events).given(counted(3))
    expect(() => after.when('Count', { to: 5, name: 'Ada' }).then(counted(2))).toThrow()
  })
})

test('facts are looked up as the decision names them', () => {
  const other = decider(right)
  const follow = withFacts(
    (_command: Count) => ({ others: [fact(other, 'a'), fact(other, 'b')], one: fact(other, 'a') }),
    ({ to, name }, { total }: Counter, { facts }): Counted[] => {
      const by = to + facts.one.total + facts.others.reduce((sum, counter) => sum + counter.total, 0) - total
      return by === 0 ? [] : [{ type: 'Counted', data: { by, name } }]
    },
  )
  const following = specification(decider({ ...right, decide: { Count: follow } }), events)
  following
    .given()
    .when('Count', { to: 1, name: 'Ada' }, { facts: [having(other, 'a', counted(20))] })
    .then(counted(41))
  given().when('Count', { to: 0, name: 'Ada' }).thenNothing()
})
