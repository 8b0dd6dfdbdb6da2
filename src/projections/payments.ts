import { z } from 'zod'
import { orderContents } from '../domain/order/contents.ts'
import { GatewayName } from '../domain/order/events.ts'
import { refundState, refundStates } from '../domain/order/standing.ts'
import { type PaymentEvent, paymentEvents } from '../domain/payment/events.ts'
import { Amount, Country, Currency, Id, Timestamp } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import type { Reader } from '../engine/query.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'
import { Instant } from './instant.ts'

/** Money that moves through gateways, as those see it who reconcile it: everything but what it was paid with. */

const { PaymentPending, PaymentFailed } = paymentEvents.schemas
const Failure = PaymentFailed.omit({ orderId: true })
  .nullable()
  .meta({ description: 'Why it failed, if it did', example: null })

const Refund = z.object({
  refundId: Id.meta({ description: 'Refund', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' }),
  amount: Amount,
  status: z
    .enum(['requested', 'refunded', 'failed'])
    .meta({ description: 'Whether the money is on its way, is back or could not be given back', example: 'refunded' }),
  failure: Failure,
})

export const Payment = z.object({
  id: Id.meta({ description: 'Payment', example: '0198f0c2-2222-7a34-9b0e-3f2c1d5a7b88' }),
  orderId: Id.meta({ description: 'What is paid', example: '0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88' }),
  customerId: orderContents.customerId,
  country: Country,
  gateway: GatewayName,
  reference: PaymentPending.shape.reference
    .nullable()
    .meta({ description: "The gateway's own name for it; null until the gateway has answered", example: 'pay_8f2k' }),
  amount: Amount,
  currency: Currency,
  status: z
    .enum(['requested', 'pending', 'authorised', 'captured', 'failed', 'cancelled'])
    .meta({ description: 'How far it is', example: 'captured' }),
  capture: z
    .enum(['requested', 'failed'])
    .nullable()
    .meta({ description: 'Whether the gateway was asked to take the money, and could not', example: 'requested' }),
  unwanted: z.boolean().meta({ description: 'Whether what is held is to be let go', example: false }),
  failure: Failure,
  refunds: z.array(Refund).meta({ description: 'Refunds, the first one first' }),
  refunded: Amount.meta({ description: 'What has been given back', example: 0 }),
  refundStatus: z.enum(refundStates).meta({
    description: 'How far its refunds are; `failed` needs a person until another is under way or all is paid back',
    example: 'none',
  }),
  requestedAt: Timestamp.meta({ description: 'When it was asked for', example: '2026-01-15T09:31:00.000Z' }),
  revision: z.int().meta({ description: 'Revision of the payment', example: 4 }),
})
export type Payment = z.output<typeof Payment>

const paymentDocuments = collection('payments', Payment, {
  byRequestedAt: ['requestedAt'],
  byStatus: ['status', 'requestedAt'],
  byRefund: ['refundStatus', 'requestedAt'],
  byOrder: ['orderId', 'requestedAt'],
})

function changed(event: Recorded<PaymentEvent>, evolve: (payment: Payment) => Partial<Payment>): Change {
  return paymentDocuments.update(idOf(event.stream), (payment) => {
    const next = { ...payment, ...evolve(payment), revision: event.revision }
    return { ...next, refundStatus: refundState(next.refunds, { paid: next.amount, refunded: next.refunded }) }
  })
}

function settled(
  { refunds, refunded }: Payment,
  refundId: string,
  next: Pick<z.output<typeof Refund>, 'status' | 'failure'>,
): Partial<Payment> {
  const known = refunds.find((refund) => refund.refundId === refundId)
  if (known === undefined) return {}
  return {
    refunds: refunds.map((refund) => (refund === known ? { ...refund, ...next } : refund)),
    refunded: next.status === 'refunded' ? refunded + known.amount : refunded,
  }
}

export const payments = projection({
  name: 'payments',
  version: 1,
  collections: [paymentDocuments],
  from: [paymentEvents],
  on: {
    PaymentRequested: ({ stream, revision, metadata, data: { token: _token, ...request } }) => {
      const id = idOf(stream)
      const document: Payment = {
        ...request,
        id,
        reference: null,
        status: 'requested',
        capture: null,
        unwanted: false,
        failure: null,
        refunds: [],
        refunded: 0,
        refundStatus: 'none',
        requestedAt: metadata.occurredAt,
        revision,
      }
      return paymentDocuments.change(id, () => document)
    },
    PaymentPending: (event) => changed(event, () => ({ status: 'pending', reference: event.data.reference })),
    PaymentAuthorised: (event) =>
      changed(event, () => ({ status: 'authorised', reference: event.data.reference, failure: null })),
    PaymentFailed: (event) => {
      const { code, reason } = event.data
      return changed(event, () => ({ status: 'failed', failure: { code, reason } }))
    },
    CaptureRequested: (event) => changed(event, () => ({ capture: 'requested' })),
    PaymentCaptured: (event) => changed(event, () => ({ status: 'captured', failure: null })),
    CaptureFailed: (event) => {
      const { code, reason } = event.data
      return changed(event, () => ({ capture: 'failed', failure: { code, reason } }))
    },
    PaymentCancelRequested: (event) => changed(event, () => ({ unwanted: true })),
    PaymentCancelled: (event) => changed(event, () => ({ status: 'cancelled' })),
    RefundRequested: (event) => {
      const { refundId, amount } = event.data
      const refund = { refundId, amount, status: 'requested' as const, failure: null }
      return changed(event, ({ refunds }) => ({
        refunds: [...refunds.filter((each) => each.refundId !== refundId), refund],
      }))
    },
    PaymentRefunded: (event) =>
      changed(event, (payment) => settled(payment, event.data.refundId, { status: 'refunded', failure: null })),
    RefundFailed: (event) => {
      const { refundId, code, reason } = event.data
      return changed(event, (payment) => settled(payment, refundId, { status: 'failed', failure: { code, reason } }))
    },
  },
})

const paymentsRead = 50

/** The payments of an order, the newest first. */
export async function paymentsOf(reader: Reader, orderId: string): Promise<readonly Payment[]> {
  const find = { index: 'byOrder', equals: [orderId], direction: 'descending', limit: paymentsRead } as const
  return (await reader.find(paymentDocuments, find)).map(({ body }) => body)
}

const getPayment = documentQuery({
  name: 'getPayment',
  route: 'GET /v1/payments/{paymentId}',
  summary: 'A payment',
  who: staff('payments'),
  from: payments,
  of: paymentDocuments,
  parameters: z.object({ paymentId: Payment.shape.id }),
  id: ({ paymentId }) => paymentId,
})

const listPayments = pageQuery({
  name: 'listPayments',
  route: 'GET /v1/payments',
  summary: 'Payments, the newest first',
  who: staff('payments'),
  from: payments,
  of: paymentDocuments,
  parameters: z.object({
    orderId: Payment.shape.orderId.exactOptional(),
    status: Payment.shape.status.exactOptional(),
    refundStatus: Payment.shape.refundStatus.exactOptional(),
    requestedFrom: Instant.exactOptional().meta({
      description: 'Asked for then or later',
      example: '2026-01-01T00:00:00.000Z',
    }),
    requestedTo: Instant.exactOptional().meta({
      description: 'Asked for then or before',
      example: '2026-01-31T23:59:59.999Z',
    }),
  }),
  item: Payment,
  find: ({ parameters: { orderId, status, refundStatus, requestedFrom, requestedTo } }) => ({
    ...(orderId !== undefined
      ? { index: 'byOrder', equals: [orderId] }
      : refundStatus !== undefined
        ? { index: 'byRefund', equals: [refundStatus] }
        : status !== undefined
          ? { index: 'byStatus', equals: [status] }
          : { index: 'byRequestedAt' }),
    ...(requestedFrom !== undefined && { from: requestedFrom }),
    ...(requestedTo !== undefined && { to: requestedTo }),
    direction: 'descending',
  }),
  show: (found, { parameters: { status, refundStatus } }) =>
    found.map((payment) =>
      (status === undefined || payment.status === status) &&
      (refundStatus === undefined || payment.refundStatus === refundStatus)
        ? payment
        : undefined,
    ),
})

export const paymentQueries = [getPayment, listPayments] as const
