import type { EventFilter, RecordedEvent } from './event-store.ts'
import { categoryOf } from './streams.ts'

/** Whether an event is among those that a reader asked for; without a filter each is. */
export function matches(
  filter: EventFilter | undefined,
  { type, stream }: Pick<RecordedEvent, 'type' | 'stream'>,
): boolean {
  if (filter === undefined) return true
  if (filter.types !== undefined && !filter.types.has(type)) return false
  if (filter.exceptTypes?.has(type)) return false
  return filter.categories === undefined || filter.categories.has(categoryOf(stream))
}
