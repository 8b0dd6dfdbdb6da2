import { Map as PersistentMap } from 'immutable'
import { z } from 'zod'
import { type Context, decider } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { personal } from '../engine/personal-data.ts'
import { derivedId } from '../engine/streams.ts'
import { GatewayName, PaymentToken } from './order/events.ts'
import { Amount, Country, Currency, Id, Reason } from './values.ts'

/** Money that moves through a gateway for one order. */

const GatewayReference = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: "The gateway's own name for it", example: 'pay_8f2k' })
const Failure = {
  code: z.string().min(1).max(100).meta({ description: 'Why, for programs', example: 'card-declined' }),
  reason: Reason,
}
const RefundId = Id.meta({ description: 'Names the refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' })
const NextAction = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('none').meta({ description: 'Nothing to do but to wait' }) }),
    z.object({
      kind: z.literal('redirect').meta({ description: 'Send the shopper to another page' }),
      url: z.url().max(2_000).meta({ description: 'That page', example: 'https://gateway.example/pay_8f2k' }),
    }),
  ])
  .meta({ description: 'What the shopper has to do', example: { kind: 'none' } })

// Events

export const paymentEvents = defineEvents('payment', {
  PaymentRequested: z.object({
    orderId: Id,
    customerId: Id,
    country: Country,
    gateway: GatewayName,
    amount: Amount,
    currency: Currency,
    token: personal(PaymentToken),
  }),
  /** The gateway has taken it on and will call back. */
  PaymentPending: z.object({ orderId: Id, reference: GatewayReference, nextAction: NextAction }),
  PaymentAuthorised: z.object({ orderId: Id, reference: GatewayReference, amount: Amount, currency: Currency }),
  PaymentFailed: z.object({ orderId: Id, ...Failure }),
  CaptureRequested: z.object({ orderId: Id }),
  PaymentCaptured: z.object({ orderId: Id, amount: Amount, currency: Currency }),
  CaptureFailed: z.object({ orderId: Id, ...Failure }),
  /** What is held is to be let go. */
  PaymentCancelRequested: z.object({ orderId: Id }),
  PaymentCancelled: z.object({ orderId: Id }),
  RefundRequested: z.object({ orderId: Id, refundId: RefundId, amount: Amount, currency: Currency }),
  PaymentRefunded: z.object({ orderId: Id, refundId: RefundId, amount: Amount, currency: Currency }),
  RefundFailed: z.object({ orderId: Id, refundId: RefundId, ...Failure }),
})
export type PaymentEvent = EventOf<typeof paymentEvents>

/** The code of a failure that is not the gateway's word: it could not be asked. */
export const gatewayUnavailable = 'gateway-unavailable'

// State

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

const initial: Payment = { status: 'none', isUnwanted: false, hasFailed: false, refunds: PersistentMap() }

function evolve(payment: Payment, event: PaymentEvent): Payment {
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
function refundedAmount(payment: Payment): number {
  return payment.refunds.reduce((sum, { amount, status }) => (status === 'failed' ? sum : sum + amount), 0)
}

// Commands: all but ReturnPayment of processes, jobs and callbacks, which may come twice and out of order

/** What a notice says of the money; the answer to a call says nothing of it. */
const Told = { amount: Amount.exactOptional(), currency: Currency.exactOptional() }

export const paymentCommands = {
  RequestPayment: z.strictObject({
    orderId: Id,
    customerId: Id,
    country: Country,
    gateway: GatewayName,
    amount: Amount,
    currency: Currency,
    token: personal(PaymentToken),
  }),
  RecordPending: z.strictObject({ reference: GatewayReference, nextAction: NextAction }),
  RecordAuthorisation: z.strictObject({ reference: GatewayReference, ...Told }),
  RecordFailure: z.strictObject(Failure),
  CapturePayment: z.strictObject({}),
  RecordCapture: z.strictObject({ reference: GatewayReference, ...Told }),
  RecordCaptureFailure: z.strictObject(Failure),
  CancelPayment: z.strictObject({}),
  RecordCancellation: z.strictObject({}),
  RefundPayment: z.strictObject({ refundId: RefundId, amount: Amount }),
  /** Of staff, when a payment of which its order knows nothing could not give itself back: all that is left of it. */
  ReturnPayment: z.strictObject({ refundId: RefundId }),
  RecordRefund: z.strictObject({ refundId: RefundId, ...Told }),
  RecordRefundFailure: z.strictObject({ refundId: RefundId, ...Failure }),
}

type Command<Type extends keyof typeof paymentCommands> = z.output<(typeof paymentCommands)[Type]>

// Decisions

function requestOf({ request }: Payment, id: string): PaymentRequest {
  if (request === undefined) throw notFound('payment', id)
  return request
}

interface Money {
  readonly amount: number
  readonly currency: string
}

/** Other money than was asked for: whatever follows from it, a person has to look. */
function checkTold({ amount, currency }: Money, told: Partial<Money>): void {
  if ((told.amount ?? amount) === amount && (told.currency ?? currency) === currency) return
  throw reject(
    'amount-mismatch',
    'The gateway speaks of another amount or currency than it was asked for. Look it up there and settle it by hand.',
    { expected: { amount, currency }, told: { amount: told.amount, currency: told.currency } },
  )
}

function request(command: Command<'RequestPayment'>, payment: Payment): PaymentEvent[] {
  if (payment.request === undefined) return [{ type: 'PaymentRequested', data: command }]
  if (payment.request.orderId === command.orderId) return []
  throw reject('payment-exists', 'This payment belongs to another order. Start a payment with a new id.')
}

/** Asked for again once the gateway has named the payment: only now can it be let go. */
function cancelRequested(orderId: string): PaymentEvent {
  return { type: 'PaymentCancelRequested', data: { orderId } }
}

function recordPending(command: Command<'RecordPending'>, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  if (payment.status !== 'requested') return []
  const pending: PaymentEvent = { type: 'PaymentPending', data: { orderId, ...command } }
  return payment.isUnwanted ? [pending, cancelRequested(orderId)] : [pending]
}

function recordAuthorisation(
  { reference, ...told }: Command<'RecordAuthorisation'>,
  payment: Payment,
  { id }: Context,
): PaymentEvent[] {
  const { orderId, amount, currency } = requestOf(payment, id)
  checkTold({ amount, currency }, told)
  // The gateway itself has said that a cancelled one holds nothing: this notice is late.
  if (!['requested', 'pending', 'failed'].includes(payment.status)) return []
  const authorised: PaymentEvent = { type: 'PaymentAuthorised', data: { orderId, reference, amount, currency } }
  // The order was told that a failed payment had failed: it may have another by now.
  const isUnwanted = payment.isUnwanted || payment.status === 'failed'
  return isUnwanted ? [authorised, cancelRequested(orderId)] : [authorised]
}

function recordFailure(command: Command<'RecordFailure'>, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  const isOpen = payment.status === 'requested' || payment.status === 'pending'
  return isOpen ? [{ type: 'PaymentFailed', data: { orderId, ...command } }] : []
}

function capture(_command: object, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  if (payment.status === 'requested' || payment.status === 'pending') {
    throw reject('payment-not-authorised', 'This payment has not been authorised yet.')
  }
  const isReady = payment.status === 'authorised' && payment.capture === undefined && !payment.isUnwanted
  return isReady ? [{ type: 'CaptureRequested', data: { orderId } }] : []
}

function recordCapture(
  { reference, ...told }: Command<'RecordCapture'>,
  payment: Payment,
  { id }: Context,
): PaymentEvent[] {
  const { orderId, amount, currency } = requestOf(payment, id)
  checkTold({ amount, currency }, told)
  if (payment.status === 'captured') return []
  const events: PaymentEvent[] = []
  if (payment.status !== 'authorised' && payment.status !== 'cancelled') {
    events.push({ type: 'PaymentAuthorised', data: { orderId, reference, amount, currency } })
  }
  events.push({ type: 'PaymentCaptured', data: { orderId, amount, currency } })
  // Whoever waited for the money was told that it does not come, or wants it no more.
  if (payment.isUnwanted || payment.hasFailed || payment.status === 'cancelled') {
    events.push({ type: 'RefundRequested', data: { orderId, refundId: wholeRefundId(id), amount, currency } })
  }
  return events
}

function recordCaptureFailure(
  command: Command<'RecordCaptureFailure'>,
  payment: Payment,
  { id }: Context,
): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  const isNews =
    payment.capture === 'requested' || (payment.capture === 'given-up' && command.code !== gatewayUnavailable)
  return payment.status === 'authorised' && isNews ? [{ type: 'CaptureFailed', data: { orderId, ...command } }] : []
}

/** Wherever the payment stands: nothing stays held or taken. */
function cancel(_command: object, payment: Payment, { id }: Context): PaymentEvent[] {
  switch (payment.status) {
    case 'none':
    case 'failed':
    case 'cancelled':
      return []
    case 'requested':
    case 'pending':
    case 'authorised':
      return payment.isUnwanted ? [] : [cancelRequested(requestOf(payment, id).orderId)]
    case 'captured': {
      const { orderId, amount, currency } = requestOf(payment, id)
      const rest = amount - refundedAmount(payment)
      const refundId = wholeRefundId(id)
      return rest <= 0 || payment.refunds.has(refundId)
        ? []
        : [{ type: 'RefundRequested', data: { orderId, refundId, amount: rest, currency } }]
    }
  }
}

function recordCancellation(_command: object, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  const isOpen = payment.status === 'pending' || payment.status === 'authorised'
  return isOpen ? [{ type: 'PaymentCancelled', data: { orderId } }] : []
}

function refundTooLarge(left: number) {
  return reject('refund-too-large', 'More would be paid back than was taken.', { left })
}

function checkCaptured({ status }: Payment): void {
  if (status === 'captured') return
  throw reject('payment-not-captured', 'This payment has not been taken, so there is nothing to pay back.')
}

function refund({ refundId, amount }: Command<'RefundPayment'>, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId, currency, amount: taken } = requestOf(payment, id)
  const known = payment.refunds.get(refundId)
  if (known?.amount === amount) return []
  if (known) throw reject('refund-exists', 'There is another refund with this id. Use a new one.', { refundId })
  checkCaptured(payment)
  const left = taken - refundedAmount(payment)
  if (amount > left) throw refundTooLarge(left)
  return [{ type: 'RefundRequested', data: { orderId, refundId, amount, currency } }]
}

function giveBack({ refundId }: Command<'ReturnPayment'>, payment: Payment, { id }: Context): PaymentEvent[] {
  const { orderId, currency, amount: taken } = requestOf(payment, id)
  if (payment.refunds.has(refundId)) return []
  checkCaptured(payment)
  if (!payment.hasFailed) {
    throw reject('payment-of-order', 'The order keeps account of this payment. Refund the order.', { orderId })
  }
  const amount = taken - refundedAmount(payment)
  if (amount <= 0) throw reject('nothing-to-refund', 'All of this payment is paid back, or about to be.')
  return [{ type: 'RefundRequested', data: { orderId, refundId, amount, currency } }]
}

function recordRefund(
  { refundId, ...told }: Command<'RecordRefund'>,
  payment: Payment,
  { id }: Context,
): PaymentEvent[] {
  const { orderId, currency, amount: taken } = requestOf(payment, id)
  const known = payment.refunds.get(refundId)
  if (known === undefined) throw notFound('refund', refundId)
  checkTold({ amount: known.amount, currency }, told)
  if (known.status === 'refunded') return []
  const left = taken - refundedAmount(payment)
  // One that was given up and succeeded after all counts, unless it was replaced: then a person has to look.
  if (known.status === 'failed' && known.amount > left) throw refundTooLarge(left)
  return [{ type: 'PaymentRefunded', data: { orderId, refundId, amount: known.amount, currency } }]
}

function recordRefundFailure(
  command: Command<'RecordRefundFailure'>,
  payment: Payment,
  { id }: Context,
): PaymentEvent[] {
  const { orderId } = requestOf(payment, id)
  const known = payment.refunds.get(command.refundId)
  if (known === undefined) throw notFound('refund', command.refundId)
  return known.status === 'requested' ? [{ type: 'RefundFailed', data: { orderId, ...command } }] : []
}

export const payment = decider({
  events: paymentEvents,
  commands: paymentCommands,
  initial,
  evolve,
  decide: {
    RequestPayment: request,
    RecordPending: recordPending,
    RecordAuthorisation: recordAuthorisation,
    RecordFailure: recordFailure,
    CapturePayment: capture,
    RecordCapture: recordCapture,
    RecordCaptureFailure: recordCaptureFailure,
    CancelPayment: cancel,
    RecordCancellation: recordCancellation,
    RefundPayment: refund,
    ReturnPayment: giveBack,
    RecordRefund: recordRefund,
    RecordRefundFailure: recordRefundFailure,
  },
})
