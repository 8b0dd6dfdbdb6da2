import { existsSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { UnavailableError } from '../../engine/errors.ts'
import { matches } from '../../engine/event-filter.ts'
import type { Checkpoint, EventBatch, EventFilter, RecordedEvent } from '../../engine/event-store.ts'
import { number, text } from './database.ts'
import { checkLayout, checksum, corruptLog, logError } from './log-layout.ts'

/** Reads the log by a connection of its own, each time for a few milliseconds at most. */
export interface LogReader {
  readonly logId: string
  /** A stream's next events from a revision on. */
  streamBatch(stream: string, fromRevision: number): StreamBatch
  /** The log's next events behind a position, undefined when there are none. Every row that is examined is verified. */
  batch(after: number, filter: EventFilter | undefined, batchSize: number): EventBatch | undefined
  head(): Checkpoint
  eventAt(position: number): RecordedEvent | undefined
  checkpoint(name: string): Checkpoint | undefined
  close(): void
}

export interface StreamBatch {
  readonly events: readonly RecordedEvent[]
  /** True when the stream had no more events. */
  readonly atEnd: boolean
}

/** A row whose checksum is right, its JSON not yet parsed. */
interface Stored {
  readonly position: number
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: string
  readonly metadata: string
}

const busyTimeoutMs = 1_000
/** Rows that are read at once, which is faster than one by one; a batch may exceed its bytes by so many events. */
const pageRows = 64
const maxBatchBytes = 4 * 1024 * 1024
const maxExaminedRows = 2_000
const streamBatchSize = 500

const columns = 'position, name, revision, events.id, type, data, metadata, checksum'
const eventsOfStreams = `SELECT ${columns} FROM events JOIN streams ON streams.id = events.stream`

/**
 * Opens a log that `prepareLog` has seen.
 * @throws CorruptLogError, NewerVersionError, UnavailableError when it can't be read
 */
export function openLogReader(file: string): LogReader {
  if (!existsSync(file)) throw new UnavailableError('log-unavailable', `There is no event log ${file}.`)
  const database = guarded(() => new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs }))

  function guarded<Result>(run: () => Result): Result {
    try {
      return run()
    } catch (error) {
      throw logError(file, error)
    }
  }

  /** Runs one of the functions below, and says in the port's words what went wrong. */
  function reading<Result>(run: () => Result): Result {
    if (!database.isOpen) throw new UnavailableError('log-closed', 'The event log is closed.')
    return guarded(run)
  }

  function prepare(sql: string): StatementSync {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }

  /** @param place what is known of where the row is, for its error */
  function stored(row: unknown, place: string): Stored {
    if (!Array.isArray(row)) throw corruptLog(file, `there is no row at ${place}`)
    const [position, stream, revision, id, type, data, metadata, sum]: unknown[] = row
    if (
      typeof position !== 'number' ||
      typeof stream !== 'string' ||
      typeof revision !== 'number' ||
      typeof id !== 'string' ||
      typeof type !== 'string' ||
      typeof data !== 'string' ||
      typeof metadata !== 'string' ||
      sum !== checksum(position, stream, revision, id, type, data, metadata)
    ) {
      throw corruptLog(file, `the checksum of the event at ${place} is wrong`)
    }
    return { position, stream, revision, id, type, data, metadata }
  }

  function parsed({ position, stream, revision, id, type, data, metadata }: Stored): RecordedEvent {
    try {
      return { position, stream, revision, id, type, data: JSON.parse(data), metadata: JSON.parse(metadata) }
    } catch (error) {
      throw corruptLog(file, `the event at position ${position} is no JSON`, error)
    }
  }

  function open() {
    checkLayout(file, database)
    return {
      logId: text(database.prepare('SELECT log_id FROM meta').get()?.log_id),
      pageAfter: prepare(`${eventsOfStreams} WHERE position > ? ORDER BY position LIMIT ${pageRows}`),
      pageOfStream: prepare(
        `${eventsOfStreams} WHERE stream = (SELECT id FROM streams WHERE name = ?) AND revision >= ? ORDER BY revision LIMIT ${pageRows}`,
      ),
      at: prepare(`${eventsOfStreams} WHERE position = ?`),
      last: database.prepare('SELECT position, id FROM events ORDER BY position DESC LIMIT 1'),
      checkpoint: database.prepare('SELECT log_id, position, event_id FROM checkpoints WHERE name = ?'),
    }
  }

  function lastPosition(): number {
    const row = statements.last.get()
    return row === undefined ? 0 : number(row.position)
  }

  function eventAt(position: number): RecordedEvent | undefined {
    const row = statements.at.get(position)
    return row === undefined ? undefined : parsed(stored(row, `position ${position}`))
  }

  const statements = guarded(() => {
    try {
      return open()
    } catch (error) {
      database.close()
      throw error
    }
  })
  const { logId } = statements

  return {
    logId,

    streamBatch: (stream, fromRevision) =>
      reading(() => {
        const events: RecordedEvent[] = []
        let bytes = 0
        let atEnd = false
        for (let next = fromRevision; !atEnd && events.length < streamBatchSize && bytes < maxBatchBytes; ) {
          const page = statements.pageOfStream.all(stream, next)
          for (const row of page) {
            const found = stored(row, `revision ${next} of stream ${stream}`)
            if (found.revision !== next) throw corruptLog(file, `stream ${stream} has no revision ${next}`)
            events.push(parsed(found))
            bytes += found.data.length + found.metadata.length
            next++
          }
          atEnd = page.length < pageRows
        }
        return { events, atEnd }
      }),

    batch: (after, filter, batchSize) =>
      reading(() => {
        const events: RecordedEvent[] = []
        let [position, eventId] = [after, '']
        let bytes = 0
        let atEnd = false
        while (!atEnd && events.length < batchSize && bytes < maxBatchBytes && position - after < maxExaminedRows) {
          const page = statements.pageAfter.all(position)
          for (const row of page) {
            const found = stored(row, `position ${position + 1}`)
            if (found.position !== position + 1) throw corruptLog(file, `there is no event at position ${position + 1}`)
            position = found.position
            eventId = found.id
            bytes += found.data.length + found.metadata.length
            if (matches(filter, found) && events.push(parsed(found)) === batchSize) break
          }
          atEnd = page.length < pageRows
        }
        if (position === after) return undefined
        return { events, position, eventId, caughtUp: position >= lastPosition() }
      }),

    head: () =>
      reading(() => {
        const row = statements.last.get()
        if (row === undefined) return { logId, position: 0, eventId: '' }
        return { logId, position: number(row.position), eventId: text(row.id) }
      }),

    eventAt: (position) => reading(() => eventAt(position)),

    checkpoint: (name) =>
      reading(() => {
        const row = statements.checkpoint.get(name)
        if (row === undefined) return undefined
        return { logId: text(row.log_id), position: number(row.position), eventId: text(row.event_id) }
      }),

    close: () => database.close(),
  }
}
