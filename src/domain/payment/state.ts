import { Map as PersistentMap } from 'immutable'
import type { z } from 'zod'
import { derivedId } from '../../engine/streams.ts'
import { gatewayUnavailable, type PaymentEvent, type paymentEvents } from './events.ts'

export type PaymentRequest = z.output<(typeof paymentEvents.schemas)['PaymentRequested']>

interface Refund {
  readonly amount: number
  readonly status: 'requested' | 'refunded' | 'failed'
}

export interface Payment {
  readonly status: 'none' | 'requested' | 'pending' | 'authorised' | 'captured' | 'failed' | 'cancelled'
  readonly request?: PaymentRequest
  /** The gateway's name for it, once the gateway has answered. */
  readonly reference?: string
  /** `given-up`: the gateway could not be asked, and may take the money all the same. */
  readonly capture?: 'requested' | 'given-up' | 'refused'
  /** Nobody wants the money any more: what is held is let go, and what is taken all the same goes back. */
  readonly isUnwanted: boolean
  /** The order was told that it failed, for good: it knows nothing of money that is taken all the same. */
  readonly hasFailed: boolean
  readonly refunds: PersistentMap<string, Refund>
}

export const initial: Payment = { status: 'none', isUnwanted: false, hasFailed: false, refunds: PersistentMap() }

export function evolve(payment: Payment, event: PaymentEvent): Payment {
  const settleRefund = (refundId: string, status: Refund['status']): Payment => ({
    ...payment,
    refunds: payment.refunds.update(refundId, { amount: 0, status }, ({ amount }) => ({ amount, status })),
  })
  switch (event.type) {
    case 'PaymentRequested':
      return { ...payment, status: 'requested', request: event.data }
    case 'PaymentPending':
      return { ...payment, status: 'pending', reference: event.data.reference }
    case 'PaymentAuthorised':
      return { ...payment, status: 'authorised', reference: event.data.reference }
    case 'PaymentFailed':
      return { ...payment, status: 'failed', hasFailed: true }
    case 'CaptureRequested':
      return { ...payment, capture: 'requested' }
    case 'PaymentCaptured':
      return { ...payment, status: 'captured' }
    case 'CaptureFailed':
      return {
        ...payment,
        capture: event.data.code === gatewayUnavailable ? 'given-up' : 'refused',
        hasFailed: true,
      }
    case 'PaymentCancelRequested':
      return { ...payment, isUnwanted: true }
    case 'PaymentCancelled':
      return { ...payment, status: 'cancelled' }
    case 'RefundRequested': {
      const { refundId, amount } = event.data
      return { ...payment, refunds: payment.refunds.set(refundId, { amount, status: 'requested' }) }
    }
    case 'PaymentRefunded':
      return settleRefund(event.data.refundId, 'refunded')
    case 'RefundFailed':
      return settleRefund(event.data.refundId, 'failed')
  }
}

/**
 * Names the refund of all that a payment has taken for an order that ended. Order and payment both come to it by
 * themselves, in whatever order they learn of each other, and it is made once.
 */
export function wholeRefundId(paymentId: string): string {
  return derivedId('whole-refund', paymentId)
}

/** Paid back, or on its way. */
export function refundedAmount(payment: Payment): number {
  return payment.refunds.reduce((sum, { amount, status }) => (status === 'failed' ? sum : sum + amount), 0)
}
