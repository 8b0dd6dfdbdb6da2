/** The port of calls to the receivers of webhooks. */

export interface WebhookCall {
  readonly url: string
  /** The same for all tries of one message. */
  readonly messageId: string
  /** JSON. */
  readonly body: string
  /** Keys that it is signed with, the present one first. */
  readonly keys: readonly Uint8Array[]
}

export type WebhookAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** How long the receiver asks to be left alone, in milliseconds; 0 where it does not. */
      readonly retryAfterMs: number
    }
  /** `code` is stable, for programs. */
  | { readonly kind: 'unanswered'; readonly code: string }

export interface WebhookGateway {
  /** Whether it calls private addresses, and in the clear. */
  readonly allowsPrivate: boolean
  /** Sends a message with a single try. Never throws: whatever happens is an answer. */
  send(call: WebhookCall): Promise<WebhookAnswer>
}
