/** One fault of a request: where it is, and what is wrong there. */
export interface Fault {
  readonly detail: string
  /** JSON pointer into the body, as a URI fragment (RFC 6901). */
  readonly pointer?: string
  /** Name of a parameter of path or query string. */
  readonly parameter?: string
  readonly header?: string
}

/** What the shop answered in place of what was asked for: an RFC 9457 problem. Switch on `code`; `message` is for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  /** Of HTTP. */
  readonly status: number
  /** Stable, in kebab-case. `no-problem` where something between here and the shop answered in its own words. */
  readonly code: string
  /** One sentence for a person, which says what to do. */
  readonly detail: string
  /** What is wrong with the request, place by place. */
  readonly errors: readonly Fault[]
  /** Facts about it, by code. */
  readonly details: Readonly<Record<string, unknown>>
  /** How long to wait before it is worth another try; undefined where the shop does not say. */
  readonly retryAfterMs: number | undefined
  /** Names the request in the shop's logs. */
  readonly correlationId: string | undefined

  /**
   * @param body what was answered, parsed if it was JSON
   * @param retryAfterMs what `Retry-After` says
   */
  constructor(response: Pick<Response, 'status' | 'headers'>, body: unknown, retryAfterMs: number | undefined) {
    const problem = isRecord(body) ? body : {}
    const detail =
      textOf(problem.detail) ?? `The shop answered ${response.status}, and does not say why. Try again later.`
    super(detail)
    this.status = response.status
    this.code = textOf(problem.code) ?? 'no-problem'
    this.detail = detail
    this.errors = Array.isArray(problem.errors) ? problem.errors.filter(isFault) : []
    this.details = isRecord(problem.details) ? problem.details : {}
    this.retryAfterMs = retryAfterMs
    this.correlationId = textOf(problem.correlationId) ?? response.headers.get('daybook-correlation-id') ?? undefined
  }
}

/** Nobody answered, however often it was tried; `cause` says why. What was sent may have taken effect all the same. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  constructor(cause: unknown) {
    super('The shop can’t be reached. Look whether there is a network, and try again.', { cause })
  }
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFault(value: unknown): value is Fault {
  return isRecord(value) && typeof value.detail === 'string'
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
