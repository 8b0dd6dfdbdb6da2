import codes from '@eventstore/db-client/generated/code_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import statuses from '@eventstore/db-client/generated/status_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import wellKnown from 'google-protobuf/google/protobuf/any_pb.js'
import empties from 'google-protobuf/google/protobuf/empty_pb.js'
import type { AppendOptions } from './append-request.ts'
import { frameOf } from './grpc-frames.ts'
import { CallFailure } from './grpc-server.ts'
import type { AppendOutcome, ExpectedRevision } from './log.ts'
import { bytesField, numberField } from './protobuf.ts'
import { streamDeleted } from './status.ts'

type Appended = Extract<AppendOutcome, { kind: 'appended' }>
type WrongVersion = Extract<AppendOutcome, { kind: 'wrong-expected-version' }>

/** Why a batch append was refused. */
export type Refusal =
  | Exclude<AppendOutcome, Appended>
  | { readonly kind: 'timeout' }
  | { readonly kind: 'too-large'; readonly maxAppendBytes: number }
  | { readonly kind: 'bad-request'; readonly reason: string }

/** A framed `BatchAppendResp` that says where the events are. It is made by hand, because there are so many of them. */
export function batchAppended(correlationId: string, stream: string, outcome: Appended): Buffer {
  const revision = outcome.lastRevision < 0 ? bytesField(2) : numberField(1, outcome.lastRevision)
  return frameOf(
    Buffer.concat([
      bytesField(1, bytesField(2, correlationId)),
      bytesField(3, revision, successPosition(outcome)),
      bytesField(4, bytesField(3, stream)),
    ]),
  )
}

function successPosition({ position }: Appended): Buffer {
  return position === undefined ? bytesField(4) : bytesField(3, numberField(1, position), numberField(2, position))
}

/** A framed `BatchAppendResp` with a `google.rpc.Status`, whose details say why. */
export function batchRefused(correlationId: string, options: AppendOptions, refusal: Refusal): Buffer {
  const { typeName, details, code, message } = describe(options, refusal)
  const any = new wellKnown.Any()
  any.pack(details.serializeBinary(), typeName)
  const error = new statuses.Status()
  error.setCode(code)
  error.setMessage(message)
  error.setDetails(any)
  const answer = new streams.BatchAppendResp()
  const id = new shared.UUID()
  id.setString(correlationId)
  answer.setCorrelationId(id)
  answer.setStreamIdentifier(identifierOf(options.stream))
  answer.setError(error)
  return frameOf(answer.serializeBinary())
}

function describe(options: AppendOptions, refusal: Refusal) {
  switch (refusal.kind) {
    case 'wrong-expected-version':
      return {
        typeName: 'event_store.client.WrongExpectedVersion',
        details: wrongVersion(options, refusal),
        code: codes.Code.ALREADY_EXISTS,
        message: 'WrongExpectedVersion',
      }
    case 'deleted': {
      const details = new shared.StreamDeleted()
      details.setStreamIdentifier(identifierOf(options.stream))
      return {
        typeName: 'event_store.client.StreamDeleted',
        details,
        code: codes.Code.NOT_FOUND,
        message: 'StreamDeleted',
      }
    }
    case 'timeout':
      return {
        typeName: 'event_store.client.Timeout',
        details: new shared.Timeout(),
        code: codes.Code.DEADLINE_EXCEEDED,
        message: 'Timeout',
      }
    case 'too-large': {
      const details = new shared.MaximumAppendSizeExceeded()
      details.setMaxappendsize(refusal.maxAppendBytes)
      return {
        typeName: 'event_store.client.MaximumAppendSizeExceeded',
        details,
        code: codes.Code.INVALID_ARGUMENT,
        message: 'MaximumAppendSizeExceeded',
      }
    }
    case 'bad-request': {
      const details = new shared.BadRequest()
      details.setMessage(refusal.reason)
      return {
        typeName: 'event_store.client.BadRequest',
        details,
        code: codes.Code.INVALID_ARGUMENT,
        message: 'BadRequest',
      }
    }
  }
}

function wrongVersion({ expected }: AppendOptions, { actual }: WrongVersion) {
  const details = new shared.WrongExpectedVersion()
  if (actual === 'no_stream') details.setCurrentNoStream(new empties.Empty())
  else details.setCurrentStreamRevision(String(actual))
  if (typeof expected === 'number') details.setExpectedStreamPosition(String(expected))
  else setExpected(details, expected, new empties.Empty())
  return details
}

/**
 * A framed `AppendResp`.
 * @throws CallFailure for what travels as the status of the call
 */
export function appendAnswer(options: AppendOptions, outcome: AppendOutcome): Buffer {
  if (outcome.kind === 'deleted') throw new CallFailure(streamDeleted(options.stream))
  const answer = new streams.AppendResp()
  if (outcome.kind === 'appended') {
    const success = new streams.AppendResp.Success()
    if (outcome.lastRevision < 0) success.setNoStream(new shared.Empty())
    else success.setCurrentRevision(String(outcome.lastRevision))
    if (outcome.position === undefined) success.setNoPosition(new shared.Empty())
    else {
      const position = new streams.AppendResp.Position()
      position.setCommitPosition(String(outcome.position))
      position.setPreparePosition(String(outcome.position))
      success.setPosition(position)
    }
    answer.setSuccess(success)
  } else {
    const wrong = new streams.AppendResp.WrongExpectedVersion()
    const { expected } = options
    if (outcome.actual === 'no_stream') wrong.setCurrentNoStream(new shared.Empty())
    else wrong.setCurrentRevision(String(outcome.actual))
    if (typeof expected === 'number') wrong.setExpectedRevision(String(expected))
    else setExpected(wrong, expected, new shared.Empty())
    answer.setWrongExpectedVersion(wrong)
  }
  return frameOf(answer.serializeBinary())
}

interface ExpectedOption<Empty> {
  setExpectedAny(value: Empty): unknown
  setExpectedNoStream(value: Empty): unknown
  setExpectedStreamExists(value: Empty): unknown
}

function setExpected<Empty>(
  message: ExpectedOption<Empty>,
  expected: Exclude<ExpectedRevision, number>,
  empty: Empty,
): void {
  if (expected === 'any') message.setExpectedAny(empty)
  else if (expected === 'no_stream') message.setExpectedNoStream(empty)
  else message.setExpectedStreamExists(empty)
}

function identifierOf(stream: string) {
  const identifier = new shared.StreamIdentifier()
  identifier.setStreamName(Buffer.from(stream))
  return identifier
}
