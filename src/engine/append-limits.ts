import { byteSize } from './command.ts'
import { maxAppendBytes, type NewEvent, noStream } from './event-store.ts'

/**
 * Checks what is to be appended, alike in every adapter. A lone surrogate inside of data is fine, since JSON escapes
 * it; in a name, or in JSON that did not escape it, it would come back from UTF-8 as another character.
 * @returns its size in bytes
 * @throws RangeError for no events, too many bytes, an impossible revision, or a name that could not be stored as it is
 */
export function checkAppend(stream: string, expectedRevision: number, events: readonly NewEvent[]): number {
  const dash = stream.indexOf('-')
  if (dash < 1 || dash === stream.length - 1 || !stream.isWellFormed()) {
    throw new RangeError(`A stream is named category-id, in well-formed Unicode, not ${JSON.stringify(stream)}`)
  }
  if (!Number.isSafeInteger(expectedRevision) || expectedRevision < noStream) {
    throw new RangeError(`A stream can't be at revision ${expectedRevision}`)
  }
  if (events.length === 0) throw new RangeError('There are no events to append')
  for (const { id, type, dataJson, metadataJson } of events) {
    if (id === '' || type === '') throw new RangeError('An event has an id and a type')
    if (!(id.isWellFormed() && type.isWellFormed() && dataJson.isWellFormed() && metadataJson.isWellFormed())) {
      throw new RangeError(`Event ${JSON.stringify(id)} is not well-formed Unicode`)
    }
  }
  const bytes = byteSize(events)
  if (bytes > maxAppendBytes) {
    throw new RangeError(`An append has at most ${maxAppendBytes} bytes, not ${bytes}`)
  }
  return bytes
}
