import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Clock } from '../engine/clock.ts'
import { UnavailableError } from '../engine/errors.ts'
import { derivedId } from '../engine/streams.ts'
import type { Tokens } from './tokens.ts'

/** Another place where customers log in (OpenID Connect), whose tokens are believed by the keys that it publishes. */

export interface OutsideClaims {
  /** The customer here. */
  readonly customerId: string
  readonly expiresAt: number
  /** Until then, by the clock that nobody sets, its key is believed without asking again. */
  readonly keyGoodUntil: number
  /** Absent unless the issuer has verified it. */
  readonly email?: string
  readonly name?: string
}

export interface Issuer {
  /** Whether a token says that it is from there. */
  isFrom(token: string): boolean
  /**
   * @returns undefined for what is forged, expired, or not meant for this shop
   * @throws UnavailableError when its key is not known, and can't be asked for now
   */
  claimsOf(token: string): Promise<OutsideClaims | undefined>
}

export interface IssuerOptions {
  /** As the tokens say it. */
  readonly issuer: string
  readonly jwksUrl: string
  readonly audience: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly timeoutMs?: number
  /** How soon after a question for keys the next one may follow. */
  readonly cooldownMs?: number
}

/** Only those whose verifying key can't sign. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const keysGoodForMs = 600_000
/** What says that the keys were asked for, and this one is not among them. */
const notThere = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

const Claims = z.object({
  sub: z.string().min(1).max(255),
  exp: z.number(),
  email: z.email().max(254).optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  name: z.string().trim().min(1).max(200).optional().catch(undefined),
})

/** The customer of somebody there: always the same one, and of another issuer another one. */
function customerIdOf(issuer: string, subject: string): string {
  return derivedId('issuer', issuer, subject)
}

export function outsideIssuer(options: IssuerOptions): Issuer {
  const { issuer, audience, clock } = options
  const remote = createRemoteJWKSet(new URL(options.jwksUrl), {
    timeoutDuration: options.timeoutMs ?? 5_000,
    cooldownDuration: options.cooldownMs ?? 30_000,
    cacheMaxAge: Number.POSITIVE_INFINITY, // renewed below, so that nobody waits for a server that is down
  })
  let askedAt = clock.monotonic()
  /** When the keys that are known were good. */
  let knownAt = askedAt

  /** Asks for the keys from time to time, so that one that was withdrawn is no longer believed. */
  function renewKeys(): void {
    const now = clock.monotonic()
    if (now - askedAt < keysGoodForMs) return
    askedAt = now
    remote.reload().then(
      () => {
        knownAt = now
      },
      () => {}, // those that are known go on
    )
  }

  const keyOf: JWTVerifyGetKey = async (header, token) => {
    renewKeys()
    try {
      return await remote(header, token)
    } catch (error) {
      if (notThere.some((kind) => error instanceof kind)) throw error
      const detail = 'The keys of the issuer of this token can’t be asked for now. Try again.'
      throw new UnavailableError('issuer-unavailable', detail, 5, { cause: error })
    }
  }

  return {
    isFrom(token) {
      try {
        return decodeJwt(token).iss === issuer
      } catch {
        return false
      }
    },

    async claimsOf(token) {
      // Before the key is looked up: keys that arrive meanwhile say nothing of the one that verifies this token.
      const keyGoodUntil = knownAt + keysGoodForMs
      let payload: JWTPayload
      try {
        const rules = {
          algorithms,
          issuer,
          audience,
          currentDate: new Date(clock.now()),
          requiredClaims: ['exp', 'sub'],
        }
        payload = (await jwtVerify(token, keyOf, rules)).payload
      } catch (error) {
        if (error instanceof UnavailableError) throw error
        return undefined
      }
      const claims = Claims.safeParse(payload)
      if (!claims.success) return undefined
      const { sub, exp, email, email_verified: isVerified, name } = claims.data
      return {
        customerId: customerIdOf(issuer, sub),
        expiresAt: exp * 1_000,
        keyGoodUntil,
        ...(email !== undefined && isVerified === true && { email }),
        ...(name !== undefined && { name }),
      }
    },
  }
}

/** Tokens of this shop and of an outside issuer, each verified by its own keys. */
export function withIssuer(own: Tokens, issuer: Issuer | undefined): Tokens {
  if (issuer === undefined) return own
  return {
    issue: own.issue,
    async verify(token) {
      if (!issuer.isFrom(token)) return await own.verify(token)
      const claims = await issuer.claimsOf(token)
      if (claims === undefined) return undefined
      const { customerId: id, expiresAt, keyGoodUntil: rememberUntil } = claims
      return { principal: { kind: 'customer', id, scopes: new Set() }, expiresAt, rememberUntil }
    },
  }
}
