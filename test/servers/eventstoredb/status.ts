import { status as Code } from '@grpc/grpc-js'
import type { CallStatus } from './grpc-server.ts'
import type { ExpectedRevision } from './log.ts'

/** The failures of calls, with the trailers by which the client tells them apart. */

export function streamDeleted(stream: string): CallStatus {
  return {
    code: Code.FAILED_PRECONDITION,
    message: `Event stream '${stream}' is deleted.`,
    details: { exception: 'stream-deleted', 'stream-name': stream },
  }
}

export function wrongExpectedVersion(
  operation: string,
  stream: string,
  expected: ExpectedRevision,
  actual: number | 'no_stream',
): CallStatus {
  const versions = { any: -2, no_stream: -1, stream_exists: -4 }
  const expectedVersion = typeof expected === 'number' ? expected : versions[expected]
  const actualVersion = actual === 'no_stream' ? -1 : actual
  return {
    code: Code.FAILED_PRECONDITION,
    message: `${operation} failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedVersion}, Actual version: ${actualVersion}`,
    details: {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expectedVersion),
      'actual-version': String(actualVersion),
    },
  }
}

export function maxAppendSizeExceeded(maxAppendBytes: number): CallStatus {
  return {
    code: Code.INVALID_ARGUMENT,
    message: `Maximum Append Size of ${maxAppendBytes} Exceeded.`,
    details: { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(maxAppendBytes) },
  }
}

/** What a read gives at a position where no record begins: the node reads nonsense there, and says no more. */
export function noRecordThere(): CallStatus {
  return { code: Code.UNKNOWN, message: 'Unexpected ReadAllResult: Error' }
}

/** What a subscription ends with that cannot keep up. */
export function consumerTooSlow(): CallStatus {
  return {
    code: Code.ABORTED,
    message: 'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  }
}
