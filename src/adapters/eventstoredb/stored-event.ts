import { crc32 } from 'node:zlib'
import { CorruptLogError } from '../../engine/errors.ts'
import type { NewEvent, RecordedEvent } from '../../engine/event-store.ts'
import type { StoredEvent } from './read-answer.ts'

/**
 * How events are kept in EventStoreDB: data and metadata as JSON, as they are, and in the metadata behind all the rest a
 * checksum, by which a reader knows that it has what was written, and where it was written.
 */

/** An event on its way to the server. */
export interface Proposal {
  readonly id: string
  readonly type: string
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** Types of the adapter's own events begin so; the server's own begin with a dollar sign. */
export const ownTypePrefix = 'daybook-'

/** Whether events of a type are the log's, and not the server's or the adapter's own. */
export function isVisible(type: string): boolean {
  return !(type.startsWith('$') || type.startsWith(ownTypePrefix))
}

/** What EventStoreDB takes for an id, and gives back as it was. */
const canonicalId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const checksumKey = '"checksum":'

/**
 * Makes events ready for a stream.
 * @param firstRevision the revision that the first one will have
 * @throws RangeError for an id that is no UUID, or a type that would be taken for the server's own
 */
export function proposals(stream: string, firstRevision: number, events: readonly NewEvent[]): readonly Proposal[] {
  return events.map(({ id, type, dataJson, metadataJson }, index) => {
    if (!canonicalId.test(id))
      throw new RangeError(`In EventStoreDB the id of an event is a UUID in lower case, not ${id}`)
    if (!isVisible(type))
      throw new RangeError(`The type of an event can't be ${type}: EventStoreDB needs such names itself`)
    const data = Buffer.from(dataJson)
    const sum = checksum(stream, firstRevision + index, id, type, data, metadataJson)
    return { id, type, data, metadata: Buffer.from(withChecksum(metadataJson, sum)) }
  })
}

function withChecksum(metadataJson: string, sum: number): string {
  const fields = metadataJson.slice(0, -1)
  return `${fields}${fields === '{' ? '' : ','}${checksumKey}${sum}}`
}

/** Everything that is stored of an event counts, but the time and the position, which the server adds. */
function checksum(
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: Uint8Array,
  metadataJson: string,
): number {
  return crc32(data, crc32(`${stream}\n${revision}\n${id}\n${type}\n${data.length}\n${metadataJson}`))
}

/**
 * Reads an event of the log.
 * @throws CorruptLogError when it is not what was written
 */
export function recorded({ position, stream, revision, id, type, data, metadata }: StoredEvent): RecordedEvent {
  const kept = metadata.toString()
  const keyAt = kept.lastIndexOf(checksumKey)
  const fields = kept.slice(0, Math.max(0, keyAt))
  const metadataJson = `${fields.endsWith(',') ? fields.slice(0, -1) : fields}}`
  const sum = Number(kept.slice(keyAt + checksumKey.length, -1))
  if (keyAt < 0 || sum !== checksum(stream, revision, id, type, data, metadataJson)) {
    throw corruptEvent(stream, revision, position, 'its checksum is wrong')
  }
  try {
    return {
      position,
      stream,
      revision,
      id,
      type,
      data: JSON.parse(data.toString()),
      metadata: JSON.parse(metadataJson),
    }
  } catch (error) {
    throw corruptEvent(stream, revision, position, 'it is no JSON', error)
  }
}

function corruptEvent(
  stream: string,
  revision: number,
  position: number,
  damage: string,
  cause?: unknown,
): CorruptLogError {
  return new CorruptLogError(
    `Event ${revision} of stream ${stream} in EventStoreDB, at position ${position}, is not what was written: ${damage}. Restore the log from a backup, and keep everything but Daybook from writing to it.`,
    { cause },
  )
}
