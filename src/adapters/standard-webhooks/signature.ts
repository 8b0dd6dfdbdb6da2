import { createHmac } from 'node:crypto'

/**
 * Signatures by Standard Webhooks (https://www.standardwebhooks.com), symmetric, version 1. By hand, since its package has no clock
 * but its own, and takes the body as text, not as the bytes that go over the wire.
 */

/**
 * Signs a message.
 * @param keys each signs it, so that a receiver holds good either of two while a secret is replaced
 * @param id the same whenever the same message is sent
 * @param nowMs when it is sent, since the epoch
 * @returns the headers to send with it
 */
export function signatureHeaders(
  keys: readonly Uint8Array[],
  id: string,
  body: Buffer,
  nowMs: number,
): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map((key) => signature(key, id, timestamp, body)).join(' '),
  }
}

/** The signature of a message by one key. @param timestamp seconds since the epoch, as they are sent */
export function signature(key: Uint8Array, id: string, timestamp: string, body: Buffer): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}
