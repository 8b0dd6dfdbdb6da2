import type { Webhook } from '../domain/webhooks.ts'

/** The secrets of webhooks are in the vault, each under a name of its own. */

/** The name in the vault of one of a webhook's secrets. */
export function secretName(webhookId: string, secret: number): string {
  return `webhook:${webhookId}:${secret}`
}

/**
 * The secrets that sign now, the present one first, then the one that it replaced not long ago.
 * @param nowMs milliseconds since the epoch
 */
export function signingSecrets({ secret, rotation }: Webhook, nowMs: number): readonly number[] {
  return rotation && nowMs < Date.parse(rotation.previousUntil) ? [secret, rotation.previous] : [secret]
}

/** A secret as Standard Webhooks writes it. */
export function secretText(bytes: Uint8Array): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`
}
