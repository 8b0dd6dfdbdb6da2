import { AssertionError } from 'node:assert/strict'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ask } from '../../src/engine/command.ts'
import { decider } from '../../src/engine/decider.ts'
import { defineEvents, type EventOf, type Recorded } from '../../src/engine/events.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import { idOf } from '../../src/engine/streams.ts'
import { reactionsOf } from '../../src/testing/reactions.ts'
import { specification } from '../../src/testing/specification.ts'

/** Tests of the tests of process managers: a bell that has somebody let in. */

const bellEvents = defineEvents('bell', { Rung: z.object({ times: z.int() }), Muted: z.object({}) })
const bell = decider({
  events: bellEvents,
  commands: {},
  initial: { isMuted: false },
  evolve: (state, event: EventOf<typeof bellEvents>) => (event.type === 'Muted' ? { isMuted: true } : state),
  decide: {},
})
const door = decider({
  events: defineEvents('door', {}),
  commands: { Open: z.strictObject({ wide: z.int().max(90) }) },
  initial: {},
  evolve: (state) => state,
  decide: { Open: () => [] },
})
type Rung = Extract<EventOf<typeof bellEvents>, { type: 'Rung' }>

const opening = (wide: (event: Recorded<Rung>) => number) =>
  processManager({
    name: 'let-in',
    of: bell,
    from: [bellEvents],
    route: ({ stream }) => idOf(stream),
    on: {
      Rung: (event, { isMuted }) => (isMuted ? [] : [ask(door, 'front', 'Open', { wide: wide(event) })]),
    },
  })
const right = reactionsOf(
  opening(({ data }) => data.times),
  'bell-1',
)
const { event } = specification(bell, bellEvents)
const rung = event('Rung', { times: 3 })
const open = (wide: number) => ask(door, 'front', 'Open', { wide })

test('what is right passes', () => {
  right.given().when(rung).then(open(3))
  right.given(event('Muted', {})).when(rung).then()
})

test('it fails for other commands, and says which', () => {
  expect(() => right.given().when(rung).then(open(4))).toThrow(AssertionError)
  expect(() => right.given().when(rung).then(open(4))).toThrow(/asked for: [\s\S]*wide: 3[\s\S]*wide: 4/)
  expect(() => right.given().when(rung).then()).toThrow('asked for')
  expect(() => right.given(event('Muted', {})).when(rung).then(open(3))).toThrow('asked for')
})

test('it fails for an event that the process is not told of, or that belongs to another process', () => {
  expect(() => right.given().when(event('Muted', {})).then()).toThrow('let-in is not told of Muted')
  expect(() => right.given().when(rung, bellEvents, 'bell-2').then(open(3))).toThrow('whose process Rung belongs to')
})

test('it fails for a reaction that is another one when the event comes again', () => {
  let calls = 0
  const counting = reactionsOf(
    opening(() => ++calls),
    'bell-1',
  )
  expect(() => counting.given().when(rung).then(open(1))).toThrow('when the event comes again')
})

test('it fails for a command that its aggregate would refuse to read', () => {
  const tooWide = reactionsOf(
    opening(() => 91),
    'bell-1',
  )
  expect(() => tooWide.given().when(rung).then(open(91))).toThrow('Open is not what its schema says')
})

test('it fails for an event that its schema refuses, or that nobody defines', () => {
  const half = { type: 'Rung', data: { times: 0.5 } }
  expect(() => right.given(half).when(rung)).toThrow('Rung is not what its schema says')
  expect(() => right.given().when(half)).toThrow('Rung is not what its schema says')
  expect(() => right.given().when({ type: 'Broken', data: {} })).toThrow('bell defines no event Broken')
})

test('it fails for an aggregate that is changed in place', () => {
  const changing = decider({
    events: bellEvents,
    commands: {},
    initial: { isMuted: false },
    evolve: (state) => Object.assign(state, { isMuted: true }),
    decide: {},
  })
  const { given } = reactionsOf(
    processManager({ name: 'none', of: changing, from: [bellEvents], route: ({ stream }) => idOf(stream), on: {} }),
    'bell-1',
  )
  expect(() => given().when(rung)).toThrow(TypeError)
})
