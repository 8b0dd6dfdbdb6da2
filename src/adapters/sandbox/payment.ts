import type { GatewayNotice } from '../../workers/payment-gateway.ts'
import type { CardBehaviour, Refusal, Step } from './test-cards.ts'

/** A payment as the sandbox keeps it, and the rules of its amounts. */

export interface Operation {
  /** The idempotency key of the call that asked for it. */
  readonly key: string
  readonly step: Step
  readonly amount: number
  status: 'pending' | 'succeeded' | 'refused'
}

export interface Payment {
  readonly reference: string
  readonly paymentId: string
  readonly currency: string
  readonly card: CardBehaviour
  readonly outOfOrder: boolean
  /** The first one is the authorisation. */
  readonly operations: [Operation, ...Operation[]]
  /** All that could be told of it, also what was never sent. */
  readonly notices: GatewayNotice[]
  /** Waits for a later notice to go first. */
  held?: GatewayNotice
  cancelled: boolean
}

export interface FollowUp {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
}

const mostOperations = 100

/** Adds up the amounts of a step's operations. @param statuses those that count */
function total(payment: Payment, step: Step, statuses: readonly Operation['status'][]): number {
  return payment.operations
    .filter((operation) => operation.step === step && statuses.includes(operation.status))
    .reduce((sum, { amount }) => sum + amount, 0)
}

const done = ['succeeded'] as const
const claimed = ['pending', 'succeeded'] as const

/** The payment as `GET` shows it. */
export function view(payment: Payment) {
  const [authorisation] = payment.operations
  const status = authorisation.status === 'succeeded' ? 'authorised' : authorisation.status
  return {
    reference: payment.reference,
    paymentId: payment.paymentId,
    status: payment.cancelled ? 'cancelled' : status,
    currency: payment.currency,
    amount: authorisation.amount,
    authorised: total(payment, 'authorise', done),
    captured: total(payment, 'capture', done),
    refunded: total(payment, 'refund', done),
    operations: payment.operations.map(({ step, amount, status }) => ({ step, amount, status })),
    notices: payment.notices.map(({ noticeId, kind, occurredAt }) => ({ noticeId, kind, occurredAt })),
  }
}

/** Says why a capture or a refund cannot be, if so. */
export function refusalOf(payment: Payment, step: 'capture' | 'refund', request: FollowUp): Refusal | undefined {
  const wrong = mismatch(payment, request)
  if (wrong !== undefined) return wrong
  if (payment.operations.length >= mostOperations) {
    return { code: 'too-many-operations', reason: `A payment has at most ${mostOperations} operations.` }
  }
  return step === 'capture' ? refusalOfCapture(payment, request.amount) : refusalOfRefund(payment, request.amount)
}

function refusalOfCapture(payment: Payment, amount: number): Refusal | undefined {
  if (payment.cancelled) return { code: 'payment-cancelled', reason: 'The payment was cancelled.' }
  const authorised = total(payment, 'authorise', done)
  if (authorised === 0) return { code: 'not-authorised', reason: 'The payment is not authorised.' }
  const left = authorised - total(payment, 'capture', claimed)
  return amount > left ? { code: 'amount-too-high', reason: `Of what is held, only ${left} can be taken.` } : undefined
}

function refusalOfRefund(payment: Payment, amount: number): Refusal | undefined {
  const left = total(payment, 'capture', done) - total(payment, 'refund', claimed)
  return amount > left ? { code: 'amount-too-high', reason: `Of what was taken, only ${left} is left.` } : undefined
}

/** Lets go of what is held and was not taken. @returns why it cannot be, if so */
export function cancel(payment: Payment, request: FollowUp): Refusal | undefined {
  const wrong = mismatch(payment, request)
  if (wrong !== undefined) return wrong
  const [authorisation] = payment.operations
  if (total(payment, 'capture', claimed) >= authorisation.amount) {
    return { code: 'already-captured', reason: 'All of the money was taken; it can only be refunded.' }
  }
  if (authorisation.status === 'pending') authorisation.status = 'refused'
  payment.cancelled = true
  return undefined
}

function mismatch(payment: Payment, { paymentId, currency }: FollowUp): Refusal | undefined {
  if (paymentId !== payment.paymentId) return unknownPayment
  if (currency === payment.currency) return undefined
  return { code: 'currency-mismatch', reason: `The payment is in ${payment.currency}.` }
}

export const unknownPayment: Refusal = { code: 'unknown-payment', reason: 'The gateway does not know this payment.' }
