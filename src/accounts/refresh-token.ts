import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { parse, stringify } from 'uuid'

/**
 * A refresh token: session, secret and seal. The seal shows that a token was given out here, also long after it was replaced;
 * so only a token that was really once good can end a session by being used again.
 */

const prefix = 'dbr_'
const idBytes = 16
const secretBytes = 32
const sealBytes = 16

export interface RefreshToken {
  readonly sessionId: string
  /** As it is sent. */
  readonly text: string
}

export interface RefreshTokens {
  first(sessionId: string): RefreshToken
  /** The one that follows: always the same one, so that a retry whose answer was lost can be answered again. */
  next(token: RefreshToken): RefreshToken
  /** @returns undefined for what was not given out here */
  read(text: string): RefreshToken | undefined
}

/** What is kept of a token. */
export function hashOf({ text }: RefreshToken): string {
  return hash('sha256', text, 'base64url')
}

/** @param key secret of this shop; whoever has it, and nothing else, can't make a token of a session */
export function refreshTokens(key: Uint8Array): RefreshTokens {
  const keyed = (use: string, ...parts: readonly Uint8Array[]) => {
    const hmac = createHmac('sha256', key).update(use)
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }

  function made(sessionId: string, secret: Buffer): RefreshToken {
    const body = Buffer.concat([parse(sessionId), secret])
    const seal = keyed('seal', body).subarray(0, sealBytes)
    return { sessionId, text: prefix + Buffer.concat([body, seal]).toString('base64url') }
  }

  const secretOf = ({ text }: RefreshToken) =>
    Buffer.from(text.slice(prefix.length), 'base64url').subarray(idBytes, idBytes + secretBytes)

  return {
    first: (sessionId) => made(sessionId, randomBytes(secretBytes)),

    next: (token) => made(token.sessionId, keyed('next', secretOf(token))),

    read(text) {
      if (!text.startsWith(prefix)) return undefined
      const bytes = Buffer.from(text.slice(prefix.length), 'base64url')
      if (bytes.length !== idBytes + secretBytes + sealBytes) return undefined
      const body = bytes.subarray(0, idBytes + secretBytes)
      if (!timingSafeEqual(keyed('seal', body).subarray(0, sealBytes), bytes.subarray(-sealBytes))) return undefined
      // Base64 can write the same bytes in several ways: the one that was given out counts.
      return made(stringify(body.subarray(0, idBytes)), body.subarray(idBytes))
    },
  }
}
