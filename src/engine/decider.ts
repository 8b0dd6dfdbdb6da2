import type { z } from 'zod'
import type { Actor, EventData } from './event-store.ts'
import type { DomainEvent, EventDefinitions, EventOf } from './events.ts'

export type CommandSchemas = Readonly<Record<string, z.ZodObject>>

/** A fact of another stream that a decision rests on: the state of the aggregate with this id. */
export interface Fact<State> {
  readonly decider: Decider<State>
  readonly id: string
}

export type FactRequests = Readonly<Record<string, Fact<unknown> | readonly Fact<unknown>[]>>

/** The facts as the decision sees them: states in the place of requests. */
export type FactsOf<R> = {
  readonly [Name in keyof R]: R[Name] extends Fact<infer State>
    ? State
    : R[Name] extends readonly Fact<infer State>[]
      ? readonly State[]
      : never
}

/** Asks for the state of another aggregate: `fact(product, command.productId)`. */
export function fact<State>(decider: Decider<State>, id: string): Fact<State> {
  return { decider, id }
}

/**
 * Looks facts up.
 * @param stateOf the present state of an aggregate
 * @returns states in the place of requests, under the same names
 */
export async function lookUpFacts(
  requests: FactRequests,
  stateOf: (fact: Fact<unknown>) => Promise<unknown>,
): Promise<Context['facts']> {
  const entries = Object.entries(requests).map(async ([name, request]) => [
    name,
    'decider' in request ? await stateOf(request) : await Promise.all(request.map(stateOf)),
  ])
  return Object.fromEntries(await Promise.all(entries))
}

/** What comes in with a command beside what was asked: a decision knows no clock and no chance. */
export interface Context<Facts = Readonly<Record<string, unknown>>> {
  /** The id of the aggregate that decides. */
  readonly id: string
  /** When it happens, ISO 8601. */
  readonly at: string
  readonly actor: Actor
  /** True for history brought in from elsewhere. */
  readonly imported: boolean
  readonly facts: Facts
}

export interface Decision<State> {
  /** The facts of other streams that the decision needs; they can depend on the command and the state. */
  lookUp?(command: EventData, state: State, context: Omit<Context, 'facts'>): FactRequests
  decide(command: EventData, state: State, context: Context): readonly DomainEvent[]
}

/** How a state becomes plain JSON and back, for aggregates with long streams. */
export interface SnapshotFormat<State> {
  /** To be raised when the state's shape or meaning changes; older snapshots are then ignored. */
  readonly version: number
  /** Least number of events between two snapshots. */
  readonly every: number
  /** About how many entries a snapshot of the state has: a large one is made less often. */
  entries(state: State): number
  save(state: State): unknown
  /** @param saved what `save` gave: its checksum and version have been verified */
  load(saved: unknown): State
}

/** An aggregate: what has happened to it, what it knows, what may be asked of it, and how it decides. */
export interface Decider<State = unknown, Commands extends CommandSchemas = CommandSchemas> {
  readonly category: string
  readonly events: EventDefinitions
  readonly commands: Commands
  readonly initial: State
  evolve(state: State, event: DomainEvent): State
  readonly decisions: ReadonlyMap<string, Decision<State>>
  readonly snapshot?: SnapshotFormat<State>
}

type NoFacts = Readonly<Record<string, never>>

/** A decision that needs facts of other streams; made by `withFacts`. */
export interface DecisionWithFacts<State, Event, Command> {
  lookUp(command: Command, state: State, context: Omit<Context, 'facts'>): FactRequests
  decide(command: Command, state: State, context: Context): readonly Event[]
}

/**
 * A decision that rests on facts of other streams.
 * @param lookUp names the streams, from the command and the state
 * @param decide gets their states as `context.facts`, under the same names
 */
export function withFacts<Command, State, Event, Requests extends FactRequests>(
  lookUp: (command: Command, state: State, context: Omit<Context, 'facts'>) => Requests,
  decide: (command: Command, state: State, context: Context<FactsOf<Requests>>) => readonly Event[],
): DecisionWithFacts<State, Event, Command>
export function withFacts(
  lookUp: DecisionWithFacts<unknown, DomainEvent, EventData>['lookUp'],
  decide: DecisionWithFacts<unknown, DomainEvent, EventData>['decide'],
): DecisionWithFacts<unknown, DomainEvent, EventData> {
  return { lookUp, decide }
}

type Decisions<State, Event, Commands extends CommandSchemas> = {
  readonly [Type in keyof Commands]:
    | ((command: z.output<Commands[Type]>, state: State, context: Context<NoFacts>) => readonly Event[])
    | DecisionWithFacts<State, Event, z.output<Commands[Type]>>
}

/**
 * Puts an aggregate together. The compiler proves that every event evolves and every command is decided.
 * A decision returns the events that follow, `[]` when what is asked has already happened, and throws a `Rejection`
 * when a rule is broken. It never reads a clock, a random number or a store.
 */
export function decider<State, Events extends EventDefinitions, const Commands extends CommandSchemas>(definition: {
  readonly events: Events
  readonly commands: Commands
  readonly initial: State
  readonly evolve: (state: State, event: EventOf<Events>) => State
  readonly decide: Decisions<State, EventOf<Events>, Commands>
  readonly snapshot?: SnapshotFormat<State>
}): Decider<State, Commands>
export function decider(definition: {
  readonly events: EventDefinitions
  readonly commands: CommandSchemas
  readonly initial: unknown
  evolve(state: unknown, event: DomainEvent): unknown
  readonly decide: Readonly<Record<string, Decision<unknown>['decide'] | Decision<unknown>>>
  readonly snapshot?: SnapshotFormat<unknown>
}): Decider {
  const decisions = new Map(
    Object.entries(definition.decide).map(([type, given]) => [
      type,
      typeof given === 'function' ? { decide: given } : given,
    ]),
  )
  const { events, commands, initial, evolve, snapshot } = definition
  return { category: events.category, events, commands, initial, evolve, decisions, ...(snapshot && { snapshot }) }
}
