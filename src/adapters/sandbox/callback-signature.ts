import { timingSafeEqual } from 'node:crypto'
import { type CallbackRequest, ForgedCallbackError } from '../../workers/payment-gateway.ts'
import { signature } from '../standard-webhooks/signature.ts'

/** Callbacks signed by Standard Webhooks, read and verified. */

const toleranceSeconds = 5 * 60

/**
 * Reads a secret as Standard Webhooks writes it.
 * @param secret `whsec_` and 24 to 64 bytes in base64
 * @throws Error when it is anything else; the message does not contain it
 */
export function signingKey(secret: string): Buffer {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] ?? ''
  const key = Buffer.from(encoded, 'base64')
  if (key.length >= 24 && key.length <= 64) return key
  throw new Error('The secret of callbacks must be whsec_ followed by 24 to 64 random bytes in base64')
}

/**
 * Verifies who sent a callback, and when.
 * @returns the id of the notice, which is signed like the body
 * @throws ForgedCallbackError when a header is missing, the time is more than five minutes off, or no signature holds
 */
export function verifiedId(key: Buffer, { headers, body, now }: CallbackRequest): string {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
  if (!id || !timestamp || !signatures) throw new ForgedCallbackError('The callback is not signed')
  if (!/^\d{1,12}$/.test(timestamp)) throw new ForgedCallbackError('The time of the callback is none')
  if (Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) {
    throw new ForgedCallbackError('The callback is older than five minutes, or from the future')
  }
  const expected = Buffer.from(signature(key, id, timestamp, body))
  const holds = signatures.split(' ').some((candidate) => equal(Buffer.from(candidate), expected))
  if (!holds) throw new ForgedCallbackError('The signature of the callback does not hold')
  return id
}

function equal(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
