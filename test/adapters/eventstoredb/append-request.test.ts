import { createStreamIdentifier } from '@eventstore/db-client/dist/utils/grpcStreamIdentifier.js'
import { createUUID } from '@eventstore/db-client/dist/utils/grpcUUID.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js'
import { expect, test } from 'vitest'
import { type Append, batchAppendRequest } from '../../../src/adapters/eventstoredb/append-request.ts'

const correlationId = '0b6cd2b5-3c10-4b0e-9d0b-6d61c1a2f1de'
const nowMs = 1_790_000_000_123

/** The same request, as the client's own code makes it. */
function generated({ stream, expectedRevision, events }: Append): Uint8Array {
  const options = new streams.BatchAppendReq.Options()
  options.setStreamIdentifier(createStreamIdentifier(stream))
  options.setDeadline(timestamps.Timestamp.fromDate(new Date(Math.floor(nowMs / 1_000) * 1_000 + 60_000)))
  if (expectedRevision === 'any') options.setAny(new shared.Empty())
  else if (expectedRevision === -1) options.setNoStream(new shared.Empty())
  else options.setStreamPosition(String(expectedRevision))
  const request = new streams.BatchAppendReq()
  request.setCorrelationId(createUUID(correlationId))
  request.setOptions(options)
  for (const { id, type, data, metadata } of events) {
    const message = new streams.BatchAppendReq.ProposedMessage()
    message.setId(createUUID(id))
    message.getMetadataMap().set('type', type).set('content-type', 'application/json')
    message.setData(data)
    message.setCustomMetadata(metadata)
    request.addProposedMessages(message)
  }
  request.setIsFinal(true)
  return request.serializeBinary()
}

const bytes = (length: number) => Buffer.alloc(length, 'é')
const event = (type: string, dataBytes: number, metadataBytes: number) => ({
  id: crypto.randomUUID(),
  type,
  data: bytes(dataBytes),
  metadata: bytes(metadataBytes),
})

test.each<Append>([
  { stream: 'cart-1', expectedRevision: -1, events: [event('ItemAdded', 10, 20)] },
  { stream: 'cart-é😀 漢字', expectedRevision: 'any', events: [event('Größer😀', 127, 128)] },
  { stream: `cart-${'x'.repeat(500)}`, expectedRevision: 0, events: [event('A', 16_383, 16_384), event('B', 1, 2)] },
  { stream: 'cart-1', expectedRevision: 127, events: [event('A', 1_000_000, 1)] },
  { stream: 'cart-1', expectedRevision: 2 ** 31, events: [event('x'.repeat(200), 1, 1)] },
  { stream: 'cart-1', expectedRevision: Number.MAX_SAFE_INTEGER, events: [event('A', 300, 300), event('A', 1, 1)] },
])('a request has the bytes that the generated code gives it: %#', (append) => {
  expect(batchAppendRequest(correlationId, append, nowMs).equals(generated(append))).toBe(true)
})
