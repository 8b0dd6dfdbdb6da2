import createFetchClient from 'openapi-fetch'
import { latestPosition, readingWrites } from './position.ts'
import { isRecord, ProblemError } from './problem-error.ts'
import { type RetryOptions, retryAfterMs, retrying, type Send } from './retry.ts'
import type { Answer, Arguments, Asked, CommandOptions, Item, Method, PagedPaths, PathsOf } from './routes.ts'
import type { paths } from './schema.ts'
import {
  authorised,
  hasExpired,
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
  /** Gives a command. Sent again after a failure, it takes effect once; what can't be sent twice, such as a log-in, is not. */
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
  /**
   * Logs a customer in; from then on the session is refreshed by itself when its token has expired.
   * @returns what became of the guest's cart, which is taken along; null where there was none
   */
  logIn(by: LogIn): Promise<TakenCart | null>
  /** Opens an account by the token of the mail that confirms its address, and logs in. @returns as `logIn` */
  confirm(by: Confirmation): Promise<TakenCart | null>
  /** Chooses a new password by the token of a mail, and logs in. @returns as `logIn` */
  resetPassword(by: Confirmation): Promise<TakenCart | null>
  /** Ends the session. Here it has ended also where the shop can't be told. */
  logOut(): Promise<void>
  /** Who shops; undefined where nobody is known, or a token was given. */
  session(): Session | undefined
}

export interface LogIn {
  readonly email: string
  readonly password: string
}

export interface Confirmation {
  /** Of the mail. */
  readonly token: string
  /** The one that is chosen. */
  readonly password: string
}

/** What became of a guest's cart at a log-in. */
export type TakenCart = NonNullable<Answer<paths, 'post', '/v1/accounts/log-in'>['cart']>

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
interface AnyClient extends Omit<Client, 'get' | 'post' | 'put' | 'delete' | 'paginate'> {
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

/**
 * Of the routes of accounts, those that may be asked again when nobody has answered. The others know no keys: a link of a mail
 * that was used is refused the second time, and a log-in counts as two.
 */
const repeatableOfAccounts = new Set(['refresh', 'log-out', 'take-cart', 'claim-profile'])

function takesKey(method: Method, route: string): boolean {
  const [, ofAccounts] = /^\/v1\/accounts\/(.*)$/.exec(route) ?? []
  return method !== 'get' && (ofAccounts === undefined || repeatableOfAccounts.has(ofAccounts))
}

function headersOf(method: Method, route: string, { idempotencyKey, ifMatch, waitSeconds, correlationId }: Call) {
  return {
    ...(takesKey(method, route) && { 'Idempotency-Key': idempotencyKey ?? newKey() }),
    ...(ifMatch !== undefined && { 'If-Match': `"${ifMatch}"` }),
    ...(waitSeconds !== undefined && { Prefer: `wait=${waitSeconds}` }),
    ...(correlationId !== undefined && { 'Daybook-Correlation-Id': correlationId }),
  }
}

/** The cart in the answer to a log-in: the shop declares it so. */
function takenCartOf(answer: unknown): TakenCart | null {
  return isRecord(answer) && isTakenCart(answer.cart) ? answer.cart : null
}

function isTakenCart(value: unknown): value is TakenCart {
  return isRecord(value) && typeof value.id === 'string' && typeof value.position === 'string'
}

/** The one who calls without a session: by a token that was given, or as nobody. */
function givenTokens({ token, getToken = () => token }: ClientOptions): TokenSource {
  return { get: () => getToken(), renew: async (refused) => await getToken(refused) }
}

/** Makes a client of a shop; it opens no connection of its own. */
export function createClient<Paths extends object = paths>(options: ClientOptions): Client<Paths>
export function createClient(options: ClientOptions): AnyClient {
  const store = options.sessionStore ?? sessionInMemory()
  const latest = latestPosition()
  const send = retrying(options.fetch ?? ((request) => fetch(request)), options.retry)
  const isGiven = options.token !== undefined || options.getToken !== undefined
  const tokens = isGiven ? givenTokens(options) : sessionTokens(store, (session) => refreshed(session))
  const caller = (through: Send) =>
    createFetchClient<AnyPaths>({ baseUrl: options.url, fetch: readingWrites(through, latest), credentials: 'omit' })
  const asAnybody = caller(send)
  const asCaller = caller(authorised(send, tokens))

  async function call(method: Method, route: string, asked: Call = {}, through = asCaller): Promise<unknown> {
    const { path, query, body, signal } = asked
    const { data, error, response } = await through.request(method, route, {
      params: { ...(path && { path }), ...(query && { query }) },
      headers: headersOf(method, route, asked),
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    })
    if (response.ok) return data
    throw new ProblemError(response, error, retryAfterMs(response.headers.get('retry-after'), Date.now()))
  }

  /** A refresh token that was sent twice within seconds gets its first answer, so that it may be sent again. */
  async function refreshed({ refreshToken }: Session): Promise<Session | undefined> {
    try {
      return sessionOf('customer', await call('post', '/v1/accounts/refresh', { body: { refreshToken } }, asAnybody))
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) return undefined
      throw error
    }
  }

  async function begin(route: string, by: LogIn | Confirmation): Promise<TakenCart | null> {
    const before = store.read()
    const body = { ...by, ...(before?.kind === 'guest' && { guestToken: before.token }) }
    const answer = await call('post', route, { body }, asAnybody)
    store.write(sessionOf('customer', answer))
    const cart = takenCartOf(answer)
    if (cart) latest.reached(cart.position)
    return cart
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

  const beginAsGuest = singleFlight(async () => {
    const session = sessionOf('guest', await call('post', '/v1/guest-tokens', {}, asAnybody))
    store.write(session)
    return session
  })

  return {
    get: (route, asked) => call('get', route, asked),
    post: (route, asked) => call('post', route, asked),
    put: (route, asked) => call('put', route, asked),
    delete: (route, asked) => call('delete', route, asked),
    paginate,
    async guest() {
      const session = store.read()
      // Nothing makes a guest's token last longer.
      const isGone = session?.kind === 'guest' && hasExpired(session, Date.now())
      return session === undefined || isGone ? await beginAsGuest() : session
    },
    logIn: (by) => begin('/v1/accounts/log-in', by),
    confirm: (by) => begin('/v1/accounts/confirm', by),
    resetPassword: (by) => begin('/v1/accounts/reset-password', by),
    async logOut() {
      const before = store.read()
      store.write(undefined)
      const tell = async () => {
        const { refreshToken } = before ?? {}
        if (refreshToken !== undefined)
          await call('post', '/v1/accounts/log-out', { body: { refreshToken } }, asAnybody)
      }
      // After a refresh under way of the same token: the shop ends the session by that one, too.
      await (store.exclusively ? store.exclusively(tell) : tell())
    },
    session: () => store.read(),
  }
}
