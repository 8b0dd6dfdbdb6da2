import { expect } from 'vitest'
import type { Ask } from '../../src/engine/command.ts'
import type { DomainEvent, Recorded } from '../../src/engine/events.ts'
import type { ProcessManager } from '../../src/engine/process-manager.ts'
import { idOf, streamName } from '../../src/engine/streams.ts'

export const recordedAt = '2026-01-15T09:30:00.000Z'

/** An event as it is read from the log. */
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
 * The grammar of a process manager's tests: `given(...events).when(event).then(...commands)`.
 * @param processId id of the aggregate that the process runs for, whose events are given
 */
export function reactionsOf(manager: ProcessManager, processId: string) {
  return {
    given: (...events: readonly DomainEvent[]) => ({
      /** Something that happens to the aggregate itself (it then stands as after it), or to another. */
      when(event: DomainEvent, category = manager.decider.category, id = processId) {
        const happened = recorded(category, id, event)
        const isOwn = category === manager.decider.category && idOf(happened.stream) === processId
        const all = isOwn ? [...events, event] : events
        const state = all.reduce(manager.decider.evolve, manager.decider.initial)
        return {
          then(...asks: readonly Ask[]): void {
            expect(manager.types, 'types that it is told of').toContain(event.type)
            expect(manager.route(happened), 'whose process it is').toBe(processId)
            expect(readable(manager.react(happened, state))).toStrictEqual(readable(asks))
          },
        }
      },
    }),
  }
}

/** Asks with the category in place of the decider, so that a difference can be read. */
export function readable(asks: readonly Ask[]) {
  return asks.map(({ decider, ...rest }) => ({ of: decider.category, ...rest }))
}
