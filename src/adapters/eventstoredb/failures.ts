import { ErrorType, isCommandError, NotLeaderError } from '@eventstore/db-client'
import { unpackToCommandError } from '@eventstore/db-client/dist/streams/appendToStream/unpackError.js'
import type { Status } from '@eventstore/db-client/generated/status_pb.js'
import { ConflictError, CorruptLogError, InDoubtError, UnavailableError } from '../../engine/errors.ts'
import { noStream } from '../../engine/event-store.ts'

/** What EventStoreDB and the way to it can answer, in the port's words. */

/** gRPC's UNAUTHENTICATED and PERMISSION_DENIED */
const refusedCodes = new Set<unknown>([16, 7])
/** gRPC's UNKNOWN, INVALID_ARGUMENT, OUT_OF_RANGE and INTERNAL */
const nonsenseCodes = new Set<unknown>([2, 3, 11, 13])
/** By these the client's gRPC says that a call never left this process. */
const neverSent = /^(?:No connection established|Name resolution failed|Channel closed before call started)/

/** @throws UnavailableError with `log-closed` */
export function refuseClosed(): never {
  throw new UnavailableError('log-closed', 'The event log is closed.')
}

/** What a reader is told of a failure; what the engine has named already stays as it is. */
export function readFailure(error: unknown): Error {
  if (error instanceof UnavailableError || error instanceof CorruptLogError) return error
  if (isRefused(error)) return refused(error)
  return new UnavailableError('log-unavailable', 'The event log does not answer now. Try again.', 1, { cause: error })
}

/** Whether a read failed by what was asked, such as a position where no event begins, and not by the way to the server. */
export function isNonsense(error: unknown): boolean {
  const cause = error instanceof UnavailableError ? error.cause : error
  return nonsenseCodes.has(codeOf(cause)) && exceptionOf(cause) === undefined
}

/** What becomes of the appends of a call that failed. Only a few failures prove that nothing was written. */
export function appendFailure(error: unknown): Error {
  if (isRefused(error)) return refused(error)
  if (neverSent.test(detailsOf(error)) || isNotLeader(error)) return notWritten(error)
  return inDoubt(error)
}

/** What becomes of an append for which no call could be opened. */
export function notWritten(cause: unknown): UnavailableError {
  return new UnavailableError('log-unavailable', 'The event log takes no writes now. Try again.', 1, { cause })
}

export function inDoubt(cause: unknown): InDoubtError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new InDoubtError(`It is unknown whether the append was written: ${reason}`, { cause })
}

/** What the server says of one append that it did not do, or of which it does not know. */
export function appendRefusal(status: Status, stream: string, expectedRevision: number | 'any'): Error {
  if (status.getDetails() === undefined) return inDoubt(new Error(status.getMessage()))
  const error = unpackToCommandError(status, stream)
  switch (error.type) {
    case ErrorType.WRONG_EXPECTED_VERSION: {
      const { actualVersion } = error
      const actualRevision = actualVersion === 'no_stream' ? noStream : Number(actualVersion)
      return new ConflictError(stream, expectedRevision === 'any' ? noStream : expectedRevision, actualRevision)
    }
    case ErrorType.STREAM_DELETED:
      return deletedStream(stream)
    case ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED:
      return new UnavailableError(
        'log-unavailable',
        `EventStoreDB takes appends of at most ${error.maxAppendSize} bytes. Set its MaxAppendSize to 1048576.`,
      )
    case ErrorType.ACCESS_DENIED:
      return refused(error)
    default:
      return inDoubt(error)
  }
}

/** Says that somebody has deleted events, which only EventStoreDB's own tools can. */
export function deletedStream(stream: string): CorruptLogError {
  return new CorruptLogError(
    `Events of stream ${stream} were deleted in EventStoreDB. Restore it from a backup: a log keeps everything.`,
  )
}

function refused(cause: unknown): UnavailableError {
  const message = 'EventStoreDB refuses the credentials. Check user and password in EVENTSTOREDB_URL.'
  return new UnavailableError('log-unavailable', message, 30, { cause })
}

function isRefused(error: unknown): boolean {
  return refusedCodes.has(codeOf(error)) || exceptionOf(error) === ErrorType.ACCESS_DENIED
}

function isNotLeader(error: unknown): boolean {
  return error instanceof NotLeaderError || exceptionOf(error) === ErrorType.NOT_LEADER
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function detailsOf(error: unknown): string {
  return error instanceof Error && 'details' in error && typeof error.details === 'string' ? error.details : ''
}

/** The server names what it throws in a trailer, from which the client makes the types of its errors. */
function exceptionOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if (isCommandError(error)) return error.type
  if (!('metadata' in error) || !(error.metadata instanceof Object) || !('get' in error.metadata)) return undefined
  const { metadata } = error
  const [value]: unknown[] = typeof metadata.get === 'function' ? metadata.get('exception') : []
  return value === undefined ? undefined : String(value)
}
