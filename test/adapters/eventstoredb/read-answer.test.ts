import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { expect, test } from 'vitest'
import { readAnswer, type StoredEvent } from '../../../src/adapters/eventstoredb/read-answer.ts'

/** Answers as the generated code of the client makes them. */

type Answer = InstanceType<typeof streams.ReadResp>

function bytesOf(fill: (answer: Answer) => void): Buffer {
  const answer = new streams.ReadResp()
  fill(answer)
  return Buffer.from(answer.serializeBinary())
}

function eventAnswer(
  { stream, revision, position, id, type, data, metadata }: StoredEvent,
  inTwoNumbers: boolean,
): Buffer {
  const uuid = new shared.UUID()
  if (inTwoNumbers) {
    const structured = new shared.UUID.Structured()
    const digits = Buffer.from(id.replaceAll('-', ''), 'hex')
    structured.setMostSignificantBits(String(digits.readBigInt64BE(0)))
    structured.setLeastSignificantBits(String(digits.readBigInt64BE(8)))
    uuid.setStructured(structured)
  } else uuid.setString(id)
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
  recorded.setId(uuid)
  recorded.setStreamIdentifier(identifier)
  recorded.setStreamRevision(String(revision))
  recorded.setPreparePosition(String(position))
  recorded.setCommitPosition(String(position))
  recorded
    .getMetadataMap()
    .set('created', '17900000000000000')
    .set('type', type)
    .set('content-type', 'application/json')
  recorded.setCustomMetadata(metadata)
  recorded.setData(data)
  const event = new streams.ReadResp.ReadEvent()
  event.setEvent(recorded)
  event.setCommitPosition(String(position))
  return bytesOf((answer) => answer.setEvent(event))
}

const small: StoredEvent = {
  stream: 'cart-1',
  revision: 0,
  position: 127,
  id: '0b6cd2b5-3c10-4b0e-9d0b-6d61c1a2f1de',
  type: 'ItemAdded',
  data: Buffer.from('{}'),
  metadata: Buffer.from('{"a":1}'),
}

test.each<StoredEvent>([
  small,
  { ...small, stream: 'cart-é😀 漢字', type: 'Größer😀', data: Buffer.alloc(0), metadata: Buffer.alloc(0) },
  { ...small, revision: Number.MAX_SAFE_INTEGER, position: Number.MAX_SAFE_INTEGER, data: Buffer.alloc(20_000, 'x') },
  { ...small, stream: `cart-${'x'.repeat(500)}`, type: 'x'.repeat(300), revision: 2 ** 31, position: 2 ** 32 },
])('reads an event: %#', (event) => {
  expect(readAnswer(eventAnswer(event, false))).toEqual({ kind: 'event', event })
  expect(readAnswer(eventAnswer(event, true))).toEqual({ kind: 'event', event })
})

test('reads how far a subscription is', () => {
  const checkpoint = new streams.ReadResp.Checkpoint()
  checkpoint.setCommitPosition('9007199254740991')
  checkpoint.setPreparePosition('9007199254740991')
  expect(readAnswer(bytesOf((answer) => answer.setCheckpoint(checkpoint)))).toEqual({
    kind: 'checkpoint',
    position: Number.MAX_SAFE_INTEGER,
  })
  const caughtUp = new streams.ReadResp.CaughtUp()
  expect(readAnswer(bytesOf((answer) => answer.setCaughtUp(caughtUp)))).toEqual({ kind: 'caught-up' })
  const fellBehind = new streams.ReadResp.FellBehind()
  expect(readAnswer(bytesOf((answer) => answer.setFellBehind(fellBehind)))).toEqual({ kind: 'fell-behind' })
})

test('passes over what it does not know, and what later servers may add', () => {
  const confirmation = new streams.ReadResp.SubscriptionConfirmation()
  confirmation.setSubscriptionId('some id')
  expect(readAnswer(bytesOf((answer) => answer.setConfirmation(confirmation)))).toEqual({ kind: 'other' })
  expect(readAnswer(bytesOf((answer) => answer.setFirstStreamPosition('18446744073709551615')))).toEqual({
    kind: 'other',
  })
  expect(readAnswer(Buffer.alloc(0))).toEqual({ kind: 'other' })
  // Field 8 with a timestamp and a position in it; fields 20 and 21 of 64 and 32 bits.
  const later = Buffer.from([0x42, 4, 0x0a, 2, 8, 1, 0xa1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xad, 1, 1, 2, 3, 4])
  expect(readAnswer(later)).toEqual({ kind: 'caught-up' })
  expect(readAnswer(Buffer.concat([eventAnswer(small, false), Buffer.from([0xa0, 1, 1])]))).toMatchObject({
    event: small,
  })
})

test('refuses what is no message', () => {
  const bytes = eventAnswer(small, false)
  for (const broken of [bytes.subarray(0, 1), Buffer.from([0xff]), Buffer.from([0x0f])]) {
    expect(() => readAnswer(broken)).toThrow(RangeError)
  }
})
