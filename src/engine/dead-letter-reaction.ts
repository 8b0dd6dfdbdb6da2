import { deadLetterEvents } from './dead-letter.ts'
import type { EventStore, RecordedEvent } from './event-store.ts'
import type { ProcessManager } from './process-manager.ts'
import { derivedId, streamName } from './streams.ts'

/** Which reaction a dead letter stands for. */

/** The id of the dead letter of a reaction: the same however often it fails, and in every log. */
export function letterIdOf({ id }: Pick<RecordedEvent, 'id'>, { name }: Pick<ProcessManager, 'name'>): string {
  return derivedId(id, name)
}

const Retried = deadLetterEvents.schemas.DeadLetterRetried

/**
 * The event that a process manager is to react to again. A letter may come from another log, in which its event had
 * another position; older ones say nothing but that position, so that their event may have to be searched for.
 * @param retried a `DeadLetterRetried`
 * @returns undefined for a letter of a job, or of another process manager
 */
export async function reactionOf(
  store: Pick<EventStore, 'eventAt' | 'readStream' | 'readAll'>,
  manager: Pick<ProcessManager, 'name' | 'types'>,
  retried: Pick<RecordedEvent, 'stream' | 'data'>,
): Promise<RecordedEvent | undefined> {
  const { source, name, position, event: place } = Retried.parse(retried.data)
  if (source !== 'reaction' || name !== manager.name) return undefined
  const isMeant = (event: RecordedEvent | undefined) =>
    event !== undefined && retried.stream === streamName(deadLetterEvents.category, letterIdOf(event, manager))
  if (place !== undefined) {
    for await (const [event] of store.readStream(place.stream, { fromRevision: place.revision })) {
      return isMeant(event) ? event : undefined
    }
  }
  const there = await store.eventAt(position)
  if (isMeant(there)) return there
  for await (const { events } of store.readAll({ after: 0, filter: { types: manager.types } })) {
    const found = events.find(isMeant)
    if (found) return found
  }
  return undefined
}
