import { isImmutable } from 'immutable'
import { expect } from 'vitest'
import type { z } from 'zod'
import type { CommandSchemas, Context, Decider, Decision, FactRequests } from '../src/engine/decider.ts'
import { Rejection } from '../src/engine/errors.ts'
import type { Actor, EventData } from '../src/engine/event-store.ts'
import type { DomainEvent, EventDefinitions } from '../src/engine/events.ts'
import { replacePersonal } from '../src/engine/personal-data.ts'

/**
 * The grammar of a decider's tests: `given(...events).when(type, command).then(...events)`. Every test is also one of
 * idempotence (the command is sent twice), of `evolve` (it must leave alone what it was given), of the events' schemas
 * and of the snapshot format.
 */

/** What a test may say of a command beside its content. All have defaults. */
interface Surroundings {
  /** Id of the aggregate. */
  readonly id?: string
  /** ISO 8601. */
  readonly at?: string
  readonly actor?: Actor
  readonly imported?: boolean
  /** What has happened to other aggregates, made by `having`; what is not named has not been touched. */
  readonly facts?: readonly Having[]
}

interface Having {
  readonly decider: Decider
  readonly id: string
  readonly state: unknown
}

interface Given<C extends CommandSchemas> {
  /** The command's personal values are given in the clear; the decision sees them sealed. */
  when<Type extends keyof C & string>(type: Type, data: z.input<C[Type]>, surroundings?: Surroundings): When<C>
}

interface When<C extends CommandSchemas> {
  /** For the rare command that is known by its id alone: it is not sent a second time. */
  once(): When<C>
  /** Expects exactly these events, and nothing more when the command is sent again. Returns what is given then. */
  then(...events: readonly DomainEvent[]): Given<C>
  /** Expects that what is asked for has already happened. */
  thenNothing(): Given<C>
  /** Expects a rejection with this code, and these details if they are named. */
  thenRejected(code: string, details?: Readonly<Record<string, unknown>>): Given<C>
}

const standIn = 'sealed:'

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function replaced(schema: z.ZodObject, data: unknown, replace: (found: unknown) => unknown): EventData {
  const result = replacePersonal(schema, data, replace)
  if (!isRecord(result)) throw new Error('An event or a command must be an object')
  return result
}

/** Stands in for the real seal: opaque, and equal for equal values. */
function seal(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(standIn) ? value : standIn + JSON.stringify(value)
}

function open(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(standIn)) throw new Error(`Not sealed: ${JSON.stringify(value)}`)
  return JSON.parse(value.slice(standIn.length))
}

/** Parsed and sealed, as a command or an event reaches a decider. */
function parsed(schema: z.ZodObject, data: unknown): EventData {
  const clear = replaced(schema, data, (value) =>
    typeof value === 'string' && value.startsWith(standIn) ? open(value) : value,
  )
  return deepFreeze(replaced(schema, schema.parse(clear), seal))
}

function schemaOf(definitions: EventDefinitions, type: string): z.ZodObject {
  const definition = definitions.byType.get(type)
  if (definition === undefined) throw new Error(`${definitions.category} defines no event ${type}`)
  return definition.schema
}

/** Makes it an error to change a value in place. Persistent maps can't be changed; what they hold could. */
function deepFreeze<T>(value: T): T {
  if (!isRecord(value) || Object.isFrozen(value)) return value
  if (value instanceof Map || value instanceof Set) {
    throw new Error('A state holds plain objects, arrays and persistent maps, no Map or Set, which can be changed')
  }
  if (isImmutable(value)) value.forEach(deepFreezeEntry)
  else for (const inner of Object.values(Object.freeze(value))) deepFreeze(inner)
  return value
}

function deepFreezeEntry(value: unknown): void {
  deepFreeze(value)
}

/** Frozen at both ends: an `evolve` that changes in place what it was given fails in the `then` of its event. */
function fold(decider: Decider, from: unknown, events: readonly DomainEvent[]): unknown {
  return deepFreeze(
    events.reduce(
      (state, { type, data }) => decider.evolve(state, { type, data: parsed(schemaOf(decider.events, type), data) }),
      deepFreeze(from),
    ),
  )
}

/** What has happened to another aggregate, as a fact for a decision: `{ facts: [having(product, 'teapot', ...events)] }`. */
export function having(decider: Decider, id: string, ...events: readonly DomainEvent[]): Having {
  return { decider, id, state: fold(decider, decider.initial, events) }
}

function lookUp(requests: FactRequests, known: readonly Having[]): Context['facts'] {
  const stateOf = ({ decider, id }: { decider: Decider; id: string }) =>
    known.find((other) => other.decider === decider && other.id === id)?.state ?? decider.initial
  return Object.fromEntries(
    Object.entries(requests).map(([name, request]) => [
      name,
      'decider' in request ? stateOf(request) : request.map(stateOf),
    ]),
  )
}

function decide(decision: Decision<unknown>, data: EventData, state: unknown, around: Surroundings) {
  const context = {
    id: around.id ?? 'the-one',
    at: around.at ?? '2026-01-15T09:30:00.000Z',
    actor: around.actor ?? { kind: 'staff', id: 'staff-1' },
    imported: around.imported ?? false,
  } as const
  const facts = lookUp(decision.lookUp?.(data, state, context) ?? {}, around.facts ?? [])
  return decision.decide(data, state, deepFreeze({ ...context, facts }))
}

function rejectionOf(decideIt: () => readonly DomainEvent[]): Rejection {
  try {
    throw new Error(`Expected a rejection, got ${JSON.stringify(decideIt())}`)
  } catch (error) {
    if (error instanceof Rejection) return error
    throw error
  }
}

/** The state as it is after it was in a snapshot. */
function throughSnapshot(decider: Decider, state: unknown): unknown {
  const format = decider.snapshot
  return format ? deepFreeze(format.load(JSON.parse(JSON.stringify(format.save(state))))) : state
}

function givenState<C extends CommandSchemas>(decider: Decider, defaults: Surroundings, state: unknown): Given<C> {
  return {
    when(type, data, surroundings) {
      const schema = decider.commands[type]
      const decision = decider.decisions.get(type)
      if (schema === undefined || decision === undefined) throw new Error(`${decider.category} does not decide ${type}`)
      const command = parsed(schema, data)
      const around = { ...defaults, ...surroundings }
      const answer = (asItIs: unknown) => decide(decision, command, asItIs, around)
      const states = (asItIs: unknown) => [asItIs, throughSnapshot(decider, asItIs)]

      function when(isRepeated: boolean): When<C> {
        return {
          once: () => when(false),
          then(...expected) {
            for (const before of states(state)) {
              const events = answer(before)
              // What a decider makes is sealed, and in the clear it is what the schema says.
              for (const event of events) {
                const eventSchema = schemaOf(decider.events, event.type)
                const clear = replaced(eventSchema, event.data, open)
                expect(eventSchema.parse(clear), `${event.type} as its schema has it`).toStrictEqual(clear)
              }
              expect(events).toStrictEqual(
                expected.map((event) => ({
                  type: event.type,
                  data: parsed(schemaOf(decider.events, event.type), event.data),
                })),
              )
            }
            const next = fold(decider, state, expected)
            if (isRepeated) for (const after of states(next)) expect(answer(after), 'sent again').toStrictEqual([])
            return givenState(decider, defaults, next)
          },
          thenNothing() {
            for (const before of states(state)) expect(answer(before)).toStrictEqual([])
            return givenState(decider, defaults, state)
          },
          thenRejected(code, details) {
            for (const before of states(state)) {
              const rejection = rejectionOf(() => answer(before))
              expect(rejection.code).toBe(code)
              expect(rejection.message, 'a sentence for people').toMatch(/^[A-Z].*[.]$/)
              if (details) expect(rejection.details).toStrictEqual(details)
            }
            return givenState(decider, defaults, state)
          },
        }
      }
      return when(true)
    },
  }
}

interface EventInput<D extends EventDefinitions, Type extends keyof D['schemas']> {
  readonly input: D['schemas'][Type] extends { readonly schema: infer S extends z.ZodType }
    ? z.input<S>
    : D['schemas'][Type] extends z.ZodType
      ? z.input<D['schemas'][Type]>
      : never
}

/**
 * The words for the tests of one aggregate.
 * @param defaults what its commands have around them where a test says nothing else
 * @returns `given` for the aggregate, and `event` to make its events, with personal values in the clear
 */
export function specification<State, C extends CommandSchemas, const D extends EventDefinitions>(
  decider: Decider<State, C>,
  events: D,
  defaults: Surroundings = {},
) {
  return {
    given: (...before: readonly DomainEvent[]): Given<C> =>
      givenState(decider, defaults, fold(decider, decider.initial, before)),
    event: <Type extends keyof D['schemas'] & string>(type: Type, data: EventInput<D, Type>['input']): DomainEvent => ({
      type,
      data: parsed(schemaOf(events, type), data),
    }),
  }
}
