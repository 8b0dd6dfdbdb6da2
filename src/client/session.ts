import { isRecord } from './problem-error.ts'
import type { Send } from './retry.ts'

/** Who shops: a guest, or a customer who has logged in. */
export interface Session {
  readonly kind: 'guest' | 'customer'
  readonly customerId: string
  /** The access token. */
  readonly token: string
  /** ISO 8601, by the shop's clock. */
  readonly expiresAt: string
  /** Works once. Absent where a session can't be made to last longer. */
  readonly refreshToken?: string
}

/** Where a session is kept; by default in memory. */
export interface SessionStore {
  read(): Session | undefined
  /** @param session undefined when there is none any more */
  write(session: Session | undefined): void
  /**
   * Runs something that nobody else who has the same store may do at the same time: two pages that refresh one session
   * together would end it, for a refresh token works once. By default it is simply run. Reading and writing may go on meanwhile.
   */
  exclusively?<T>(work: () => Promise<T>): Promise<T>
}

/** Reads the session out of an answer with tokens. @throws TypeError for another answer */
export function sessionOf(kind: Session['kind'], answer: unknown): Session {
  const { token, customerId, expiresAt, refreshToken } = isRecord(answer) ? answer : {}
  if (typeof token !== 'string' || typeof customerId !== 'string' || typeof expiresAt !== 'string') {
    throw new TypeError('The shop answered no token. Look whether the address is that of its API.')
  }
  return { kind, customerId, token, expiresAt, ...(typeof refreshToken === 'string' && { refreshToken }) }
}

/** Where requests get their token from. */
export interface TokenSource {
  get(): string | undefined | Promise<string | undefined>
  /**
   * Asked once when a token was refused.
   * @returns another one, or undefined where there is none
   */
  renew(refused: string): Promise<string | undefined>
}

/** Keeps a session in memory: it ends with the page or the process. */
export function sessionInMemory(): SessionStore {
  let kept: Session | undefined
  return {
    read: () => kept,
    write(session) {
      kept = session
    },
  }
}

/**
 * Runs something once for all who ask for it while it is under way.
 * @returns what gives each of them the one outcome
 */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let flight: Promise<T> | undefined
  return () => {
    flight ??= work().finally(() => {
      flight = undefined
    })
    return flight
  }
}

/** An access token is refreshed so long before it expires, for its way to the shop takes time. */
const aheadMs = 5_000

/** Whether a session has expired, as far as the clock here can tell. */
export function hasExpired({ expiresAt }: Session, nowMs: number): boolean {
  return Date.parse(expiresAt) - aheadMs < nowMs
}

/**
 * The tokens of a session, refreshed when one has expired or was refused: once for all requests that find out together.
 * @param refresh gives the session that follows from one, or undefined where it has ended
 */
export function sessionTokens(
  store: SessionStore,
  refresh: (session: Session) => Promise<Session | undefined>,
): TokenSource {
  const renewed = singleFlight(async () => {
    const before = store.read()
    const renew = async () => {
      const session = store.read()
      // Another page may have refreshed it while this one waited.
      if (!session || session.token !== before?.token) return
      const next = session.refreshToken === undefined ? undefined : await refresh(session)
      // Who logged out or in meanwhile has ended this one.
      const present = store.read()
      if (present?.token === session.token && present.refreshToken === session.refreshToken) store.write(next)
    }
    await (store.exclusively ? store.exclusively(renew) : renew())
  })
  // Where the clock here is ahead of the shop's, new tokens look expired, too: then the shop alone can tell.
  let isClockOff = false
  return {
    async get() {
      const session = store.read()
      if (session?.refreshToken === undefined || isClockOff || !hasExpired(session, Date.now())) return session?.token
      await renewed()
      const next = store.read()
      isClockOff = next !== undefined && hasExpired(next, Date.now())
      return next?.token
    },
    async renew(refused) {
      if (store.read()?.token === refused) await renewed()
      return store.read()?.token
    },
  }
}

function withToken(request: Request, token: string): Request {
  const sent = new Request(request.clone())
  sent.headers.set('authorization', `Bearer ${token}`)
  return sent
}

/** Sends requests with a token, and once more with another one when it is refused. */
export function authorised(send: Send, tokens: TokenSource): Send {
  return async (request) => {
    const token = await tokens.get()
    if (token === undefined) return await send(request)
    const answer = await send(withToken(request, token))
    if (answer.status !== 401) return answer
    const other = await tokens.renew(token)
    return other === undefined || other === token ? answer : await send(withToken(request, other))
  }
}
