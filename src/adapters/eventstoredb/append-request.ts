import { createStreamIdentifier } from '@eventstore/db-client/dist/utils/grpcStreamIdentifier.js'
import { createUUID } from '@eventstore/db-client/dist/utils/grpcUUID.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js'
import { noStream } from '../../engine/event-store.ts'
import type { Proposal } from './stored-event.ts'

export type BatchAppendRequest = InstanceType<typeof streams.BatchAppendReq>

/** What is appended to one stream, all or nothing. */
export interface Append {
  readonly stream: string
  /** `any` for streams of the adapter's own in which the order does not matter. */
  readonly expectedRevision: number | 'any'
  readonly events: readonly Proposal[]
}

/** The server gives up after its own write timeout, which is far shorter; clocks that differ by less than this don't matter. */
const deadlineMs = 60_000

/** The one message that asks for an append: none is so large that it would have to be several. */
export function batchAppendRequest(
  correlationId: string,
  { stream, expectedRevision, events }: Append,
  nowMs: number,
): BatchAppendRequest {
  const options = new streams.BatchAppendReq.Options()
  options.setStreamIdentifier(createStreamIdentifier(stream))
  options.setDeadline(timestamps.Timestamp.fromDate(new Date(nowMs + deadlineMs)))
  if (expectedRevision === 'any') options.setAny(new shared.Empty())
  else if (expectedRevision === noStream) options.setNoStream(new shared.Empty())
  else options.setStreamPosition(String(expectedRevision))
  const request = new streams.BatchAppendReq()
  request.setCorrelationId(createUUID(correlationId))
  request.setOptions(options)
  request.setProposedMessagesList(events.map(message))
  request.setIsFinal(true)
  return request
}

function message({ id, type, data, metadata }: Proposal): InstanceType<typeof streams.BatchAppendReq.ProposedMessage> {
  const proposed = new streams.BatchAppendReq.ProposedMessage()
  proposed.setId(createUUID(id))
  proposed.getMetadataMap().set('type', type).set('content-type', 'application/json')
  proposed.setData(data)
  proposed.setCustomMetadata(metadata)
  return proposed
}
