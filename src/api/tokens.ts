import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Principal } from '../engine/access.ts'
import type { Clock } from '../engine/clock.ts'

/** The tokens of customers and guests: signed, short-lived, and good without a look into any store. */

export interface Token {
  readonly token: string
  /** ISO 8601. */
  readonly expiresAt: string
}

export interface VerifiedToken {
  readonly principal: Principal
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /**
   * By when it is to be verified again, by the clock that nobody sets, for its key may have been withdrawn; absent where it is good
   * until it expires.
   */
  readonly rememberUntil?: number
}

export interface Tokens {
  /** @param sessionId of an account, with which the token ends */
  issue(kind: 'customer' | 'guest', id: string, sessionId?: string): Promise<Token>
  /** @returns who it is and until when; undefined for what is forged, expired or not meant for this server */
  verify(token: string): Promise<VerifiedToken | undefined>
}

export interface TokenOptions {
  /** The first one signs; all of them are believed, so that secrets can be changed without logging everybody out. */
  readonly keys: readonly { readonly kid: string; readonly secret: Uint8Array }[]
  /**
   * For whom the tokens are: tokens for another shop with the same secret are refused. The first one is written into new
   * tokens; all of them are believed.
   */
  readonly audiences: readonly string[]
  /** Customers log in again, or are given another token; a guest's is all that a guest has. */
  readonly lifetimesMs: Readonly<Record<'customer' | 'guest', number>>
  readonly clock: Clock
}

const issuer = 'daybook'
const algorithm = 'HS256'
const Claims = z.object({
  kind: z.enum(['customer', 'guest']),
  sub: z.string().min(1).max(100),
  sid: z.uuid().optional(),
  exp: z.number(),
})

export function tokens({ keys, audiences, lifetimesMs, clock }: TokenOptions): Tokens {
  const [signing] = keys
  if (!signing) throw new Error('Tokens need a secret to be signed with')
  const [audience] = audiences
  if (audience === undefined) throw new Error('Tokens need an audience')
  const secrets = new Map(keys.map(({ kid, secret }) => [kid, secret]))
  return {
    async issue(kind, id, sessionId) {
      const issuedAt = Math.floor(clock.now() / 1_000)
      const expiresAt = issuedAt + Math.floor(lifetimesMs[kind] / 1_000)
      const token = await new SignJWT({ kind, ...(sessionId !== undefined && { sid: sessionId }) })
        .setProtectedHeader({ alg: algorithm, kid: signing.kid, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(signing.secret)
      return { token, expiresAt: new Date(expiresAt * 1_000).toISOString() }
    },

    async verify(token) {
      const options = { algorithms: [algorithm], issuer, audience: [...audiences], currentDate: new Date(clock.now()) }
      const keyOf = ({ kid }: { kid?: string }) => {
        const secret = secrets.get(kid ?? '')
        if (!secret) throw new Error('There is no such key')
        return secret
      }
      try {
        const { payload } = await jwtVerify(token, keyOf, options)
        const { kind, sub, sid, exp } = Claims.parse(payload)
        const principal = { kind, id: sub, scopes: new Set<string>(), ...(sid !== undefined && { sessionId: sid }) }
        return { principal, expiresAt: exp * 1_000 }
      } catch {
        return undefined
      }
    },
  }
}
