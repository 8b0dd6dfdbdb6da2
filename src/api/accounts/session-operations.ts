import { z } from 'zod'
import type { Customers } from '../../accounts/customer-accounts.ts'
import type { Session, Sessions } from '../../accounts/sessions.ts'
import { EmailAddress, Id, Timestamp } from '../../domain/values.ts'
import { type Principal, shopper } from '../../engine/access.ts'
import { notFound, reject } from '../../engine/errors.ts'
import { headerOf } from '../exchange.ts'
import type { Issuer } from '../issuer.ts'
import { type Operation, operation } from '../operation-route.ts'
import { unauthenticated } from '../problems.ts'
import { readByShopper, sentByAnyone, sentByShopper } from './asking.ts'
import type { LogIns } from './log-in.ts'
import { GuestToken, RefreshTokenText, SessionTokens, TakenCart } from './schemas.ts'

/** What people do with the sessions that they have. */

export interface SessionOperationOptions {
  readonly sessions: Sessions
  readonly logIns: LogIns
  readonly customers: Customers
  /** Of another place where customers log in; undefined where there is none. */
  readonly issuer: Issuer | undefined
  readonly requestsPerMinute: number
}

export const ShownSession = z.object({
  id: z.uuid().meta({ description: 'Session', example: '0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88' }),
  beganAt: Timestamp.meta({ description: 'When somebody logged in', example: '2026-02-14T09:30:00.000Z' }),
  usedAt: Timestamp.meta({ description: 'When it was last refreshed', example: '2026-02-14T09:45:00.000Z' }),
  expiresAt: Timestamp.meta({ description: 'When it ends', example: '2026-03-16T09:45:00.000Z' }),
})

export function shownSession({ id, ...times }: Session): z.output<typeof ShownSession> {
  const instant = (at: number) => new Date(at).toISOString()
  return {
    id,
    beganAt: instant(times.beganAt),
    usedAt: instant(times.usedAt),
    expiresAt: instant(times.expiresAt),
  }
}

/** Only customers have sessions. @throws Rejection for guests */
function customerIdOf({ kind, id }: Principal): string {
  if (kind !== 'customer') throw reject('not-logged-in', 'A guest has no account. Log in first.')
  return id
}

function refreshOperation({ sessions, logIns, customers }: SessionOperationOptions): Operation {
  return operation({
    name: 'refreshSession',
    ...sentByAnyone,
    path: '/v1/accounts/refresh',
    summary: 'Get the next access token',
    description:
      'A refresh token is good once: the answer has the next one. Sent again within 30 seconds, while its successor was not used, it gets the same answer, for an answer can be lost; later it ends the session, for then somebody else has it, too.',
    body: z.object({ refreshToken: RefreshTokenText }),
    result: SessionTokens,
    status: 201,
    async run({ body: { refreshToken } }) {
      const refreshed = await sessions.refresh(refreshToken)
      if (refreshed === undefined || !(await customers.isRegistered(refreshed.session.customerId))) {
        throw unauthenticated('refresh-token-invalid', 'This refresh token is not good, or was used. Log in anew.')
      }
      return await logIns.tokensOf(refreshed)
    },
  })
}

function logOutOperation({ sessions }: SessionOperationOptions): Operation {
  return operation({
    name: 'logOut',
    ...sentByAnyone,
    path: '/v1/accounts/log-out',
    summary: 'Log out',
    description:
      'Ends the session of the access token, or of a refresh token that is sent; with `everywhere` all sessions of the customer, for which the access token is needed. Access tokens that are left are refused from then on, by the other processes of a cluster within about a second; while one can’t find out that the session has ended, it accepts them until they expire.',
    body: z.object({
      refreshToken: RefreshTokenText.exactOptional(),
      everywhere: z.boolean().default(false).meta({ description: 'End all sessions', example: false }),
    }),
    status: 204,
    async run({ body: { refreshToken, everywhere }, principal }) {
      if (principal.kind === 'customer' && everywhere) return await sessions.endAll(principal.id)
      if (everywhere) throw unauthenticated('token-required', 'Send the access token to log out everywhere.')
      const ended = refreshToken === undefined ? undefined : await sessions.refresh(refreshToken)
      if (ended) await sessions.end(ended.session.customerId, ended.session.id)
      if (principal.kind === 'customer' && principal.sessionId !== undefined)
        await sessions.end(principal.id, principal.sessionId)
    },
  })
}

function listSessionsOperation({ sessions }: SessionOperationOptions): Operation {
  return operation({
    name: 'listSessions',
    ...readByShopper,
    path: '/v1/accounts/sessions',
    summary: 'Where the customer has logged in, used last first',
    result: z.object({
      items: z.array(ShownSession).meta({ description: 'Sessions, at most 50' }),
      current: z
        .uuid()
        .nullable()
        .meta({ description: 'The session that asks', example: '0198f0c2-7777-4a34-9b0e-3f2c1d5a7b88' }),
    }),
    status: 200,
    async run({ principal }) {
      const found = await sessions.list(customerIdOf(principal))
      return { items: found.map(shownSession), current: principal.sessionId ?? null }
    },
  })
}

function endSessionOperation({ sessions }: SessionOperationOptions): Operation {
  return operation({
    name: 'endSession',
    method: 'DELETE',
    path: '/v1/accounts/sessions/{sessionId}',
    summary: 'End a session',
    who: shopper(),
    parameters: z.object({ sessionId: ShownSession.shape.id }),
    status: 204,
    async run({ parameters: { sessionId }, principal }) {
      if (!(await sessions.end(customerIdOf(principal), sessionId))) throw notFound('session', sessionId)
    },
  })
}

function meOperation({ customers }: SessionOperationOptions): Operation {
  return operation({
    name: 'whoAmI',
    ...readByShopper,
    path: '/v1/accounts/me',
    summary: 'Who the token stands for',
    result: z.object({
      customerId: Id.meta({ description: 'Customer or guest', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
      kind: z.enum(['customer', 'guest']).meta({ description: 'Whether it is a guest', example: 'customer' }),
      registered: z.boolean().meta({ description: 'Whether the shop knows name and address', example: true }),
      email: EmailAddress.nullable().meta({ description: 'E-mail address, if known', example: 'ada@example.com' }),
      name: z.string().nullable().meta({ description: 'Name, if known', example: 'Ada Lovelace' }),
    }),
    status: 200,
    async run({ principal: { id, kind } }) {
      const profile = kind === 'customer' ? await customers.profile(id) : undefined
      return {
        customerId: id,
        kind: kind === 'customer' ? ('customer' as const) : ('guest' as const),
        registered: profile !== undefined,
        email: profile?.email ?? null,
        name: profile?.name ?? null,
      }
    },
  })
}

function takeCartOperation({ logIns }: SessionOperationOptions): Operation {
  return operation({
    name: 'takeGuestCart',
    ...sentByShopper,
    path: '/v1/accounts/take-cart',
    summary: "Take a guest's cart along",
    description:
      'What a log-in does with `guestToken`; for those who log in elsewhere, and where that could not be done.',
    body: z.object({ guestToken: GuestToken }),
    result: z.object({ cart: TakenCart.nullable().meta({ description: 'Null where there was none to take' }) }),
    status: 200,
    run: async ({ body: { guestToken }, principal, request }) => ({
      cart: await logIns.takeCart(guestToken, customerIdOf(principal), request),
    }),
  })
}

function claimProfileOperation({ customers, issuer, requestsPerMinute }: SessionOperationOptions): Operation {
  return operation({
    name: 'claimProfile',
    ...sentByShopper,
    path: '/v1/accounts/claim-profile',
    summary: 'Register the customer of an outside token',
    description:
      'For shops whose customers log in elsewhere (DAYBOOK_ISSUER). The token must carry `email`, `email_verified` and, unless it is sent, `name`. Asked twice it changes nothing.',
    requestsPerMinute,
    body: z.object({
      name: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .exactOptional()
        .meta({ description: 'Full name', example: 'Ada Lovelace' }),
    }),
    result: z.object({
      customerId: Id.meta({ description: 'Customer', example: '0198f0c2-1111-5a34-9b0e-3f2c1d5a7b88' }),
    }),
    status: 200,
    async run({ body, principal, request }) {
      const [, token = ''] = headerOf(request, 'authorization')?.split(/ +/) ?? []
      const claimed = await issuer?.claimsOf(token)
      if (claimed === undefined || principal.kind !== 'customer')
        throw reject(
          'token-not-outside',
          'This is for tokens of another issuer. Customers of this shop are registered.',
        )
      const name = body.name ?? claimed.name
      if (claimed.email === undefined || name === undefined)
        throw reject('profile-missing', 'The token must carry `email` with `email_verified`, and `name`.')
      if ((await customers.profile(principal.id)) === undefined)
        await customers.register(principal.id, { email: claimed.email, name }, request.correlationId)
      return { customerId: principal.id }
    },
  })
}

/** What somebody with a session can ask for. */
export function sessionOperations(options: SessionOperationOptions): readonly Operation[] {
  return [
    refreshOperation(options),
    logOutOperation(options),
    listSessionsOperation(options),
    endSessionOperation(options),
    meOperation(options),
    takeCartOperation(options),
    claimProfileOperation(options),
  ]
}
