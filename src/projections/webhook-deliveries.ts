import { z } from 'zod'
import { Id, Timestamp } from '../domain/values.ts'
import { EventMessage, type WebhookDeliveryEvent, webhookDeliveryEvents } from '../domain/webhook-delivery.ts'
import { WebhookId } from '../domain/webhooks.ts'
import { staff } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** The history of what was sent: each message with its latest attempts. What a receiver answered is not kept, only its status. */

const { attempt, tookMs, code, status } = webhookDeliveryEvents.schemas.WebhookAttemptFailed.shape
const { eventId, eventType, stream } = EventMessage.shape

const Attempt = z.object({
  attempt,
  at: Timestamp.meta({ description: 'When it ended', example: '2026-01-15T09:30:00.000Z' }),
  tookMs,
  status: status.unwrap().nullable().meta({ description: 'HTTP status of the answer; null without one', example: 200 }),
  code: code.nullable().meta({ description: 'Why it failed, for programs; null where it did not', example: null }),
})

const statuses = ['pending', 'delivered', 'failed'] as const

const Delivery = z.object({
  id: Id.meta({ description: 'Delivery; the receiver knows it as `webhook-id`', example: '0198f0c2-7777-7a34' }),
  webhookId: WebhookId,
  eventId: eventId.nullable().meta({ description: 'Event; null for a test', example: '0b6cd2b5-3c10-5b0e' }),
  eventType: eventType.nullable().meta({ description: 'Its type; null for a test', example: 'OrderConfirmed' }),
  stream: stream.nullable().meta({ description: 'Its stream; null for a test', example: 'order-0198f0c2' }),
  status: z.enum(statuses).meta({ description: 'How it stands', example: 'delivered' }),
  requestedAt: Timestamp.meta({ description: 'When it was asked for', example: '2026-01-15T09:30:00.000Z' }),
  nextAttemptAt: Timestamp.nullable().meta({
    description: 'When it is tried next; null where it is not',
    example: null,
  }),
  attempts: z.array(Attempt).meta({ description: 'The latest attempts, at most 20, the oldest first' }),
  revision: z.int().meta({ description: 'Revision of the delivery, for `If-Match`', example: 1 }),
})
type Delivery = z.output<typeof Delivery>

const keptAttempts = 20

const deliveries = collection('deliveries', Delivery, {
  byWebhook: ['webhookId', 'requestedAt'],
  byStatus: ['webhookId', 'status', 'requestedAt'],
})

type Ended = Extract<
  Recorded<WebhookDeliveryEvent>,
  { type: 'WebhookDelivered' | 'WebhookAttemptFailed' | 'WebhookDeliveryFailed' }
>

function ended(event: Ended, standing: Pick<Delivery, 'status' | 'nextAttemptAt'>): Change {
  const { attempt, tookMs, status = null } = event.data
  const code = 'code' in event.data ? event.data.code : null
  const last = { attempt, at: event.metadata.recordedAt, tookMs, status, code }
  return deliveries.update(idOf(event.stream), (delivery) => ({
    ...delivery,
    ...standing,
    attempts: [...delivery.attempts, last].slice(-keptAttempts),
    revision: event.revision,
  }))
}

export const webhookDeliveries = projection({
  name: 'webhook-deliveries',
  version: 1,
  collections: [deliveries],
  from: [webhookDeliveryEvents],
  on: {
    WebhookDeliveryRequested: ({ stream, revision, metadata, data: { webhookId, message } }) => {
      const id = idOf(stream)
      const isEvent = message.kind === 'event'
      return deliveries.change(id, () => ({
        id,
        webhookId,
        eventId: isEvent ? message.eventId : null,
        eventType: isEvent ? message.eventType : null,
        stream: isEvent ? message.stream : null,
        status: 'pending' as const,
        requestedAt: metadata.recordedAt,
        nextAttemptAt: metadata.recordedAt,
        attempts: [],
        revision,
      }))
    },
    WebhookDelivered: (event) => ended(event, { status: 'delivered', nextAttemptAt: null }),
    WebhookAttemptFailed: (event) => ended(event, { status: 'pending', nextAttemptAt: event.data.retryAt }),
    WebhookDeliveryFailed: (event) => ended(event, { status: 'failed', nextAttemptAt: null }),
    WebhookRedeliveryRequested: ({ stream, revision, metadata }) =>
      deliveries.update(idOf(stream), (delivery) => ({
        ...delivery,
        status: 'pending',
        nextAttemptAt: metadata.recordedAt,
        revision,
      })),
  },
})

export const webhookDeliveryQueries = [
  pageQuery({
    name: 'listWebhookDeliveries',
    route: 'GET /v1/webhooks/{webhookId}/deliveries',
    summary: 'What was sent to a webhook, the newest first',
    who: staff('webhooks'),
    from: webhookDeliveries,
    of: deliveries,
    parameters: z.object({
      webhookId: WebhookId,
      status: Delivery.shape.status.exactOptional().meta({ description: 'Only those', example: 'failed' }),
    }),
    item: Delivery,
    find: ({ parameters: { webhookId, status } }) => ({
      ...(status === undefined
        ? { index: 'byWebhook', equals: [webhookId] }
        : { index: 'byStatus', equals: [webhookId, status] }),
      direction: 'descending',
    }),
    show: (found) => found,
  }),
  documentQuery({
    name: 'getWebhookDelivery',
    route: 'GET /v1/webhook-deliveries/{deliveryId}',
    summary: 'A message that was sent, with its attempts',
    who: staff('webhooks'),
    from: webhookDeliveries,
    of: deliveries,
    parameters: z.object({ deliveryId: Id }),
    id: ({ deliveryId }) => deliveryId,
  }),
] as const
