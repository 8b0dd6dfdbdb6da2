import { randomUUID } from 'node:crypto'
import { byteSize } from '../../src/engine/command.ts'
import type { EventData, Metadata, NewEvent } from '../../src/engine/event-store.ts'

interface Given {
  readonly id?: string
  readonly type?: string
  readonly data?: EventData
  readonly metadata?: Partial<Metadata>
}

/** Makes an event to append; what is not given is plausible. */
export function newEvent({
  id = randomUUID(),
  type = 'ItemAdded',
  data = { quantity: 1 },
  ...given
}: Given = {}): NewEvent {
  const metadata: Metadata = {
    commandId: randomUUID(),
    correlationId: randomUUID(),
    actor: { kind: 'staff', id: 'ada' },
    version: 1,
    recordedAt: '2026-01-02T03:04:05.678Z',
    occurredAt: '2026-01-02T03:04:05.678Z',
    ...given.metadata,
  }
  return { id, type, data, metadata, dataJson: JSON.stringify(data), metadataJson: JSON.stringify(metadata) }
}

/** Makes several events, numbered in their data. */
export function newEvents(count: number, given: Given = {}): readonly NewEvent[] {
  return Array.from({ length: count }, (_, number) => newEvent({ data: { number }, ...given }))
}

/** Makes an event that takes exactly so many bytes of an append. */
export function eventOfBytes(bytes: number): NewEvent {
  const empty = newEvent({ data: { text: '' } })
  const text = 'x'.repeat(bytes - byteSize([empty]))
  return newEvent({ id: empty.id, data: { text }, metadata: empty.metadata })
}
