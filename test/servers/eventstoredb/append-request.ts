import type { ExpectedRevision } from './log.ts'
import { fieldsOf } from './protobuf.ts'
import type { ProposedEvent } from './recorded-event.ts'

/** The requests that append events, read straight from their bytes: they are most of what this server reads. */

export interface AppendOptions {
  readonly stream: string
  readonly expected: ExpectedRevision
  /** When the client gives up, in milliseconds of its clock; none when it never does. */
  readonly deadlineMs: number | undefined
}

/** One message of a batch append: the options come with the first one of its correlation id. */
export interface BatchAppendRequest {
  readonly correlationId: string
  readonly options: AppendOptions | undefined
  readonly events: readonly ProposedEvent[]
  readonly isFinal: boolean
}

const noBytes: Buffer = Buffer.alloc(0)

/** Reads a `BatchAppendReq`. */
export function readBatchAppendRequest(message: Buffer): BatchAppendRequest {
  let correlationId = ''
  let options: AppendOptions | undefined
  const events: ProposedEvent[] = []
  let isFinal = false
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) correlationId = readUuid(bytes)
    else if (number === 2) options = readOptions(bytes)
    else if (number === 3) events.push(readProposedEvent(bytes))
    else if (number === 4) isFinal = value === 1
  }
  return { correlationId, options, events, isFinal }
}

/** Reads an `AppendReq`, which has either the options or one event. */
export function readAppendRequest(message: Buffer): AppendOptions | ProposedEvent {
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) return readOptions(bytes)
    if (number === 2) return readProposedEvent(bytes)
  }
  throw new RangeError('An append request has neither options nor an event.')
}

/** Reads the options of either request; their numbers are the same. */
function readOptions(message: Buffer): AppendOptions {
  let stream = ''
  // A revision of 0 is on the wire all the same: it is one of a choice.
  let expected: ExpectedRevision = 'any'
  let deadlineMs: number | undefined
  for (const { number, value, bytes } of fieldsOf(message)) {
    if (number === 1) stream = readStreamName(bytes)
    else if (number === 2) expected = value
    else if (number === 3) expected = 'no_stream'
    else if (number === 4) expected = 'any'
    else if (number === 5) expected = 'stream_exists'
    else if (number === 6) deadlineMs = readTimestampMs(bytes)
  }
  return { stream, expected, deadlineMs }
}

function readProposedEvent(message: Buffer): ProposedEvent {
  let id = ''
  let type = ''
  let isJson = false
  let metadata = noBytes
  let data = noBytes
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) id = readUuid(bytes)
    else if (number === 2) {
      const [key, value] = readEntry(bytes)
      if (key === 'type') type = value
      else if (key === 'content-type') isJson = value === 'application/json'
    } else if (number === 3) metadata = bytes
    else if (number === 4) data = bytes
  }
  return { id, type, isJson, data, metadata }
}

function readEntry(message: Buffer): [key: string, value: string] {
  let key = ''
  let value = ''
  for (const { number, bytes } of fieldsOf(message)) {
    if (number === 1) key = bytes.toString('latin1')
    else value = bytes.toString()
  }
  return [key, value]
}

function readStreamName(message: Buffer): string {
  for (const { number, bytes } of fieldsOf(message)) if (number === 3) return bytes.toString()
  return ''
}

function readUuid(message: Buffer): string {
  for (const { number, bytes } of fieldsOf(message)) if (number === 2) return bytes.toString('latin1')
  throw new RangeError('The test server reads ids as text, which is how its client sends them.')
}

function readTimestampMs(message: Buffer): number {
  let ms = 0
  for (const { number, value } of fieldsOf(message)) ms += number === 1 ? value * 1000 : value / 1e6
  return ms
}
