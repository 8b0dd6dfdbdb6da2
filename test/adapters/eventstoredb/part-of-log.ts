import { randomUUID } from 'node:crypto'
import { ConflictError } from '../../../src/engine/errors.ts'
import type { EventBatch, EventStore, RecordedEvent } from '../../../src/engine/event-store.ts'

/** A part of a log that others have too: a store on it looks as if it had been empty. */
export interface PartOfLog {
  of(store: EventStore): EventStore
}

/** The part that begins where the log ends now. Its streams and checkpoints have names of their own; one may be in use at a time. */
export async function newPart(log: EventStore): Promise<PartOfLog> {
  const { position: base } = await log.head()
  const suffix = `~${randomUUID()}`
  // What is no name for a stream stays as it is, and is refused.
  const inner = (stream: string) => (/^[^-]+-./s.test(stream) && stream.isWellFormed() ? stream + suffix : stream)
  const event = (found: RecordedEvent) => ({ ...found, stream: found.stream.slice(0, -suffix.length) })
  const batch = (found: EventBatch) => ({ ...found, events: found.events.map(event) })

  return {
    of: (store) => ({
      ...store,
      async append(stream, expectedRevision, events) {
        try {
          return await store.append(inner(stream), expectedRevision, events)
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error
          throw new ConflictError(stream, error.expectedRevision, error.actualRevision)
        }
      },
      readStream: (stream, options) => mapped(store.readStream(inner(stream), options), (found) => found.map(event)),
      readAll: (asked) => mapped(store.readAll({ ...asked, after: Math.max(asked.after, base) }), batch),
      subscribe: (asked) => mapped(store.subscribe({ ...asked, after: Math.max(asked.after, base) }), batch),
      async head() {
        const head = await store.head()
        return head.position <= base ? { logId: store.logId, position: 0, eventId: '' } : head
      },
      async eventAt(position) {
        const found = await store.eventAt(position)
        return found && position > base ? event(found) : undefined
      },
      loadCheckpoint: (name) => store.loadCheckpoint(name + suffix),
      saveCheckpoint: (name, checkpoint, fence) => store.saveCheckpoint(name + suffix, checkpoint, fence),
    }),
  }
}

async function* mapped<Found, Shown>(all: AsyncIterable<Found>, shown: (found: Found) => Shown): AsyncGenerator<Shown> {
  for await (const found of all) yield shown(found)
}
