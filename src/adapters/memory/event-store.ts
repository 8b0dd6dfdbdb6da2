import { checkAppend } from '../../engine/append-limits.ts'
import { ConflictError, UnavailableError } from '../../engine/errors.ts'
import { matches } from '../../engine/event-filter.ts'
import {
  type AppendResult,
  type Checkpoint,
  type EventBatch,
  type EventFilter,
  type EventStore,
  type NewEvent,
  noStream,
  type RecordedEvent,
} from '../../engine/event-store.ts'
import { firstIndex } from './sorted-list.ts'

/** Kept as JSON, so that readers get plain values of their own, as from any other store. */
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
/** Positions have gaps here as they have elsewhere, so that nobody learns to count on there being none. */
const positionStep = 3

/**
 * A log that lives as long as the process, for tests and simulations.
 * @param logId names the log; a random UUID if it is not given
 */
export function memoryEventStore(logId: string = crypto.randomUUID()): EventStore {
  const log: Stored[] = []
  const streams = new Map<string, Stored[]>()
  const checkpoints = new Map<string, { readonly checkpoint: Checkpoint; readonly fence: number }>()
  const wakers = new Set<() => void>()
  let closed = false

  function ensureOpen(): void {
    if (closed) throw new UnavailableError('log-closed', 'The event log is closed.')
  }

  function wakeAll(): void {
    for (const wake of wakers) wake()
  }

  function indexAfter(position: number): number {
    return firstIndex(log, (stored) => stored.position > position)
  }

  function batchAfter(position: number, filter: EventFilter | undefined, batchSize: number): EventBatch | undefined {
    const start = indexAfter(position)
    const examined = log.slice(start, start + batchSize)
    const last = examined.at(-1)
    if (last === undefined) return undefined
    return {
      events: examined.filter((stored) => matches(filter, stored)).map(recorded),
      position: last.position,
      eventId: last.id,
      caughtUp: last === log.at(-1),
    }
  }

  return {
    logId,
    soleWriter: true,

    async append(stream, expectedRevision, events) {
      ensureOpen()
      checkAppend(stream, expectedRevision, events)
      const before = streams.get(stream) ?? []
      if (before.length - 1 !== expectedRevision) return firstResult(stream, expectedRevision, events, before)
      const written = events.map(({ id, type, dataJson, metadataJson }, index) => {
        const position = (log.length + index + 1) * positionStep
        return { position, stream, revision: before.length + index, id, type, dataJson, metadataJson }
      })
      for (const stored of written) {
        log.push(stored)
        before.push(stored)
      }
      streams.set(stream, before)
      wakeAll()
      return resultOf(written)
    },

    async *readStream(stream, { fromRevision = 0 } = {}) {
      for (let from = fromRevision; ; from += defaultBatchSize) {
        ensureOpen()
        const batch = streams.get(stream)?.slice(from, from + defaultBatchSize) ?? []
        if (batch.length > 0) yield batch.map(recorded)
        if (batch.length < defaultBatchSize) return
      }
    },

    async *readAll({ after, filter, batchSize = defaultBatchSize, signal }) {
      for (let position = after; !signal?.aborted; ) {
        ensureOpen()
        const batch = batchAfter(position, filter, batchSize)
        if (batch === undefined) return
        yield batch
        position = batch.position
      }
    },

    async *subscribe({ after, filter, batchSize = defaultBatchSize, signal }) {
      let wake = () => {}
      const woken = () => wake()
      wakers.add(woken)
      signal.addEventListener('abort', woken)
      try {
        for (let position = after; !signal.aborted; ) {
          ensureOpen()
          const batch = batchAfter(position, filter, batchSize)
          if (batch === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          } else {
            yield batch
            position = batch.position
          }
        }
      } finally {
        wakers.delete(woken)
        signal.removeEventListener('abort', woken)
      }
    },

    async head() {
      ensureOpen()
      const last = log.at(-1)
      return { logId, position: last?.position ?? 0, eventId: last?.id ?? '' }
    },

    async eventAt(position) {
      ensureOpen()
      const found = log[indexAfter(position - 1)]
      return found?.position === position ? recorded(found) : undefined
    },

    async loadCheckpoint(name) {
      ensureOpen()
      return checkpoints.get(name)?.checkpoint
    },

    async saveCheckpoint(name, checkpoint, fence = 0) {
      ensureOpen()
      if (fence < (checkpoints.get(name)?.fence ?? 0)) return
      checkpoints.set(name, { checkpoint: { ...checkpoint }, fence })
    },

    async close() {
      closed = true
      wakeAll()
    },
  }
}

function recorded({ dataJson, metadataJson, ...stored }: Stored): RecordedEvent {
  return { ...stored, data: JSON.parse(dataJson), metadata: JSON.parse(metadataJson) }
}

function resultOf(written: readonly Stored[]): AppendResult {
  return { revision: written.at(-1)?.revision ?? noStream, positions: written.map(({ position }) => position) }
}

/** @throws ConflictError unless just these events are at that place */
function firstResult(
  stream: string,
  expectedRevision: number,
  events: readonly NewEvent[],
  before: readonly Stored[],
): AppendResult {
  const there = before.slice(expectedRevision + 1, expectedRevision + 1 + events.length)
  const same = there.length === events.length && there.every(({ id }, index) => id === events[index]?.id)
  if (!same) throw new ConflictError(stream, expectedRevision, before.length - 1)
  return resultOf(there)
}
