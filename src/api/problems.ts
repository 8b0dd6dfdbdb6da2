import { STATUS_CODES } from 'node:http'
import { TooManyAttemptsError } from '../accounts/attempts.ts'
import { CorruptLogError, NewerVersionError, PreconditionError, Rejection, UnavailableError } from '../engine/errors.ts'

/** Every error becomes an RFC 9457 problem here, and nowhere else. */

/** One fault of a request: where it is, and what is wrong there. */
export interface FieldError {
  readonly detail: string
  /** JSON pointer into the body, as a URI fragment (RFC 6901). */
  readonly pointer?: string
  /** Name of a parameter of path or query string. */
  readonly parameter?: string
  readonly header?: string
}

export interface Problem {
  readonly status: number
  /** Stable, in kebab-case; clients switch on it. */
  readonly code: string
  readonly detail: string
  readonly errors?: readonly FieldError[]
  readonly details?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** A request that the HTTP layer itself refuses. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/**
 * Makes the error for a request that is refused: `throw problem(400, 'if-match-invalid', 'Send ...')`.
 * @param detail one sentence for a person, which says what to do
 */
export function problem(
  status: number,
  code: string,
  detail: string,
  rest: Pick<Problem, 'errors' | 'details' | 'headers'> = {},
): ProblemError {
  return new ProblemError({ status, code, detail, ...rest })
}

export function unauthenticated(code: string, detail: string): ProblemError {
  return problem(401, code, detail, { headers: { 'www-authenticate': 'Bearer realm="daybook"' } })
}

const preconditionStatus = {
  'revision-mismatch': 412,
  'idempotency-key-reused': 422,
  'unknown-position': 400,
  'cursor-invalid': 400,
  'cursor-expired': 410,
  'command-too-large': 413,
  'not-stopped': 409,
} as const satisfies Record<PreconditionError['code'], number>

const rejectionStatus = { rule: 409, 'not-found': 404, forbidden: 403 } as const satisfies Record<
  Rejection['kind'],
  number
>

/** The errors of the HTTP server, which carry a status: what to say instead of its own words. */
const serverErrors: Readonly<Record<number, Pick<Problem, 'code' | 'detail'>>> = {
  400: { code: 'bad-request', detail: 'The request could not be understood.' },
  413: { code: 'body-too-large', detail: 'The body is too large. Send less at once.' },
  414: { code: 'uri-too-long', detail: 'The address is too long.' },
  415: { code: 'unsupported-media-type', detail: 'Send the body as application/json.' },
  429: { code: 'too-many-requests', detail: 'Too many requests. Wait as long as Retry-After says.' },
  431: { code: 'headers-too-large', detail: 'The headers are too large.' },
}

function serverErrorOf(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status < 400 || status >= 500) return undefined
  if ('code' in error && error.code === 'FST_ERR_CTP_INVALID_JSON_BODY')
    return { status: 400, code: 'invalid-json', detail: 'The body is not valid JSON.' }
  const known = serverErrors[status] ?? serverErrors[400]
  return known && { status, ...known }
}

/** What a client is told of an error. Of one that nobody threw on purpose it is told nothing but that it happened. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof Rejection) {
    const { code, message, details, kind } = error
    return { status: rejectionStatus[kind], code, detail: message, ...(Object.keys(details).length > 0 && { details }) }
  }
  if (error instanceof PreconditionError) {
    const { code, message, details } = error
    return {
      status: preconditionStatus[code],
      code,
      detail: message,
      ...(Object.keys(details).length > 0 && { details }),
    }
  }
  if (error instanceof UnavailableError) {
    const headers = { 'retry-after': String(error.retryAfterSeconds) }
    return { status: 503, code: error.code, detail: error.message, headers }
  }
  if (error instanceof TooManyAttemptsError) {
    const headers = { 'retry-after': String(error.retryAfterSeconds) }
    return { status: 429, code: 'too-many-attempts', detail: error.message, headers }
  }
  if (error instanceof CorruptLogError) {
    const detail = 'What this needs is damaged in the event log. Tell the shop: its own log says where, and what to do.'
    return { status: 500, code: 'log-damaged', detail }
  }
  if (error instanceof NewerVersionError) {
    const detail = 'A newer version of Daybook has taken over. Try again.'
    return { status: 503, code: 'newer-version', detail, headers: { 'retry-after': '5' } }
  }
  return (
    serverErrorOf(error) ?? {
      status: 500,
      code: 'internal',
      detail: 'Something went wrong here. Tell the shop the correlation id.',
    }
  )
}

/** The body of a problem. */
export function problemJson({ status, code, detail, errors, details }: Problem, correlationId: string): string {
  const title = STATUS_CODES[status] ?? 'Error'
  return JSON.stringify({ type: 'about:blank', title, status, code, detail, errors, details, correlationId })
}
