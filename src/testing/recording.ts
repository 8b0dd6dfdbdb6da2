import type { Metadata } from '../engine/event-store.ts'
import type { DomainEvent, EventDefinitions, Recorded } from '../engine/events.ts'
import { streamName } from '../engine/streams.ts'
import { definitionOf, parsedEvent } from './sealing.ts'

/** How the events of a test would be in a log. */

/** ISO 8601: when the first event of a test happened and a command is decided, where a test says nothing else. */
export const firstInstant = '2026-01-15T09:30:00.000Z'

/** @returns ISO 8601: so many minutes after `firstInstant` */
export function minutesLater(minutes: number): string {
  return Temporal.Instant.from(firstInstant).add({ minutes }).toString({ smallestUnit: 'millisecond' })
}

/** What is around an event. */
export interface Circumstances {
  /** Whose the personal data is; the id of the stream by default. */
  readonly person?: string
  /** ISO 8601; by default the first event is of `firstInstant`, and each is a minute after the one before. */
  readonly occurredAt?: string
  /** ISO 8601; by default as `occurredAt` by default. */
  readonly recordedAt?: string
  readonly actor?: Metadata['actor']
  readonly imported?: true
}

/** An event before it is in a log. */
export interface Happening extends DomainEvent {
  readonly definitions: EventDefinitions
  /** Id of its aggregate. */
  readonly id: string
  readonly circumstances: Circumstances
}

/**
 * An event as a log holds it, in its present version.
 * @param happening with personal values sealed
 * @param index its number in the log, from 0
 * @param revision its number in its stream, from 0
 * @throws Error for an event that the aggregate does not define
 */
export function inLog(happening: Happening, index: number, revision: number): Recorded {
  const { definitions, id, type, data, circumstances } = happening
  const time = minutesLater(index)
  const { occurredAt = time, recordedAt = time, actor = { kind: 'system', id: 'test' }, imported } = circumstances
  return {
    position: 10 + 3 * index,
    stream: streamName(definitions.category, id),
    revision,
    id: `event-${index}`,
    type,
    data,
    metadata: {
      commandId: `command-${index}`,
      correlationId: `correlation-${index}`,
      actor,
      version: definitionOf(definitions, type).version,
      recordedAt,
      occurredAt,
      ...(imported && { imported }),
    },
  }
}

/**
 * An event as it is read from the log, of `firstInstant`: the only one there.
 * @param definitions the events of its aggregate
 * @param id of its aggregate
 * @param event with personal values in the clear, or sealed already
 * @throws AssertionError for what its schema refuses, Error for an event that the aggregate does not define
 */
export function recorded(definitions: EventDefinitions, id: string, event: DomainEvent): Recorded {
  return inLog({ ...parsedEvent(definitions, event), definitions, id, circumstances: {} }, 0, 0)
}
