import { type Context, decider } from '../../engine/decider.ts'
import { notFound, reject } from '../../engine/errors.ts'
import { type Command, paymentCommands } from './commands.ts'
import { gatewayUnavailable, type PaymentEvent, paymentEvents } from './events.ts'
import { evolve, initial, type Payment, type PaymentRequest, refundedAmount, wholeRefundId } from './state.ts'

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

/** Money that moves through a gateway for one order. */
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
