import { DatabaseSync } from 'node:sqlite'
import type { RecordedEvent } from '../../engine/event-store.ts'
import { text } from './database.ts'
import { checkLayout, corruptLog } from './log-layout.ts'
import { openLogReader } from './log-reader.ts'

/** What a log is that was read from its beginning to its end. */
export interface LogSummary {
  readonly id: string
  /** Of its last event. */
  readonly position: number
  readonly eventId: string
  readonly events: number
}

const batchSize = 1_000

const brokenStreams = `SELECT name FROM streams JOIN (
    SELECT stream, count(*) AS events, max(revision) AS last FROM events GROUP BY stream
  ) ON stream = streams.id WHERE events <> last + 1 LIMIT 1`
const strayCheckpoints = `SELECT name FROM checkpoints LEFT JOIN events ON events.position = checkpoints.position
  WHERE checkpoints.position > 0 AND (log_id <> (SELECT log_id FROM meta) OR events.id IS NOT event_id) LIMIT 1`

/**
 * Reads a log that nobody writes: every event has its checksum, every stream is whole, and process managers are at events
 * that the log holds.
 * @param onBatch told how far it is, how far it goes, and what it has read; what it throws ends this
 * @throws CorruptLogError when it is damaged
 * @throws NewerVersionError when a newer Daybook wrote it
 */
export function checkLog(
  file: string,
  onBatch: (position: number, head: number, events: readonly RecordedEvent[]) => void,
): LogSummary {
  const reader = openLogReader(file)
  try {
    const { position: head } = reader.head()
    let events = 0
    let [position, eventId] = [0, '']
    for (;;) {
      const batch = reader.batch(position, undefined, batchSize)
      if (batch === undefined) break
      events += batch.events.length
      position = batch.position
      eventId = batch.eventId
      onBatch(position, head, batch.events)
    }
    checkTables(file)
    return { id: reader.logId, position, eventId, events }
  } finally {
    reader.close()
  }
}

function checkTables(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    checkLayout(file, database)
    const stream = database.prepare(brokenStreams).get()
    if (stream !== undefined) throw corruptLog(file, `an event is missing from stream ${text(stream.name)}`)
    const checkpoint = database.prepare(strayCheckpoints).get()
    if (checkpoint !== undefined)
      throw corruptLog(file, `${text(checkpoint.name)} is at an event that the log does not hold`)
  } finally {
    database.close()
  }
}
