import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../engine/clock.ts'
import type { GatewayAnswer, GatewayNotice } from '../../workers/payment-gateway.ts'
import type { Choices, Course } from './behaviour.ts'
import type { Callbacks } from './callbacks.ts'
import { cancel, type FollowUp, type Operation, type Payment, refusalOf, unknownPayment } from './payment.ts'
import { Problem } from './problem.ts'
import type { CardBehaviour, Refusal, Step } from './test-cards.ts'

export interface ProcessorOptions {
  readonly choices: Choices
  readonly callbacks: Callbacks
  readonly clock: Clock
  readonly callbackDelayMs: number
  /** Beyond it the payments used least recently are forgotten; no more callbacks than that may wait. */
  readonly maxPayments: number
}

export interface Authorisation extends FollowUp {
  readonly key: string
  readonly card: CardBehaviour
  /** Makes the address of the page on which the shopper approves. */
  readonly approvalUrl: (reference: string) => string
}

/** What a bank does: it decides on payments, now or later, and tells of it. */
export interface Processor {
  find(reference: string): Payment | undefined
  /** @throws Problem when too many callbacks wait; so do `capture` and `refund` */
  authorise(request: Authorisation): GatewayAnswer
  followUp(step: 'capture' | 'refund', reference: string, key: string, request: FollowUp): GatewayAnswer
  cancel(reference: string, request: FollowUp): GatewayAnswer
  /** Takes what the shopper decided; a second decision changes nothing. */
  approve(payment: Payment, approved: boolean): void
  /** Tries once to deliver each notice of a payment. @returns which were taken */
  resend(payment: Payment): Promise<readonly { readonly noticeId: string; readonly delivered: boolean }[]>
  close(): void
}

const notApproved: Refusal = { code: 'not-approved', reason: 'The payment was not approved.' }
const names = {
  authorise: { succeeded: 'authorised', refused: 'authorisation-refused' },
  capture: { succeeded: 'captured', refused: 'capture-refused' },
  refund: { succeeded: 'refunded', refused: 'refund-refused' },
} as const

/** Makes the part that decides on payments and keeps them, in memory. */
export function paymentProcessor(options: ProcessorOptions): Processor {
  const { choices, callbacks, clock, callbackDelayMs, maxPayments } = options
  const payments = new LRUCache<string, Payment>({ max: maxPayments })
  const timers = new Set<() => void>()
  /** Notices under way. */
  let telling = 0

  function settle(payment: Payment, operation: Operation, refusal: Refusal | undefined): GatewayNotice {
    operation.status = refusal === undefined ? 'succeeded' : 'refused'
    const notice: GatewayNotice = {
      noticeId: `ntc_${randomUUID()}`,
      kind: names[operation.step][operation.status],
      paymentId: payment.paymentId,
      reference: payment.reference,
      amount: operation.amount,
      currency: payment.currency,
      ...(operation.step === 'refund' ? { refundId: operation.key } : {}),
      ...refusal,
      occurredAt: new Date(clock.now()).toISOString(),
    }
    payment.notices.push(notice)
    return notice
  }

  async function tell(payment: Payment, notice: GatewayNotice, deliveries: Course['deliveries']): Promise<void> {
    telling++
    for (let delivery = 0; delivery < deliveries; delivery++) await callbacks.deliver(notice)
    const { held } = payment
    delete payment.held
    if (held !== undefined) await callbacks.deliver(held)
    telling--
  }

  function settleLater(payment: Payment, operation: Operation, course: Course): void {
    const stop = clock.after(callbackDelayMs, () => {
      timers.delete(stop)
      if (operation.status !== 'pending') return
      void tell(payment, settle(payment, operation, course.refusal), course.deliveries)
    })
    timers.add(stop)
  }

  function start(payment: Payment, operation: Operation, course: Course, approvalUrl?: string): GatewayAnswer {
    const { reference } = payment
    if (course.answer === 'at-once') {
      const notice = settle(payment, operation, course.refusal)
      if (course.refusal !== undefined) return { status: 'refused', ...course.refusal }
      if (payment.outOfOrder) payment.held = notice
      return { status: 'succeeded', reference }
    }
    if (course.redirect && approvalUrl !== undefined) {
      return { status: 'pending', reference, nextAction: { kind: 'redirect', url: approvalUrl } }
    }
    settleLater(payment, operation, course)
    return { status: 'pending', reference, nextAction: { kind: 'none' } }
  }

  function refuseWhenBusy(): void {
    if (timers.size + telling < maxPayments) return
    throw new Problem(503, 'sandbox-busy', 'Too many callbacks wait to be sent.')
  }

  function courseOf(payment: Payment, operation: Operation): Course {
    return choices.course(payment.card, operation.step, operation.key, payment.outOfOrder)
  }

  function operationOf(step: Step, key: string, amount: number): Operation {
    return { key, step, amount, status: 'pending' }
  }

  return {
    find: (reference) => payments.get(reference),

    authorise({ key, card, approvalUrl, paymentId, amount, currency }) {
      refuseWhenBusy()
      const operation = operationOf('authorise', key, amount)
      const payment: Payment = {
        reference: `pay_${randomUUID()}`,
        paymentId,
        currency,
        card,
        outOfOrder: choices.outOfOrder(card, key),
        operations: [operation],
        notices: [],
        cancelled: false,
      }
      payments.set(payment.reference, payment)
      return start(payment, operation, courseOf(payment, operation), approvalUrl(payment.reference))
    },

    followUp(step, reference, key, request) {
      refuseWhenBusy()
      const payment = payments.get(reference)
      const refusal = payment === undefined ? unknownPayment : refusalOf(payment, step, request)
      if (payment === undefined || refusal !== undefined) return { status: 'refused', ...(refusal ?? unknownPayment) }
      const operation = operationOf(step, key, request.amount)
      payment.operations.push(operation)
      return start(payment, operation, courseOf(payment, operation))
    },

    cancel(reference, request) {
      const payment = payments.get(reference)
      const refusal = payment === undefined ? unknownPayment : cancel(payment, request)
      return refusal === undefined ? { status: 'succeeded', reference } : { status: 'refused', ...refusal }
    },

    approve(payment, approved) {
      const [operation] = payment.operations
      if (operation.status !== 'pending') return
      const course = courseOf(payment, operation)
      settleLater(payment, operation, approved ? course : { ...course, refusal: notApproved })
    },

    async resend(payment) {
      const outcomes = []
      for (const notice of payment.notices) {
        outcomes.push({ noticeId: notice.noticeId, delivered: await callbacks.tryOnce(notice) })
      }
      return outcomes
    },

    close() {
      for (const stop of timers) stop()
      timers.clear()
      callbacks.close()
    },
  }
}
