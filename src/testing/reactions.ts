import { AssertionError } from 'node:assert/strict'
import type { Ask } from '../engine/command.ts'
import type { DomainEvent, Recorded } from '../engine/events.ts'
import type { ProcessManager } from '../engine/process-manager.ts'
import { idOf, streamName } from '../engine/streams.ts'
import { assertEqual } from './difference.ts'
import { deepFreeze, parsed } from './sealing.ts'

/** When `recorded` events happened. */
export const recordedAt = '2026-01-15T09:30:00.000Z'

/**
 * An event as it is read from the log.
 * @param category of its aggregate
 * @param id of its aggregate
 */
export function recorded(category: string, id: string, { type, data }: DomainEvent): Recorded {
  return {
    position: 1,
    stream: streamName(category, id),
    revision: 0,
    id: `event-${type}`,
    type,
    data,
    metadata: {
      commandId: 'command-1',
      correlationId: 'correlation-1',
      actor: { kind: 'system', id: 'test' },
      version: 1,
      recordedAt,
      occurredAt: recordedAt,
    },
  }
}

/**
 * The grammar of a process manager's tests: `given(...events).when(event).then(...commands)`. Every test is also one of
 * purity (the event comes twice, and is asked the same for), and of the commands' schemas.
 * @param processId id of the aggregate that the process runs for, whose events are given
 */
export function reactionsOf(manager: ProcessManager, processId: string) {
  return {
    given: (...events: readonly DomainEvent[]) => ({
      /** Something that happens to the aggregate itself (it then stands as after it), or to another. */
      when(event: DomainEvent, category = manager.decider.category, id = processId) {
        const happened = deepFreeze(recorded(category, id, event))
        const isOwn = category === manager.decider.category && idOf(happened.stream) === processId
        const all = isOwn ? [...events, event] : events
        const state = deepFreeze(all.reduce(manager.decider.evolve, manager.decider.initial))
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
