/** The port of payment gateways. Card numbers never reach Daybook: the gateway gives the shopper's browser a token. */

export interface Money {
  /** Whole minor units. */
  readonly amount: number
  /** ISO 4217. */
  readonly currency: string
}

export interface AuthoriseRequest extends Money {
  readonly paymentId: string
  /** What the gateway gave for the card. */
  readonly token: string
  /** The same key is the same call: the gateway does it once and repeats its answer. */
  readonly idempotencyKey: string
}

export interface FollowUpRequest extends Money {
  readonly paymentId: string
  /** The gateway's own name for the payment, from its answer to `authorise`. */
  readonly reference: string
  readonly idempotencyKey: string
}

/** What the shopper has to do before the payment can go on. */
export type NextAction = { readonly kind: 'none' } | { readonly kind: 'redirect'; readonly url: string }

export type GatewayAnswer =
  | { readonly status: 'succeeded'; readonly reference: string }
  /** A callback will tell. */
  | { readonly status: 'pending'; readonly reference: string; readonly nextAction: NextAction }
  /** For good; trying again makes no sense. `code` is stable, `reason` a sentence for the shopper. */
  | { readonly status: 'refused'; readonly code: string; readonly reason: string }

/** What a gateway calls back about. */
export interface GatewayNotice extends Money {
  /** The gateway's id of this notice: the same when it is sent twice. */
  readonly noticeId: string
  readonly kind: 'authorised' | 'authorisation-refused' | 'captured' | 'capture-refused' | 'refunded' | 'refund-refused'
  readonly paymentId: string
  readonly reference: string
  /** For refunds: the idempotency key of the refund that it is about. */
  readonly refundId?: string
  readonly code?: string
  readonly reason?: string
  /** ISO 8601, the gateway's clock. */
  readonly occurredAt: string
}

export interface CallbackRequest {
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body's bytes as they came. */
  readonly body: Buffer
  /** Milliseconds since the epoch, by which old callbacks are refused. */
  readonly now: number
}

/** A callback that is not what its gateway signed. */
export class ForgedCallbackError extends Error {
  override readonly name = 'ForgedCallbackError'
}

export interface PaymentGateway {
  /** Names the gateway in payments and in the path of its callbacks. */
  readonly name: string
  /** Asks for the money to be held. @throws Error when the gateway can't be reached or fails; the call may be repeated */
  authorise(request: AuthoriseRequest): Promise<GatewayAnswer>
  /** Takes money that is held. Throws as `authorise`. */
  capture(request: FollowUpRequest): Promise<GatewayAnswer>
  /** Gives taken money back, whole or in parts; `idempotencyKey` names the refund, also in callbacks. Throws as `authorise`. */
  refund(request: FollowUpRequest): Promise<GatewayAnswer>
  /** Lets go of money that is held and was not taken. Throws as `authorise`. */
  cancel(request: FollowUpRequest): Promise<GatewayAnswer>
  /**
   * Verifies and parses a callback.
   * @throws ForgedCallbackError when the signature, the time or the content does not hold
   */
  parseCallback(request: CallbackRequest): GatewayNotice
}
