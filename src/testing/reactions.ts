import { AssertionError } from 'node:assert/strict'
import type { Ask } from '../engine/command.ts'
import type { DomainEvent, EventDefinitions } from '../engine/events.ts'
import type { ProcessManager } from '../engine/process-manager.ts'
import { assertEqual } from './difference.ts'
import { recorded } from './recording.ts'
import { deepFreeze, parsed } from './sealing.ts'
import { fold } from './specification.ts'

/**
 * The grammar of a process manager's tests: `given(...events).when(event).then(...commands)`. Every test is also one of
 * purity (the event comes twice, and is asked the same for), and of the schemas of events and commands.
 * @param processId id of the aggregate that the process runs for, whose events are given
 */
export function reactionsOf(manager: ProcessManager, processId: string) {
  return {
    given: (...events: readonly DomainEvent[]) => ({
      /**
       * Something that happens to the aggregate itself (it then stands as after it), or to another.
       * @param definitions the events of the other aggregate
       * @param id of the other aggregate
       */
      when(event: DomainEvent, definitions: EventDefinitions = manager.decider.events, id = processId) {
        const happened = deepFreeze(recorded(definitions, id, event))
        const isOwn = definitions.category === manager.decider.category && id === processId
        const state = fold(manager.decider, manager.decider.initial, isOwn ? [...events, event] : events)
        return {
          /** Expects exactly these commands, in their order; none of them is sent. */
          then(...asks: readonly Ask[]): void {
            if (!manager.types.has(event.type)) {
              throw new AssertionError({
                message: `${manager.name} is not told of ${event.type}: name it under \`on\`.`,
              })
            }
            assertEqual(manager.route(happened), processId, `whose process ${event.type} belongs to`)
            for (const said of ['asked for', 'asked for when the event comes again']) {
              const made = manager.react(happened, state)
              assertEqual(readable(made), readable(asks), said)
              made.forEach(assertValid)
            }
          },
        }
      },
    }),
  }
}

/** A command that its aggregate would not even parse is set aside in a running shop. */
function assertValid({ decider, type, data }: Ask): void {
  const schema = decider.commands[type]
  if (schema === undefined) throw new AssertionError({ message: `${decider.category} does not decide ${type}.` })
  assertEqual(data, parsed(schema, data, type), `${type} as its schema has it`)
}

/** Asks with the category in place of the decider, so that a difference can be read. */
export function readable(asks: readonly Ask[]) {
  return asks.map(({ decider, ...rest }) => ({ of: decider.category, ...rest }))
}
