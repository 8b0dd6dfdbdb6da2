import { gatewayUnavailable } from '../domain/payment/events.ts'
import type { Payment } from '../domain/payment/state.ts'
import type { Ask } from '../engine/command.ts'
import type { Recorded } from '../engine/events.ts'
import type { WorkInHand } from '../engine/job.ts'
import { idOf } from '../engine/streams.ts'
import type { FollowUpRequest, GatewayAnswer, PaymentGateway } from './payment-gateway.ts'

/** What the jobs that call a payment gateway share. */

export type Gateways = ReadonlyMap<string, PaymentGateway>

/** Work for a payment, due at once; for its refunds `key` tells them apart. */
export function opened({ stream, metadata }: Pick<Recorded, 'stream' | 'metadata'>, key = '') {
  return { target: idOf(stream), key, dueAt: metadata.recordedAt }
}

/** The end of such work. */
export function settled({ stream }: Pick<Recorded, 'stream'>, key = '') {
  return { target: idOf(stream), key }
}

interface Failure {
  readonly code: string
  readonly reason: string
}

const maxCodeCharacters = 100
const maxReasonCharacters = 300

/** A refusal, as an event can hold it. */
export function refusal({ code, reason }: Extract<GatewayAnswer, { status: 'refused' }>): Failure {
  return {
    code: code.slice(0, maxCodeCharacters) || 'refused',
    reason: reason.trim().slice(0, maxReasonCharacters) || 'The payment provider refused it',
  }
}

const unavailable: Failure = {
  code: gatewayUnavailable,
  reason: 'The payment provider could not be reached',
}

/**
 * Calls a gateway; when the last try fails, too, that is recorded, so that nobody waits for ever.
 * @param giveUp the command that records it
 */
export async function tryCall(
  work: Pick<WorkInHand, 'last'>,
  call: () => Promise<readonly Ask[]>,
  giveUp: (failure: Failure) => Ask,
): Promise<readonly Ask[]> {
  try {
    return await call()
  } catch (error) {
    if (!work.last) throw error
    return [giveUp(unavailable)]
  }
}

/**
 * The gateway of a payment, and what a call about it says.
 * @throws Error when there is none of this name now, or it has not yet named the payment
 */
export function followUp(
  gateways: Gateways,
  paymentId: string,
  { request, reference }: Payment,
  idempotencyKey: string,
): { readonly gateway: PaymentGateway; readonly call: FollowUpRequest } {
  if (request === undefined || reference === undefined) {
    throw new Error(`The gateway has not named the payment ${paymentId} yet`)
  }
  const gateway = gateways.get(request.gateway)
  if (gateway === undefined) throw new Error(`There is no payment gateway ${request.gateway}. Configure it again.`)
  const { amount, currency } = request
  return { gateway, call: { paymentId, reference, amount, currency, idempotencyKey } }
}
