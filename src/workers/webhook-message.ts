import type { RecordedEvent } from '../engine/event-store.ts'
import type { EventDefinition } from '../engine/events.ts'
import { replacePersonal } from '../engine/personal-data.ts'
import { idOf } from '../engine/streams.ts'

/**
 * What a receiver is sent of an event: Standard Webhooks' `type`, `timestamp` and `data`, and beside them what it takes to put events
 * in order, to know one that comes twice, and to read one's writes.
 * @param event in its present version
 * @param positionToken as queries take it in `Daybook-Position`
 * @returns JSON, without personal data: that is null
 */
export function eventMessage(event: RecordedEvent, { schema }: EventDefinition, positionToken: string): string {
  const { id, type, stream, revision, metadata } = event
  return JSON.stringify({
    type,
    timestamp: metadata.occurredAt,
    data: replacePersonal(schema, event.data, () => null),
    event: {
      id,
      stream,
      subject: idOf(stream),
      revision,
      position: positionToken,
      version: metadata.version,
      recordedAt: metadata.recordedAt,
      correlationId: metadata.correlationId,
    },
  })
}

/** What a receiver is sent as a test. @param at ISO 8601 */
export function testMessage(webhookId: string, at: string): string {
  return JSON.stringify({ type: 'webhook.test', timestamp: at, data: { webhookId } })
}
