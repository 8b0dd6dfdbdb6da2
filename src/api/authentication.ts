import { createHash, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { anonymous, type Principal } from '../engine/access.ts'
import type { Clock } from '../engine/clock.ts'
import { problem, unauthenticated } from './problems.ts'
import type { Tokens, VerifiedToken } from './tokens.ts'

/** What is known of an API key; of its secret only the SHA-256, in hex. */
export interface ApiKeyRecord {
  readonly scopes: readonly string[]
  readonly secretHash: string
}

export interface AuthenticationOptions {
  readonly tokens: Tokens
  /** An API key that is good; undefined if there is none with this id, or it was revoked. */
  findApiKey(id: string): Promise<ApiKeyRecord | undefined>
  /** Whether a customer or guest was forgotten: what they would enter now could be kept for nobody. */
  isForgotten(id: string): Promise<boolean>
  /** Whether a session was ended; false, too, where that can't be found out now. Absent where there are no sessions. */
  isEnded?(sessionId: string): Promise<boolean>
  /** With this token everything may be asked, from this very machine only. */
  readonly adminToken?: string
  /** All scopes that there are. */
  readonly scopes: readonly string[]
  readonly clock: Clock
}

export interface Credentials {
  readonly authorization: string | undefined
  /** Address that the request came from; of IPv6 the network (a /64). */
  readonly address: string
  /** True if it came from this very machine, and not through a proxy on it. */
  readonly isLocal: boolean
}

/** Whoever runs commands on this machine. No API key can have this id: theirs have no underscore. */
export const localAdminId = 'local_admin'

const cachedTokens = 20_000
const maxFailuresPerMinute = 100

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Compares in a time that tells nothing of where the two differ. */
function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * Finds out who asks. Tokens that were verified are remembered until they expire, those of an outside issuer as long as its
 * keys are; API keys are looked up each time, so that one that is revoked is refused at once.
 * @returns a function that throws ProblemError (401) for a token that is not good, (429) when an address has tried too many
 */
export function authentication(options: AuthenticationOptions): (credentials: Credentials) => Promise<Principal> {
  const { tokens, clock, findApiKey, isForgotten } = options
  const adminHash = options.adminToken === undefined ? undefined : sha256(options.adminToken)
  const admin: Principal = { kind: 'staff', id: localAdminId, scopes: new Set(options.scopes) }
  const verified = new LRUCache<string, VerifiedToken>({ max: cachedTokens })
  /** Tokens of API keys that were good when they were last sent: failures of others at their address don't count for them. */
  const trusted = new LRUCache<string, true>({ max: cachedTokens })
  const failures = new LRUCache<string, number>({ max: 10_000, ttl: 60_000, noUpdateTTL: true })

  async function staffOf(keyId: string, secret: string): Promise<Principal | undefined> {
    const found = await findApiKey(keyId)
    if (!found || !isSame(sha256(secret), Buffer.from(found.secretHash, 'hex'))) return undefined
    return { kind: 'staff', id: keyId, scopes: new Set(found.scopes) }
  }

  async function verify(token: string, isLocal: boolean): Promise<Principal | undefined> {
    const [, keyId, secret] = /^dbk_([A-Za-z0-9.~-]{1,100})_([A-Za-z0-9_-]{1,200})$/.exec(token) ?? []
    if (keyId !== undefined && secret !== undefined) {
      const principal = await staffOf(keyId, secret)
      if (principal) trusted.set(token, true)
      else trusted.delete(token)
      return principal
    }
    const kept = verified.get(token)
    const isKeyGood = clock.monotonic() < (kept?.rememberUntil ?? Number.POSITIVE_INFINITY)
    const remembered = kept && clock.now() < kept.expiresAt && isKeyGood ? kept : undefined
    if (!remembered && adminHash && isLocal && isSame(sha256(token), adminHash)) return admin
    const known = remembered ?? (await tokens.verify(token))
    if (!known || known.expiresAt <= clock.now()) {
      verified.delete(token)
      return undefined
    }
    if (!remembered) verified.set(token, known)
    const { sessionId } = known.principal
    if (sessionId !== undefined && (await options.isEnded?.(sessionId))) return undefined
    return (await isForgotten(known.principal.id)) ? undefined : known.principal
  }

  return async ({ authorization, address, isLocal }) => {
    if (authorization === undefined) return anonymous
    const [, token] = /^Bearer +([\x21-\x7e]{1,4000})$/i.exec(authorization) ?? []
    const failed = failures.get(address) ?? 0
    const isKnown = token !== undefined && (verified.has(token) || trusted.has(token))
    if (failed >= maxFailuresPerMinute && !isKnown) {
      throw problem(429, 'too-many-requests', 'Too many tokens from this address were not good. Wait a minute.', {
        headers: { 'retry-after': '60' },
      })
    }
    const principal = token === undefined ? undefined : await verify(token, isLocal)
    if (principal) return principal
    // Others may have failed meanwhile.
    failures.set(address, (failures.get(address) ?? 0) + 1)
    throw unauthenticated(
      'token-invalid',
      'This token is not good, or has expired. Send `Authorization: Bearer` with a new one.',
    )
  }
}
