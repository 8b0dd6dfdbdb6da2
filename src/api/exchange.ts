import type { Access, Principal } from '../engine/access.ts'

/** A request as a route sees it: authenticated, its body parsed as JSON and nothing more. */
export interface ApiRequest {
  readonly principal: Principal
  readonly correlationId: string
  /** Where it came from, as far as proxies are believed; of IPv6 the network (a /64). */
  readonly address: string
  /** Of the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>
  /** Of the query string; a name that is given several times has all of its values. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: unknown
  /** Waits for what others bring about; meanwhile this request keeps none of them from being taken. */
  standBy<T>(wait: () => Promise<T>): Promise<T>
}

/** An answer of a route; errors are thrown. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON; empty for an answer without a body. */
  readonly body: string
}

/** What the server needs to know of a route. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With parameters in braces. */
  readonly path: string
  readonly who: Access<never>
  /** Where it has a limit of its own, beside that of all requests of a caller. */
  readonly requestsPerMinute?: number
  answer(request: ApiRequest): Promise<ApiAnswer>
}

/** One value of a header, undefined if it is absent. Node.js joins headers that are sent twice, so they fit no pattern. */
export function headerOf({ headers }: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}
