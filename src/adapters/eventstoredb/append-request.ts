import { noStream } from '../../engine/event-store.ts'
import type { Proposal } from './stored-event.ts'

/**
 * The bytes of a `BatchAppendReq`. They are made by hand, as the generated code would make them: it takes a third of an
 * append's time, and appends are what a busy shop does most.
 */

/** What is appended to one stream, all or nothing. */
export interface Append {
  readonly stream: string
  /** `any` for streams of the adapter's own in which the order does not matter. */
  readonly expectedRevision: number | 'any'
  readonly events: readonly Proposal[]
}

/** The server gives up after its own write timeout, which is far shorter; clocks that differ by less than this don't matter. */
const deadlineSeconds = 60
/** Of a message in a message, and of bytes. */
const lengthDelimited = 2
const uuidBytes = 36
/** Of an id: tag and length of the message, and of the text in it. */
const idBytes = 4 + uuidBytes

/** Fields that say nothing but their types' names, which are few. */
const typeFields = new Map<string, Buffer>()
const maxTypes = 10_000

/**
 * The one message that asks for an append: none is so large that it would have to be several.
 * @param correlationId a UUID, by which the answer names it
 * @param nowMs milliseconds since the epoch
 */
export function batchAppendRequest(correlationId: string, append: Append, nowMs: number): Buffer {
  const options = optionsOf(append, nowMs)
  const types = append.events.map(({ type }) => typeField(type))
  const sizes = append.events.map(
    ({ data, metadata }, index) =>
      idBytes + (types[index]?.length ?? 0) + fieldBytes(metadata.length) + fieldBytes(data.length),
  )
  const size = sizes.reduce((sum, bytes) => sum + fieldBytes(bytes), idBytes + fieldBytes(options.length) + 2)
  const request = Buffer.allocUnsafe(size)
  let offset = writeId(request, correlationId, 0)
  offset = writeBytes(request, 2, options, offset)
  for (const [index, { id, data, metadata }] of append.events.entries()) {
    offset = writeLength(request, 3, sizes[index] ?? 0, offset)
    offset = writeId(request, id, offset)
    const type = types[index]
    if (type !== undefined) {
      request.set(type, offset)
      offset += type.length
    }
    offset = writeBytes(request, 3, metadata, offset)
    offset = writeBytes(request, 4, data, offset)
  }
  // It is the last message of this append.
  request[offset] = 4 << 3
  request[offset + 1] = 1
  return request
}

function optionsOf({ stream, expectedRevision }: Append, nowMs: number): Buffer {
  const name = Buffer.from(stream)
  const deadline = Math.floor(nowMs / 1_000) + deadlineSeconds
  const revision = expectedRevision === 'any' || expectedRevision === noStream ? 0 : expectedRevision
  const size = fieldBytes(fieldBytes(name.length)) + 1 + varintBytes(revision) + 3 + varintBytes(deadline)
  const options = Buffer.allocUnsafe(size)
  let offset = writeLength(options, 1, fieldBytes(name.length), 0)
  offset = writeBytes(options, 3, name, offset)
  if (expectedRevision === 'any') offset = writeLength(options, 4, 0, offset)
  else if (expectedRevision === noStream) offset = writeLength(options, 3, 0, offset)
  else {
    options[offset] = 2 << 3
    offset = writeVarint(options, revision, offset + 1)
  }
  offset = writeLength(options, 6, 1 + varintBytes(deadline), offset)
  options[offset] = 1 << 3
  offset = writeVarint(options, deadline, offset + 1)
  return options.subarray(0, offset)
}

/** The entries of the metadata map of the protocol, which is not that of the event. */
function typeField(type: string): Buffer {
  const known = typeFields.get(type)
  if (known !== undefined) return known
  const made = Buffer.concat([mapEntry('content-type', 'application/json'), mapEntry('type', type)])
  if (typeFields.size < maxTypes) typeFields.set(type, made)
  return made
}

function mapEntry(key: string, value: string): Buffer {
  const [keyBytes, valueBytes] = [Buffer.from(key), Buffer.from(value)]
  const size = fieldBytes(keyBytes.length) + fieldBytes(valueBytes.length)
  const entry = Buffer.allocUnsafe(fieldBytes(size))
  let offset = writeLength(entry, 2, size, 0)
  offset = writeBytes(entry, 1, keyBytes, offset)
  writeBytes(entry, 2, valueBytes, offset)
  return entry
}

function writeId(target: Buffer, id: string, offset: number): number {
  const text = writeLength(target, 2, uuidBytes, writeLength(target, 1, 2 + uuidBytes, offset))
  return text + target.write(id, text, uuidBytes, 'latin1')
}

function writeBytes(target: Buffer, field: number, bytes: Uint8Array, offset: number): number {
  const begin = writeLength(target, field, bytes.length, offset)
  target.set(bytes, begin)
  return begin + bytes.length
}

/** Tag and length of what follows; each number of a field here is so low that its tag is one byte. */
function writeLength(target: Buffer, field: number, length: number, offset: number): number {
  target[offset] = (field << 3) | lengthDelimited
  return writeVarint(target, length, offset + 1)
}

/** Seven bits a byte, the low ones first; the numbers may be larger than bit operations take. */
function writeVarint(target: Buffer, value: number, offset: number): number {
  let rest = value
  let at = offset
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  target[at] = rest
  return at + 1
}

function fieldBytes(length: number): number {
  return 1 + varintBytes(length) + length
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++
  return bytes
}
