import { AssertionError, match } from 'node:assert/strict'
import type { z } from 'zod'
import type { CommandSchemas, Context, Decider, Decision, FactRequests } from '../engine/decider.ts'
import { Rejection } from '../engine/errors.ts'
import type { Actor, EventData } from '../engine/event-store.ts'
import type { DomainEvent, EventDefinitions } from '../engine/events.ts'
import { assertEqual } from './difference.ts'
import { firstInstant } from './recording.ts'
import { deepFreeze, definitionOf, opened, parsed, parsedEvent, valid } from './sealing.ts'

/**
 * The grammar of a decider's tests: `given(...events).when(type, command).then(...events)`. Every test is also one of
 * idempotence (the command is sent twice), of `evolve` (it must leave alone what it was given), of the events' schemas
 * and of the snapshot format.
 */

/** What a test may say of a command beside its content. All have defaults. */
interface Surroundings {
  /** Id of the aggregate. */
  readonly id?: string
  /** ISO 8601; `firstInstant` by default. */
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

/** Frozen at both ends: an `evolve` that changes in place what it was given fails in the `then` of its event. */
export function fold(decider: Decider, from: unknown, events: readonly DomainEvent[]): unknown {
  return deepFreeze(
    events.reduce((state, event) => decider.evolve(state, parsedEvent(decider.events, event)), deepFreeze(from)),
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
    at: around.at ?? firstInstant,
    actor: around.actor ?? { kind: 'staff', id: 'staff-1' },
    imported: around.imported ?? false,
  } as const
  const facts = lookUp(decision.lookUp?.(data, state, context) ?? {}, around.facts ?? [])
  return decision.decide(data, state, deepFreeze({ ...context, facts }))
}

function rejectionOf(decideIt: () => readonly DomainEvent[]): Rejection {
  try {
    throw new AssertionError({ message: `Expected a rejection, got ${JSON.stringify(decideIt())}` })
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
      const command = parsed(schema, data, type)
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
                const { schema: eventSchema } = definitionOf(decider.events, event.type)
                const clear = opened(eventSchema, event.data)
                assertEqual(clear, valid(eventSchema, clear, event.type), `${event.type} as its schema has it`)
              }
              assertEqual(
                events,
                expected.map((event) => parsedEvent(decider.events, event)),
                `what ${type} makes happen`,
              )
            }
            const next = fold(decider, state, expected)
            if (isRepeated) for (const after of states(next)) assertEqual(answer(after), [], `${type} sent again`)
            return givenState(decider, defaults, next)
          },
          thenNothing() {
            for (const before of states(state)) assertEqual(answer(before), [], `${type} of what has happened already`)
            return givenState(decider, defaults, state)
          },
          thenRejected(code, details) {
            for (const before of states(state)) {
              const rejection = rejectionOf(() => answer(before))
              assertEqual(rejection.code, code, `code of the rejection of ${type}`)
              match(rejection.message, /^[A-Z].*[.]$/, `The rejection is no sentence for people: ${rejection.message}`)
              if (details) assertEqual(rejection.details, details, `details of the rejection of ${type}`)
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
      data: parsed(definitionOf(events, type).schema, data, type),
    }),
  }
}
