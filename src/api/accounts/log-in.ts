import type { z } from 'zod'
import type { guestCarts } from '../../accounts/guest-cart.ts'
import type { Refreshed, Sessions } from '../../accounts/sessions.ts'
import { Rejection, reject } from '../../engine/errors.ts'
import type { ApiRequest } from '../exchange.ts'
import type { PositionTokens } from '../position-token.ts'
import type { Tokens } from '../tokens.ts'
import type { LoggedIn, SessionTokens, TakenCart } from './schemas.ts'

/** What a log-in gives, whichever way somebody has shown who they are. */
export interface LogIns {
  begin(asked: {
    readonly customerId: string
    readonly guestToken: string | undefined
    readonly request: Pick<ApiRequest, 'correlationId'>
  }): Promise<z.output<typeof LoggedIn>>
  /** The tokens of a session. */
  tokensOf(refreshed: Refreshed): Promise<z.output<typeof SessionTokens>>
  /** Takes a guest's cart along. @throws Rejection when the token is not a guest's */
  takeCart(
    guestToken: string,
    customerId: string,
    request: Pick<ApiRequest, 'correlationId'>,
  ): Promise<z.output<typeof TakenCart> | null>
}

export interface LogInOptions {
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly take: ReturnType<typeof guestCarts>
  readonly positions: PositionTokens
  /** Told when the shop could not take a cart: the log-in goes on without it. What was sent may be wrong, which is no failure. */
  readonly onFailure: (error: unknown) => void
}

export function logIns({ tokens, sessions, take, positions, onFailure }: LogInOptions): LogIns {
  async function tokensOf({ session, refreshToken }: Refreshed): Promise<z.output<typeof SessionTokens>> {
    const { id: sessionId, customerId, expiresAt } = session
    const issued = await tokens.issue('customer', customerId, sessionId)
    return { customerId, sessionId, ...issued, refreshToken, refreshExpiresAt: new Date(expiresAt).toISOString() }
  }

  async function takeCart(
    guestToken: string,
    customerId: string,
    { correlationId }: Pick<ApiRequest, 'correlationId'>,
  ): Promise<z.output<typeof TakenCart> | null> {
    const found = await tokens.verify(guestToken)
    if (found?.principal.kind !== 'guest') {
      throw reject('guest-token-invalid', 'This is not a good token of a guest. Send it without, or with a good one.')
    }
    const taken = await take({ guestId: found.principal.id, customerId, correlationId })
    return taken === undefined ? null : { ...taken, position: positions.tokenOf(taken.position) }
  }

  return {
    tokensOf,
    takeCart,

    async begin({ customerId, guestToken, request }) {
      const begun = await tokensOf(await sessions.begin(customerId))
      if (guestToken === undefined) return { ...begun, cart: null }
      const cart = await takeCart(guestToken, customerId, request).catch((error: unknown) => {
        if (!(error instanceof Rejection)) onFailure(error)
        return null
      })
      return { ...begun, cart }
    },
  }
}
