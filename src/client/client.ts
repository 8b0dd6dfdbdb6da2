import createFetchClient from 'openapi-fetch'
import { readingWrites } from './position.ts'
import { isRecord, ProblemError } from './problem-error.ts'
import { type RetryOptions, retryAfterMs, retrying, type Send } from './retry.ts'
import type { Answer, Arguments, Asked, CommandOptions, Item, Method, PagedPaths, PathsOf } from './routes.ts'
import type { paths } from './schema.ts'
import {
  authorised,
  type Session,
  type SessionStore,
  sessionInMemory,
  sessionOf,
  sessionTokens,
  singleFlight,
  type TokenSource,
} from './session.ts'

export { type Fault, ProblemError, UnreachableError } from './problem-error.ts'
export type { RetryOptions } from './retry.ts'
export type { Answer, Asked, CommandOptions, Item, RequestOptions } from './routes.ts'
export type { paths } from './schema.ts'
export type { Session, SessionStore } from './session.ts'

/** Where the shop is, and who calls. Of `token`, `getToken` and `sessionStore` at most one. */
export interface ClientOptions {
  /** Address of the API, such as `https://shop.example`. */
  readonly url: string
  /** An API key, or a token that lasts as long as the client. */
  readonly token?: string
  /** Gives the token of each request; asked once more, with the token that was refused, when one was. */
  readonly getToken?: (refused?: string) => string | undefined | Promise<string | undefined>
  /** Keeps the session of a guest or customer, as over the loading of a page; in memory if absent. */
  readonly sessionStore?: SessionStore
  /** In place of the global one. */
  readonly fetch?: (request: Request) => Promise<Response>
  readonly retry?: RetryOptions
}

/**
 * Calls a shop. Each call gives what was answered, parsed, or throws: ProblemError where the shop refused, UnreachableError
 * where nobody answered, the reason of `signal` where that was given, TypeError for an address that is none.
 * @template Paths of a shop with commands and queries of its own, as openapi-typescript makes them
 */
export interface Client<Paths = paths> {
  /** Asks a query; it shows what this client's commands have done. */
  get<Path extends PathsOf<Paths, 'get'>>(
    path: Path,
    ...asked: Arguments<Asked<Paths, 'get', Path>>
  ): Promise<Answer<Paths, 'get', Path>>
  /** Gives a command. Sent again after a failure, it takes effect once. */
  post<Path extends PathsOf<Paths, 'post'>>(
    path: Path,
    ...asked: Arguments<Asked<Paths, 'post', Path>>
  ): Promise<Answer<Paths, 'post', Path>>
  put<Path extends PathsOf<Paths, 'put'>>(
    path: Path,
    ...asked: Arguments<Asked<Paths, 'put', Path>>
  ): Promise<Answer<Paths, 'put', Path>>
  delete<Path extends PathsOf<Paths, 'delete'>>(
    path: Path,
    ...asked: Arguments<Asked<Paths, 'delete', Path>>
  ): Promise<Answer<Paths, 'delete', Path>>
  /** All items of a query that answers in pages, fetched as they are asked for; `limit` of the query is the size of a page. */
  paginate<Path extends PagedPaths<Paths>>(
    path: Path,
    ...asked: Arguments<Asked<Paths, 'get', Path>>
  ): AsyncGenerator<Item<Paths, Path>, void, undefined>
  /** Begins to shop as a guest, unless there is a session. @returns the session */
  guest(): Promise<Session>
  /** Who shops; undefined where nobody is known, or a token was given. */
  session(): Session | undefined
}

/** A call as it is sent, whatever its route. */
interface Call extends CommandOptions {
  readonly path?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

/** The routes as openapi-fetch sees them: they are typed above. */
type AnyPaths = Readonly<
  Record<
    string,
    Readonly<
      Record<
        Method,
        {
          readonly parameters: { readonly path?: Call['path']; readonly query?: Call['query'] }
          readonly requestBody?: { readonly content: { readonly 'application/json': unknown } }
          readonly responses: Readonly<Record<200, { readonly content: { readonly 'application/json': unknown } }>>
        }
      >
    >
  >
>

/** A client whatever its routes. */
interface AnyClient extends Pick<Client, 'guest' | 'session'> {
  get(route: string, asked?: Call): Promise<unknown>
  post(route: string, asked?: Call): Promise<unknown>
  put(route: string, asked?: Call): Promise<unknown>
  delete(route: string, asked?: Call): Promise<unknown>
  paginate(route: string, asked?: Call): AsyncGenerator<unknown, void, undefined>
}

/** A random value for each new request. Not `crypto.randomUUID()`, which pages have only where they are served by HTTPS. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function headersOf(method: Method, { idempotencyKey, ifMatch, waitSeconds, correlationId }: Call) {
  return {
    ...(method !== 'get' && { 'Idempotency-Key': idempotencyKey ?? newKey() }),
    ...(ifMatch !== undefined && { 'If-Match': `"${ifMatch}"` }),
    ...(waitSeconds !== undefined && { Prefer: `wait=${waitSeconds}` }),
    ...(correlationId !== undefined && { 'Daybook-Correlation-Id': correlationId }),
  }
}

/** The one who calls without a session: by a token that was given, or as nobody. */
function givenTokens({ token, getToken = () => token }: ClientOptions): TokenSource {
  return { get: () => getToken(), renew: async (refused) => await getToken(refused) }
}

/** Makes a client of a shop; it opens no connection of its own. */
export function createClient<Paths extends object = paths>(options: ClientOptions): Client<Paths>
export function createClient(options: ClientOptions): AnyClient {
  const store = options.sessionStore ?? sessionInMemory()
  const transport: Send = options.fetch ?? ((request) => fetch(request))
  const tokens =
    options.token === undefined && options.getToken === undefined
      ? sessionTokens(store, async () => undefined)
      : givenTokens(options)
  const send = readingWrites(authorised(retrying(transport, options.retry), tokens))
  const requests = createFetchClient<AnyPaths>({ baseUrl: options.url, fetch: send, credentials: 'omit' })

  async function call(method: Method, route: string, asked: Call = {}): Promise<unknown> {
    const { path, query, body, signal } = asked
    const { data, error, response } = await requests.request(method, route, {
      params: { ...(path && { path }), ...(query && { query }) },
      headers: headersOf(method, asked),
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    })
    if (response.ok) return data
    throw new ProblemError(response, error, retryAfterMs(response.headers.get('retry-after'), Date.now()))
  }

  async function* paginate(route: string, asked: Call = {}): AsyncGenerator<unknown, void, undefined> {
    let cursor: unknown
    do {
      const query = { ...asked.query, ...(typeof cursor === 'string' && { cursor }) }
      const page = await call('get', route, { ...asked, query })
      if (!isRecord(page) || !Array.isArray(page.items)) throw new TypeError(`${route} does not answer in pages.`)
      yield* page.items
      cursor = page.next
    } while (typeof cursor === 'string')
  }

  const begin = singleFlight(async () => {
    const session = sessionOf('guest', await call('post', '/v1/guest-tokens'))
    store.write(session)
    return session
  })

  return {
    get: (route, asked) => call('get', route, asked),
    post: (route, asked) => call('post', route, asked),
    put: (route, asked) => call('put', route, asked),
    delete: (route, asked) => call('delete', route, asked),
    paginate,
    guest: async () => store.read() ?? (await begin()),
    session: () => store.read(),
  }
}
