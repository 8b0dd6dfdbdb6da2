import { setImmediate as nextTurn } from 'node:timers/promises'
import { matches } from '../../engine/event-filter.ts'
import type { EventBatch, EventFilter, EventStore, RecordedEvent } from '../../engine/event-store.ts'
import { type GroupCommit, groupCommit, refuseClosed } from './group-commit.ts'
import { type LiveTail, liveTail } from './live-tail.ts'
import { prepareLog } from './log-layout.ts'
import { type LogReader, openLogReader } from './log-reader.ts'
import { startLogWriter } from './writer-thread.ts'

export interface SqliteEventStoreOptions {
  readonly file: string
  /** For other threads, while one writes: `append`, `saveCheckpoint` and `subscribe` throw. */
  readonly readOnly?: boolean
  /** What may wait to be written; beyond it an append is refused. */
  readonly maxQueuedAppends?: number
  readonly maxQueuedBytes?: number
  /** What is kept of the log's end for subscribers; who is further behind reads the file. */
  readonly maxLiveEvents?: number
  readonly maxLiveBytes?: number
  /** How long a write waits for another connection's before it is refused. */
  readonly busyTimeoutMs?: number
  /** Size of the write-ahead log at which readers are made to wait, once, so that it can begin anew. */
  readonly maxWalBytes?: number
  /** Checkpoints that no append takes along are written after this time. */
  readonly checkpointDelayMs?: number
  /** Starts what writes the file; a thread, if it is not given. */
  readonly startWriter?: typeof startLogWriter
}

const defaultBatchSize = 500
const mebibyte = 1024 * 1024

/**
 * Opens a log in a file, and makes it if there is none. Only one process may have it open to write. Never open and
 * close the file by other means in this process: POSIX would drop SQLite's locks on it.
 * @throws CorruptLogError when it is damaged
 * @throws NewerVersionError when a newer Daybook wrote it
 */
export async function openSqliteEventStore(options: SqliteEventStoreOptions): Promise<EventStore> {
  const { file, readOnly = false, startWriter = startLogWriter } = options
  if (!readOnly) prepareLog(file)
  const reader = openLogReader(file)
  try {
    const { position } = reader.head()
    reader.eventAt(position)
    const tail = liveTail(position, options.maxLiveEvents ?? 10_000, options.maxLiveBytes ?? 16 * mebibyte)
    if (readOnly) return eventStore(reader, tail, undefined)
    const commits = groupCommit({
      file,
      writer: startWriter({
        file,
        busyTimeoutMs: options.busyTimeoutMs ?? 5_000,
        maxWalBytes: options.maxWalBytes ?? 64 * mebibyte,
      }),
      tail,
      maxQueuedAppends: options.maxQueuedAppends ?? 20_000,
      maxQueuedBytes: options.maxQueuedBytes ?? 64 * mebibyte,
      checkpointDelayMs: options.checkpointDelayMs ?? 1_000,
    })
    return eventStore(reader, tail, commits)
  } catch (error) {
    reader.close()
    throw error
  }
}

function eventStore(reader: LogReader, tail: LiveTail, commits: GroupCommit | undefined): EventStore {
  let closed = false

  function ensureOpen(): void {
    if (closed) refuseClosed()
  }

  function writable(): GroupCommit {
    ensureOpen()
    if (commits === undefined) throw new Error('The event log is open only to be read')
    return commits
  }

  function liveBatch(events: readonly RecordedEvent[], filter: EventFilter | undefined): EventBatch | undefined {
    const last = events.at(-1)
    if (last === undefined) return undefined
    return {
      events: filter === undefined ? events : events.filter((event) => matches(filter, event)),
      position: last.position,
      eventId: last.id,
      caughtUp: last.position === tail.head(),
    }
  }

  return {
    logId: reader.logId,
    soleWriter: commits !== undefined,

    async append(stream, expectedRevision, events) {
      return writable().append(stream, expectedRevision, events)
    },

    async *readStream(stream, { fromRevision = 0 } = {}) {
      for (let next = fromRevision; ; await nextTurn()) {
        ensureOpen()
        const { events, atEnd } = reader.streamBatch(stream, next)
        if (events.length > 0) yield events
        if (atEnd) return
        next += events.length
      }
    },

    async *readAll({ after, filter, batchSize = defaultBatchSize, signal }) {
      for (let position = after; !signal?.aborted; await nextTurn()) {
        ensureOpen()
        const batch = reader.batch(position, filter, batchSize)
        if (batch === undefined) return
        yield batch
        position = batch.position
      }
    },

    async *subscribe({ after, filter, batchSize = defaultBatchSize, signal }) {
      writable()
      let wake = () => {}
      const woken = () => wake()
      const stopWaking = tail.onWake(woken)
      signal.addEventListener('abort', woken)
      try {
        for (let position = after; !signal.aborted; ) {
          ensureOpen()
          const live = tail.after(position, batchSize)
          const batch = live === undefined ? reader.batch(position, filter, batchSize) : liveBatch(live, filter)
          if (batch === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
            continue
          }
          yield batch
          position = batch.position
          await nextTurn() // also from memory: who is far behind must not keep all others waiting
        }
      } finally {
        stopWaking()
        signal.removeEventListener('abort', woken)
      }
    },

    async head() {
      return reader.head()
    },

    async eventAt(position) {
      return reader.eventAt(position)
    },

    async loadCheckpoint(name) {
      ensureOpen()
      return commits?.checkpoint(name) ?? reader.checkpoint(name)
    },

    async saveCheckpoint(name, checkpoint, fence) {
      writable().saveCheckpoint(name, checkpoint, fence)
    },

    ...(commits && { backlog: commits.backlog }),

    async close() {
      if (!closed) reader.close() // before the writer, which as the last connection puts the write-ahead log away
      closed = true
      tail.wake()
      await commits?.close()
    },
  }
}
