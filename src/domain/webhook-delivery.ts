import { z } from 'zod'
import { type Context, decider, fact, withFacts } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Id, Timestamp } from './values.ts'
import { WebhookId, type Webhooks, webhookOf, webhooks, webhooksId } from './webhooks.ts'

/** One message for one webhook: asked for, tried, and delivered or given up. Its id is what the receiver knows it by. */

export const EventMessage = z.object({
  kind: z.literal('event').meta({ description: 'Something that has happened' }),
  eventId: Id.meta({ description: 'Event', example: '0b6cd2b5-3c10-5b0e-9d0b-6d61c1a2f1de' }),
  eventType: z.string().max(100).meta({ description: 'Its type', example: 'OrderConfirmed' }),
  stream: z.string().max(300).meta({ description: 'Its stream', example: 'order-0198f0c2' }),
  revision: z.int().min(0).meta({ description: 'Its place in the stream', example: 3 }),
})
const TestMessage = z.object({ kind: z.literal('test').meta({ description: 'A test, asked for by staff' }) })
const Message = z
  .discriminatedUnion('kind', [EventMessage, TestMessage])
  .meta({ description: 'What is delivered', example: { kind: 'test' } })
export type Message = z.output<typeof Message>

const Attempt = z.int().min(1).meta({ description: 'Number of the attempt, from 1', example: 1 })
const TookMs = z.int().min(0).meta({ description: 'Milliseconds that the call took', example: 84 })
const Status = z.int().min(100).max(999).meta({ description: 'HTTP status of the answer', example: 503 })
const Code = z.string().min(1).max(100).meta({ description: 'Why it failed, for programs', example: 'status-503' })
const outcome = { attempt: Attempt, tookMs: TookMs }
const failure = { ...outcome, code: Code, status: Status.exactOptional() }

// Events

export const webhookDeliveryEvents = defineEvents('webhookDelivery', {
  WebhookDeliveryRequested: z.object({ webhookId: WebhookId, message: Message }),
  WebhookDelivered: z.object({ ...outcome, status: Status }),
  WebhookAttemptFailed: z.object({
    ...failure,
    retryAt: Timestamp.meta({ description: 'When it is tried again', example: '2026-01-15T09:35:00.000Z' }),
  }),
  /** It is not tried again by itself. */
  WebhookDeliveryFailed: z.object(failure),
  /** By hand. The attempt is the next one, and comes at once. */
  WebhookRedeliveryRequested: z.object({ redeliveryId: Id, attempt: Attempt }),
})
export type WebhookDeliveryEvent = EventOf<typeof webhookDeliveryEvents>

// State

export interface WebhookDelivery {
  readonly status: 'none' | 'pending' | 'delivered' | 'failed'
  readonly webhookId: string
  readonly message: Message
  /** The one that is due, or was the last. */
  readonly attempt: number
  /** Attempts that failed since it was last asked for. */
  readonly failures: number
  readonly redeliveryId?: string
}

const initial: WebhookDelivery = {
  status: 'none',
  webhookId: '',
  message: { kind: 'test' },
  attempt: 0,
  failures: 0,
}

function evolve(delivery: WebhookDelivery, event: WebhookDeliveryEvent): WebhookDelivery {
  const { attempt, failures } = delivery
  switch (event.type) {
    case 'WebhookDeliveryRequested':
      return { ...delivery, ...event.data, status: 'pending', attempt: 1 }
    case 'WebhookDelivered':
      return { ...delivery, status: 'delivered' }
    case 'WebhookAttemptFailed':
      return { ...delivery, attempt: attempt + 1, failures: failures + 1 }
    case 'WebhookDeliveryFailed':
      return { ...delivery, status: 'failed' }
    case 'WebhookRedeliveryRequested': {
      const { redeliveryId } = event.data
      return { ...delivery, status: 'pending', attempt: event.data.attempt, failures: 0, redeliveryId }
    }
  }
}

// Commands

export const webhookDeliveryCommands = {
  RequestDelivery: z.strictObject({ webhookId: WebhookId, message: EventMessage }),
  RequestTestDelivery: z.strictObject({ webhookId: WebhookId }),
  RecordDelivery: z.strictObject({ ...outcome, status: Status }),
  RecordFailedAttempt: z.strictObject({
    ...failure,
    retryAfterMs: z
      .int()
      .min(0)
      .meta({ description: 'How long the receiver asked to be left alone, in milliseconds', example: 0 }),
    isFinal: z.boolean().meta({ description: 'Whether no other attempt can help', example: false }),
  }),
  Redeliver: z.strictObject({ redeliveryId: Id }),
}

// Decisions

type Command<Type extends keyof typeof webhookDeliveryCommands> = z.output<(typeof webhookDeliveryCommands)[Type]>
type WithWebhooks = Context<{ readonly webhooks: Webhooks }>

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
/** Waits after each failed attempt, in milliseconds: as Standard Webhooks proposes, a little more than three days in all. */
export const retryDelaysMs: readonly number[] = [
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
]
const longestWaitMs = 24 * hourMs

function request(command: Command<'RequestDelivery'>, { status }: WebhookDelivery): WebhookDeliveryEvent[] {
  return status === 'none' ? [{ type: 'WebhookDeliveryRequested', data: command }] : []
}

function assertActive(all: Webhooks, webhookId: string): void {
  if (webhookOf(all, webhookId).isActive) return
  throw reject('webhook-disabled', 'This webhook is disabled. Enable it first.')
}

const lookUp = () => ({ webhooks: fact(webhooks, webhooksId) })

function requestTest(
  { webhookId }: Command<'RequestTestDelivery'>,
  { status }: WebhookDelivery,
  { facts }: WithWebhooks,
): WebhookDeliveryEvent[] {
  if (status !== 'none') return []
  assertActive(facts.webhooks, webhookId)
  return [{ type: 'WebhookDeliveryRequested', data: { webhookId, message: { kind: 'test' } } }]
}

/** What comes late, of an attempt that was overtaken by a redelivery, changes nothing. */
function isDue({ status, attempt }: WebhookDelivery, command: { readonly attempt: number }): boolean {
  return status === 'pending' && attempt === command.attempt
}

function recordDelivery(command: Command<'RecordDelivery'>, delivery: WebhookDelivery): WebhookDeliveryEvent[] {
  return isDue(delivery, command) ? [{ type: 'WebhookDelivered', data: command }] : []
}

function recordFailure(
  { retryAfterMs, isFinal, ...attempt }: Command<'RecordFailedAttempt'>,
  delivery: WebhookDelivery,
  { at }: { readonly at: string },
): WebhookDeliveryEvent[] {
  if (!isDue(delivery, attempt)) return []
  const delayMs = delivery.message.kind === 'test' ? undefined : retryDelaysMs[delivery.failures]
  if (isFinal || delayMs === undefined) return [{ type: 'WebhookDeliveryFailed', data: attempt }]
  const retryAt = Temporal.Instant.from(at)
    .add({ milliseconds: Math.max(delayMs, Math.min(retryAfterMs, longestWaitMs)) })
    .toString({ smallestUnit: 'millisecond' })
  return [{ type: 'WebhookAttemptFailed', data: { ...attempt, retryAt } }]
}

function redeliver(
  { redeliveryId }: Command<'Redeliver'>,
  { status, attempt, webhookId, redeliveryId: last }: WebhookDelivery,
  { id, facts }: WithWebhooks,
): WebhookDeliveryEvent[] {
  if (status === 'none') throw notFound('webhook-delivery', id)
  if (last === redeliveryId) return []
  assertActive(facts.webhooks, webhookId)
  return [{ type: 'WebhookRedeliveryRequested', data: { redeliveryId, attempt: attempt + 1 } }]
}

export const webhookDelivery = decider({
  events: webhookDeliveryEvents,
  commands: webhookDeliveryCommands,
  initial,
  evolve,
  decide: {
    RequestDelivery: request,
    RequestTestDelivery: withFacts(lookUp, requestTest),
    RecordDelivery: recordDelivery,
    RecordFailedAttempt: recordFailure,
    Redeliver: withFacts(lookUp, redeliver),
  },
})
