import { randomUUID } from 'node:crypto'
import { byteSize } from '../../engine/command.ts'
import { ConflictError } from '../../engine/errors.ts'
import {
  type AppendResult,
  type Checkpoint,
  type EventBatch,
  type EventFilter,
  type EventStore,
  maxAppendBytes,
  type NewEvent,
  noStream,
  type RecordedEvent,
} from '../../engine/event-store.ts'
import { categoryOf } from '../../engine/streams.ts'

/** An event as it is kept: its content as text, so that every reader gets plain values of its own. */
interface Stored {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly dataJson: string
  readonly metadataJson: string
}

const defaultBatchSize = 500

function read({ dataJson, metadataJson, ...event }: Stored): RecordedEvent {
  return { ...event, data: JSON.parse(dataJson), metadata: JSON.parse(metadataJson) }
}

function matches(filter: EventFilter | undefined, { type, stream }: Stored): boolean {
  if (filter?.types && !filter.types.has(type)) return false
  return !filter?.categories || filter.categories.has(categoryOf(stream))
}

/** Keeps the log in memory, for tests and simulations. It is as durable as the process. */
export function memoryEventStore(): EventStore {
  const logId = randomUUID()
  const log: Stored[] = []
  const streams = new Map<string, Stored[]>()
  const checkpoints = new Map<string, Checkpoint>()
  const waiting = new Set<() => void>()
  let closed = false

  function assertOpen(): void {
    if (closed) throw new Error('The event store is closed')
  }

  function firstResult(
    known: readonly Stored[],
    expectedRevision: number,
    events: readonly NewEvent[],
  ): AppendResult | undefined {
    const there = known.slice(expectedRevision + 1, expectedRevision + 1 + events.length)
    if (there.length !== events.length || there.some(({ id }, index) => id !== events[index]?.id)) return undefined
    return { revision: expectedRevision + events.length, positions: there.map(({ position }) => position) }
  }

  function batchAfter(after: number, filter: EventFilter | undefined, batchSize: number): EventBatch | undefined {
    // Positions are 1, 2, 3 and so on here, so an event's index is its position less one.
    const examined = log.slice(after, after + batchSize)
    const last = examined.at(-1)
    if (!last) return undefined
    const events = examined.filter((stored) => matches(filter, stored)).map(read)
    return { events, position: last.position, eventId: last.id, caughtUp: last.position === log.length }
  }

  return {
    logId,
    soleWriter: true,

    async append(stream, expectedRevision, events) {
      assertOpen()
      if (events.length === 0) throw new RangeError('There is nothing to append')
      if (byteSize(events) > maxAppendBytes) throw new RangeError(`An append has at most ${maxAppendBytes} bytes`)
      const known = streams.get(stream) ?? []
      const actualRevision = known.length + noStream
      if (actualRevision !== expectedRevision) {
        const first = firstResult(known, expectedRevision, events)
        if (first) return first
        throw new ConflictError(stream, expectedRevision, actualRevision)
      }
      const stored = events.map(({ id, type, dataJson, metadataJson }, index) => ({
        position: log.length + 1 + index,
        stream,
        revision: expectedRevision + 1 + index,
        id,
        type,
        dataJson,
        metadataJson,
      }))
      log.push(...stored)
      known.push(...stored)
      streams.set(stream, known)
      for (const wake of waiting) wake()
      return { revision: expectedRevision + events.length, positions: stored.map(({ position }) => position) }
    },

    async *readStream(stream, { fromRevision = 0 } = {}) {
      assertOpen()
      for (let next = fromRevision; ; next += defaultBatchSize) {
        const batch = (streams.get(stream) ?? []).slice(next, next + defaultBatchSize)
        if (batch.length > 0) yield batch.map(read)
        if (batch.length < defaultBatchSize) return
      }
    },

    async *readAll({ after, filter, batchSize = defaultBatchSize }) {
      assertOpen()
      for (
        let batch = batchAfter(after, filter, batchSize);
        batch;
        batch = batchAfter(batch.position, filter, batchSize)
      ) {
        yield batch
      }
    },

    async *subscribe({ after, filter, batchSize = defaultBatchSize, signal }) {
      assertOpen()
      let position = after
      while (!signal.aborted && !closed) {
        const batch = batchAfter(position, filter, batchSize)
        if (batch) {
          position = batch.position
          yield batch
          continue
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            signal.removeEventListener('abort', wake)
            resolve()
          }
          waiting.add(wake)
          signal.addEventListener('abort', wake)
        })
      }
    },

    async head() {
      return { logId, position: log.length, eventId: log.at(-1)?.id ?? '' }
    },
    async eventAt(position) {
      const stored = log[position - 1]
      return stored && read(stored)
    },
    async loadCheckpoint(name) {
      return checkpoints.get(name)
    },
    async saveCheckpoint(name, checkpoint) {
      assertOpen()
      checkpoints.set(name, checkpoint)
    },
    async close() {
      closed = true
      for (const wake of waiting) wake()
    },
  }
}
