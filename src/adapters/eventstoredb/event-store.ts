import { checkAppend } from '../../engine/append-limits.ts'
import { type Clock, inTime } from '../../engine/clock.ts'
import type { AppendResult, EventStore, NewEvent, RecordedEvent } from '../../engine/event-store.ts'
import { type Appender, appender } from './appender.ts'
import { type Checkpoints, checkpointsIn } from './checkpoints.ts'
import { type Connection, connect } from './connection.ts'
import { deletedStream, inDoubt, refuseClosed } from './failures.ts'
import { logIdOf } from './log-id.ts'
import { placesIn } from './places.ts'
import type { StoredEvent } from './read-answer.ts'
import { streamRequest } from './read-request.ts'
import { openReader, type Reader } from './reader.ts'
import { follow, type ScanOptions, scan } from './scan.ts'
import { proposals, recorded } from './stored-event.ts'

export interface EventStoreDbOptions {
  /** A connection string, `esdb://user:password@host:2113`; it also says whether and how TLS is used. */
  readonly url: string
  readonly clock: Clock
  /** How long an append waits for its answer before it is in doubt. */
  readonly appendTimeoutMs?: number
  /** How long the server may be silent in the midst of a read. */
  readonly readTimeoutMs?: number
  /** How long the first answer of a server that is being started is waited for. */
  readonly openTimeoutMs?: number
  /** How long appends under way may take as the store closes. */
  readonly closeTimeoutMs?: number
  /** What may wait for answers; beyond it an append is refused. */
  readonly maxAppendsUnderWay?: number
  readonly maxBytesUnderWay?: number
  /** A process manager's checkpoint is saved no more often. */
  readonly checkpointEveryMs?: number
  /** Told of what went wrong in the background, and is tried again. */
  readonly onFailure?: (error: unknown) => void
}

const mebibyte = 1024 * 1024
const defaultBatchSize = 500
const streamBatchSize = 500

/**
 * Opens the log in EventStoreDB, which other processes may use too.
 * @throws UnavailableError when the server does not answer in time, or refuses
 * @throws NewerVersionError when a newer Daybook wrote the log
 */
export async function openEventStoreDbStore(options: EventStoreDbOptions): Promise<EventStore> {
  const { url, clock, readTimeoutMs = 10_000, openTimeoutMs = 30_000 } = options
  const connection = connect(url, clock)
  const reader = openReader(connection, clock)
  const appends = appender({
    connection,
    clock,
    appendTimeoutMs: options.appendTimeoutMs ?? 10_000,
    maxAppendsUnderWay: options.maxAppendsUnderWay ?? 20_000,
    maxBytesUnderWay: options.maxBytesUnderWay ?? 64 * mebibyte,
  })
  try {
    const logId = await logIdOf(reader, appends, { clock, readTimeoutMs, timeoutMs: openTimeoutMs })
    return eventStore({ ...options, readTimeoutMs }, { logId, connection, reader, appends })
  } catch (error) {
    await connection.close(0)
    throw error
  }
}

interface Parts {
  readonly logId: string
  readonly connection: Connection
  readonly reader: Reader
  readonly appends: Appender
}

function eventStore(
  options: EventStoreDbOptions & { readonly readTimeoutMs: number },
  { logId, connection, reader, appends }: Parts,
): EventStore {
  const { clock, readTimeoutMs, closeTimeoutMs = 10_000, onFailure = () => {} } = options
  const places = placesIn(reader, readTimeoutMs)
  const checkpoints: Checkpoints = checkpointsIn({
    reader,
    appender: appends,
    clock,
    readTimeoutMs,
    saveEveryMs: options.checkpointEveryMs ?? 250,
    onFailure,
  })
  const underWay = new Set<Promise<unknown>>()
  let newestKnown = 0
  let closing: Promise<void> | undefined
  const scanning: ScanOptions = { reader, places, clock, readTimeoutMs, onFailure, newestKnown: () => newestKnown }

  function ensureOpen(): void {
    if (closing !== undefined) refuseClosed()
  }

  async function* storedEvents(stream: string, from: number, maxCount?: number): AsyncGenerator<StoredEvent> {
    const messages = await reader.read(streamRequest(stream, from, maxCount))
    try {
      for (;;) {
        const answer = messages.take()
        if (answer?.kind === 'event') yield answer.event
        else if (answer === undefined && !(await messages.more(readTimeoutMs))) return
      }
    } finally {
      messages.close(maxCount !== undefined)
    }
  }

  async function append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<AppendResult> {
    const proposed = proposals(stream, expectedRevision + 1, events)
    const { revision, position } = await appends.append({ stream, expectedRevision, events: proposed })
    const isOne = events.length === 1 && revision === expectedRevision + 1
    const positions =
      isOne && position !== undefined ? [position] : await positionsOf(stream, expectedRevision + 1, events)
    newestKnown = Math.max(newestKnown, positions.at(-1) ?? 0)
    return { revision: expectedRevision + events.length, positions }
  }

  /** The server says only where the last event of an append is. @throws InDoubtError when the others can't be read */
  async function positionsOf(stream: string, from: number, events: readonly NewEvent[]): Promise<readonly number[]> {
    const positions: number[] = []
    try {
      for await (const stored of storedEvents(stream, from, events.length)) {
        const isThere = stored.revision === from + positions.length
        if (!isThere || stored.id !== events[positions.length]?.id) break
        positions.push(stored.position)
      }
    } catch (error) {
      throw inDoubt(error)
    }
    if (positions.length < events.length) throw deletedStream(stream)
    return positions
  }

  async function close(): Promise<void> {
    const finished = Promise.allSettled(underWay).then(() => checkpoints.flush())
    await inTime(clock, closeTimeoutMs, finished)
    reader.close()
    await connection.close(closeTimeoutMs)
  }

  return {
    logId,
    soleWriter: false,

    async append(stream, expectedRevision, events) {
      ensureOpen()
      checkAppend(stream, expectedRevision, events)
      if (stream.startsWith('$'))
        throw new RangeError(`A stream can't be ${stream}: EventStoreDB needs such names itself`)
      const appended = append(stream, expectedRevision, events)
      underWay.add(appended)
      return appended.finally(() => underWay.delete(appended))
    },

    async *readStream(stream, { fromRevision = 0 } = {}) {
      ensureOpen()
      let batch: RecordedEvent[] = []
      let next = fromRevision
      for await (const stored of storedEvents(stream, fromRevision)) {
        if (stored.revision !== next++) throw deletedStream(stream)
        batch.push(recorded(stored))
        if (batch.length < streamBatchSize) continue
        yield batch
        batch = []
      }
      if (batch.length > 0) yield batch
    },

    async *readAll({ after, filter, batchSize = defaultBatchSize, signal }) {
      ensureOpen()
      yield* scan(scanning, { after, filter, batchSize, signal })
    },

    async *subscribe({ after, filter, batchSize = defaultBatchSize, signal }) {
      ensureOpen()
      yield* follow(scanning, { after, filter, batchSize, signal })
    },

    async head() {
      ensureOpen()
      return { logId, ...(await places.head()) }
    },

    async eventAt(position) {
      ensureOpen()
      return places.eventAt(position)
    },

    async loadCheckpoint(name) {
      ensureOpen()
      return checkpoints.load(name)
    },

    async saveCheckpoint(name, checkpoint, fence = 0) {
      ensureOpen()
      checkpoints.save(name, checkpoint, fence)
    },

    backlog: appends.backlog,

    close() {
      closing ??= close()
      return closing
    },
  }
}
