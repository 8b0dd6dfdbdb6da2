import type { EventSender } from './event-sender.ts'
import { CallFailure } from './grpc-server.ts'
import type { EventLog } from './log.ts'
import { streamNotFound } from './read-answer.ts'
import type { ReadRequest } from './read-request.ts'
import { noRecordThere, streamDeleted } from './status.ts'

/** Sends the events of a stream between its first one that may be read and its last, and ends. */
export async function readStream(
  log: EventLog,
  name: string,
  { from, direction, maxCount = 0 }: ReadRequest,
  sender: EventSender,
  nowMs: () => number,
): Promise<void> {
  const stream = log.stream(name)
  if (stream?.isTombstoned) throw new CallFailure(streamDeleted(name))
  if (!stream || stream.lastRevision < 0 || stream.isDeleted) {
    sender.add(streamNotFound(name))
    return
  }
  const first = stream.firstRevision(nowMs())
  const last = stream.lastRevision
  const step = direction === 'forwards' ? 1 : -1
  let revision = from === 'start' ? 0 : from === 'end' ? last + (step > 0 ? 1 : 0) : from
  revision = step > 0 ? Math.max(revision, first) : Math.min(revision, last)
  for (let count = 0; count < maxCount && revision >= first && revision <= last; count++, revision += step) {
    const event = stream.at(revision)
    if (event && !sender.add(event.frame)) await sender.ready()
  }
}

/**
 * Sends the events of the whole log, and ends. Forwards a position is inclusive. Backwards it is where the reading begins,
 * so that the event at that position is behind it; both are as in EventStoreDB's `AllReader`.
 */
export async function readAll(
  log: EventLog,
  { from, direction, maxCount = 0, filter }: ReadRequest,
  sender: EventSender,
): Promise<void> {
  const step = direction === 'forwards' ? 1 : -1
  const beginning = from === 'start' ? 0 : from === 'end' ? log.events.length : indexOfRecord(log, from)
  let index = step > 0 ? beginning : beginning - 1
  for (let count = 0; count < maxCount; index += step) {
    const event = log.events[index]
    if (!event) return
    if (!filter(event)) continue
    count++
    if (!sender.add(event.frame)) await sender.ready()
  }
}

/**
 * The place of the record that begins at a position, or the log's end for one beyond it.
 * @throws CallFailure where no record begins
 */
export function indexOfRecord(log: EventLog, position: number): number {
  const index = log.indexAt(position)
  const record = log.events[index]
  if (record && record.position !== position) throw new CallFailure(noRecordThere())
  return index
}
