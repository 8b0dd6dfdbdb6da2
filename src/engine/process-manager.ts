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
