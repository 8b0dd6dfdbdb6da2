import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams, { type ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import { frameOf } from './grpc-frames.ts'
import { bytesField, numberField } from './protobuf.ts'

/** The answers to a reader that carry no event, framed. */

export function subscriptionConfirmed(id: string): Buffer {
  const confirmation = new streams.ReadResp.SubscriptionConfirmation()
  confirmation.setSubscriptionId(id)
  return framed((answer) => answer.setConfirmation(confirmation))
}

/** So much of the log has been searched, whether anything matched or not. */
export function checkpointAt(position: number): Buffer {
  return frameOf(bytesField(3, numberField(1, position), numberField(2, position)))
}

/** From here on events arrive as they are appended. */
export function caughtUp(): Buffer {
  return framed((answer) => answer.setCaughtUp(new streams.ReadResp.CaughtUp()))
}

export function streamNotFound(stream: string): Buffer {
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  const notFound = new streams.ReadResp.StreamNotFound()
  notFound.setStreamIdentifier(identifier)
  return framed((answer) => answer.setStreamNotFound(notFound))
}

function framed(fill: (answer: ReadResp) => void): Buffer {
  const answer = new streams.ReadResp()
  fill(answer)
  return frameOf(answer.serializeBinary())
}
