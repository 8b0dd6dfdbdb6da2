import type { ApiRequest } from './exchange.ts'
import { headerOf } from './exchange.ts'
import { problem } from './problems.ts'

/** What a request says in its headers, one function for each. */

/** @throws ProblemError (400) when it is too long or has other than printable characters */
export function idempotencyKeyOf(request: ApiRequest): string | undefined {
  const key = headerOf(request, 'idempotency-key')
  if (key !== undefined && !/^[\x20-\x7e]{1,200}$/.test(key)) {
    throw problem(400, 'idempotency-key-invalid', 'An Idempotency-Key has 1 to 200 printable ASCII characters.', {
      errors: [{ header: 'Idempotency-Key', detail: 'It is empty, too long, or has other characters.' }],
    })
  }
  return key
}

/** The revision in `If-Match`. @throws ProblemError (400) for all but one strong entity tag with a number */
export function expectedRevisionOf(request: ApiRequest): number | undefined {
  const tag = headerOf(request, 'if-match')
  if (tag === undefined) return undefined
  const [, digits] = /^"(\d{1,15})"$/.exec(tag) ?? []
  if (digits === undefined) {
    throw problem(400, 'if-match-invalid', 'Send If-Match with the revision in quotes, such as "3".', {
      errors: [{ header: 'If-Match', detail: 'It is no revision in quotes.' }],
    })
  }
  return Number(digits)
}

const longestWaitSeconds = 30

/** How long the client would wait for an outcome, in seconds; 0 where it does not say. Preferences that are not understood are ignored (RFC 7240). */
export function waitSecondsOf(request: ApiRequest): number {
  const [, digits] = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(headerOf(request, 'prefer') ?? '') ?? []
  return Math.min(Number(digits ?? 0), longestWaitSeconds)
}

/**
 * When it happened in the world, for history that is brought in.
 * @param now milliseconds since the epoch
 * @throws ProblemError (403) for who may not import, (400) for what is no time, or not yet
 */
export function occurredAtOf(request: ApiRequest, now: number): string | undefined {
  const sent = headerOf(request, 'daybook-occurred-at')
  if (sent === undefined) return undefined
  const { kind, scopes } = request.principal
  if (kind !== 'staff' || !scopes.has('import')) {
    throw problem(403, 'import-forbidden', 'Only an API key with the scope `import` may send Daybook-Occurred-At.')
  }
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(sent)
    ? Date.parse(sent)
    : Number.NaN
  if (!(time <= now)) {
    throw problem(400, 'occurred-at-invalid', 'Send Daybook-Occurred-At as an ISO 8601 time that has passed.', {
      errors: [{ header: 'Daybook-Occurred-At', detail: 'It is no ISO 8601 time, or not yet.' }],
    })
  }
  return new Date(time).toISOString()
}

const correlationIdPattern = /^[A-Za-z0-9_.-]{8,64}$/

/** True for what may name a chain of requests: it goes into logs and into the log of events. */
export function isCorrelationId(sent: unknown): sent is string {
  return typeof sent === 'string' && correlationIdPattern.test(sent)
}
