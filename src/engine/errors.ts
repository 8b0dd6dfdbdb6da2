/** Every error that the engine throws on purpose, in one place. Each has a stable `code` that reaches clients. */

type Details = Readonly<Record<string, unknown>>

type RejectionKind = 'rule' | 'not-found' | 'forbidden'

/** A business rule that a person broke. It is an answer, not a failure: nothing was appended. */
export class Rejection extends Error {
  override readonly name = 'Rejection'
  readonly code: string
  readonly details: Details
  readonly kind: RejectionKind
  constructor(code: string, message: string, details: Details = {}, kind: RejectionKind = 'rule') {
    super(message)
    this.code = code
    this.details = details
    this.kind = kind
  }
}

/**
 * Makes the rejection for a broken rule, to be thrown by a decision: `throw reject('order-shipped', 'The order ...')`.
 * @param code stable, in kebab-case; clients switch on it
 * @param message one sentence for a person, which says what to do where something can be done
 * @param details facts that a client can use
 */
export function reject(code: string, message: string, details?: Details): Rejection {
  return new Rejection(code, message, details)
}

/** Makes the rejection of a command or a fact whose target does not exist: `throw notFound('order', id)`. */
export function notFound(noun: string, id: string): Rejection {
  return new Rejection(`${noun}-not-found`, `There is no such ${noun.replaceAll('-', ' ')}.`, { id }, 'not-found')
}

/** Makes the rejection of what others may ask for: `throw forbid('scope-not-granted', 'This key ...')`. */
export function forbid(code: string, message: string, details?: Details): Rejection {
  return new Rejection(code, message, details, 'forbidden')
}

/** The stream was not at the expected revision. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
  readonly stream: string
  readonly expectedRevision: number
  readonly actualRevision: number
  constructor(stream: string, expectedRevision: number, actualRevision: number) {
    super(`Stream ${stream} is at revision ${actualRevision}, not ${expectedRevision}`)
    this.stream = stream
    this.expectedRevision = expectedRevision
    this.actualRevision = actualRevision
  }
}

/** It is unknown whether the append was written. Only the same append, unchanged, may follow it. */
export class InDoubtError extends Error {
  override readonly name = 'InDoubtError'
}

/** A part that Daybook needs cannot serve now; the same request may succeed later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly code: string
  readonly retryAfterSeconds: number
  constructor(code: string, message: string, retryAfterSeconds = 1, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Another process holds what this one wanted to write: its lease has gone over. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** What is stored is not what was written: a checksum, a revision or a position does not hold. */
export class CorruptLogError extends Error {
  override readonly name = 'CorruptLogError'
}

/** Two logs that should have the same events have not, or one was written to while they were compared. */
export class DifferentLogsError extends Error {
  override readonly name = 'DifferentLogsError'
}

/** An event or a store was written by a newer version of Daybook than this one. */
export class NewerVersionError extends Error {
  override readonly name = 'NewerVersionError'
}

type PreconditionCode =
  | 'revision-mismatch'
  | 'idempotency-key-reused'
  | 'unknown-position'
  | 'cursor-invalid'
  | 'cursor-expired'
  | 'command-too-large'
  | 'not-stopped'

/** The caller's request contradicts what is known: a stale `If-Match`, a reused key, an unknown position. */
export class PreconditionError extends Error {
  override readonly name = 'PreconditionError'
  readonly code: PreconditionCode
  readonly details: Details
  constructor(code: PreconditionCode, message: string, details: Details = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}
