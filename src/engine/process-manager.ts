import type { Ask } from './command.ts'
import type { Decider } from './decider.ts'
import type { DomainEvent, EventDefinitions, EventOf, Recorded } from './events.ts'

/** A process that reacts to events with commands. It has no state of its own: it sees the aggregate that it runs for as that now stands. */
export interface ProcessManager {
  readonly name: string
  /** The aggregate that a process runs for. */
  readonly decider: Decider
  readonly types: ReadonlySet<string>
  /** Id of the aggregate whose process an event belongs to; undefined if it belongs to none. */
  route(event: Recorded): string | undefined
  /** What is to be asked for now. */
  react(event: Recorded, state: unknown): readonly Ask[]
  /** Set where the events that it reacts to change as the shop runs. */
  readonly listening?: Listening
}

/** What a process manager listens to follows from one aggregate: each reaction sees that as it stood when the event was appended. */
export interface Listening {
  /** Id of the aggregate. */
  readonly id: string
  /** The events that are reacted to while it stands so. */
  types(state: unknown): ReadonlySet<string>
}

type Reactions<State, E extends DomainEvent> = {
  readonly [Type in E['type']]?: (event: Recorded<Extract<E, { type: Type }>>, state: State) => readonly Ask[]
}

/** Written as a method, so that a reaction to one event type counts as a reaction to events. */
type Reaction = { react(event: Recorded, state: unknown): readonly Ask[] }['react']

/**
 * Puts a process together.
 * @param definition `of` is the aggregate it runs for, `from` the events it may react to, `route` finds the aggregate's
 *   id, and `on` says for each type what is asked for. All are pure, and the same event may come again.
 */
export function processManager<State, const From extends readonly EventDefinitions[]>(definition: {
  readonly name: string
  readonly of: Decider<State>
  readonly from: From
  readonly route: (event: Recorded<EventOf<From[number]>>) => string | undefined
  readonly on: Reactions<State, EventOf<From[number]>>
}): ProcessManager
export function processManager(definition: {
  readonly name: string
  readonly of: Decider
  route(event: Recorded): string | undefined
  readonly on: Readonly<Record<string, Reaction | undefined>>
}): ProcessManager {
  const { name, of, route, on } = definition
  return {
    name,
    decider: of,
    types: new Set(Object.keys(on)),
    route,
    react: (event, state) => on[event.type]?.(event, state) ?? [],
  }
}

/**
 * Puts a process together that reacts to whatever events an aggregate says, now these and now those. It costs nothing where
 * there are none.
 * @param definition `of` and `id` name the aggregate, `types` the events that are reacted to while it stands so, and `route` says
 *   which events are kept in their order. All are pure, and the same event may come again.
 */
export function listeningProcess<State>(definition: {
  readonly name: string
  readonly of: Decider<State>
  readonly id: string
  readonly types: (state: State) => ReadonlySet<string>
  readonly route: (event: Recorded) => string
  readonly react: (event: Recorded, state: State) => readonly Ask[]
}): ProcessManager
export function listeningProcess(definition: {
  readonly name: string
  readonly of: Decider
  readonly id: string
  types(state: unknown): ReadonlySet<string>
  route(event: Recorded): string
  react(event: Recorded, state: unknown): readonly Ask[]
}): ProcessManager {
  const { name, of, id, types, route, react } = definition
  return { name, decider: of, types: new Set(of.events.byType.keys()), route, react, listening: { id, types } }
}
