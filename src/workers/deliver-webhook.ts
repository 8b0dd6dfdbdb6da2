import { type WebhookDelivery, webhookDelivery, webhookDeliveryEvents } from '../domain/webhook-delivery.ts'
import { type WebhookReceiver, webhookReceiver } from '../domain/webhook-receiver.ts'
import { maxWebhooks, type Webhook, webhooks, webhooksId } from '../domain/webhooks.ts'
import type { Clock } from '../engine/clock.ts'
import { type Ask, ask } from '../engine/command.ts'
import { fact } from '../engine/decider.ts'
import type { EventStore, RecordedEvent } from '../engine/event-store.ts'
import { job, type WorkInHand } from '../engine/job.ts'
import { PostponedJobError } from '../engine/job-queue.ts'
import type { KeyVault } from '../engine/key-vault.ts'
import { idOf } from '../engine/streams.ts'
import type { DeliverableEvents } from './request-webhook-deliveries.ts'
import type { WebhookAnswer, WebhookGateway } from './webhook-gateway.ts'
import { eventMessage, testMessage } from './webhook-message.ts'
import { secretName, signingSecrets } from './webhook-secrets.ts'

export interface WebhookSurroundings {
  readonly gateway: WebhookGateway
  readonly store: Pick<EventStore, 'readStream'>
  readonly vault: Pick<KeyVault, 'secret'>
  /** A position as clients know it. */
  readonly tokenOf: (position: number) => string
  /** A webhook is disabled when nothing has arrived for so long. */
  readonly disableAfterMs: number
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** Calls of one webhook under way at a time in one process; there is room for those of all, so that none is held up by another. */
const callsAtOnce = 8

const statusGone = 410

/** Why a message can't be sent at all. */
type Obstacle = 'webhook-deleted' | 'webhook-disabled' | 'event-not-found'

function settled({ stream }: { readonly stream: string }, attempt: number) {
  return { target: idOf(stream), key: String(attempt) }
}

/** Sends a message to its receiver, and records what came of it. Each attempt is a job of its own. */
export function deliverWebhook(deliverable: DeliverableEvents, surroundings: WebhookSurroundings) {
  const { gateway, store, vault, tokenOf, disableAfterMs, clock } = surroundings
  /** By webhook. */
  const underWay = new Map<string, number>()

  async function inTurn<Result>(webhookId: string, run: () => Promise<Result>): Promise<Result> {
    const before = underWay.get(webhookId) ?? 0
    if (before >= callsAtOnce) throw new PostponedJobError(`The webhook ${webhookId} has enough calls under way`)
    underWay.set(webhookId, before + 1)
    try {
      return await run()
    } finally {
      const left = (underWay.get(webhookId) ?? 1) - 1
      if (left > 0) underWay.set(webhookId, left)
      else underWay.delete(webhookId)
    }
  }

  async function eventOf({ message }: WebhookDelivery): Promise<RecordedEvent | undefined> {
    if (message.kind === 'test') return undefined
    for await (const [event] of store.readStream(message.stream, { fromRevision: message.revision })) {
      return event?.id === message.eventId ? event : undefined
    }
    return undefined
  }

  async function bodyOf(delivery: WebhookDelivery): Promise<string | undefined> {
    if (delivery.message.kind === 'test') return testMessage(delivery.webhookId, new Date(clock.now()).toISOString())
    const event = await eventOf(delivery)
    const definition = event && deliverable.get(event.type)
    if (!event || !definition) return undefined
    const data = definition.upcast(event.data, event.metadata.version)
    const metadata = { ...event.metadata, version: definition.version }
    return eventMessage({ ...event, data, metadata }, definition, tokenOf(event.position))
  }

  function giveUp(obstacle: Obstacle, { target }: WorkInHand, { attempt }: WebhookDelivery): readonly Ask[] {
    const failure = { attempt, code: obstacle, tookMs: 0, retryAfterMs: 0, isFinal: true }
    return [ask(webhookDelivery, target, 'RecordFailedAttempt', failure)]
  }

  function succeeded(
    target: string,
    { attempt, webhookId }: WebhookDelivery,
    status: number,
    tookMs: number,
    { failingSince }: WebhookReceiver,
  ): readonly Ask[] {
    const recovered = failingSince === undefined ? [] : [ask(webhookReceiver, webhookId, 'NoteReceiverSuccess', {})]
    return [ask(webhookDelivery, target, 'RecordDelivery', { attempt, status, tookMs }), ...recovered]
  }

  function failed(
    target: string,
    { attempt, webhookId, message }: WebhookDelivery,
    answer: WebhookAnswer,
    tookMs: number,
    webhook: Webhook,
    { failingSince }: WebhookReceiver,
  ): readonly Ask[] {
    const isGone = answer.kind === 'answered' && answer.status === statusGone
    const failure =
      answer.kind === 'answered'
        ? { code: `status-${answer.status}`, status: answer.status, retryAfterMs: answer.retryAfterMs }
        : { code: answer.code, retryAfterMs: 0 }
    const recorded = ask(webhookDelivery, target, 'RecordFailedAttempt', {
      attempt,
      tookMs,
      ...failure,
      isFinal: isGone,
    })
    const { url, activeFrom } = webhook
    if (isGone) {
      const reason = 'The receiver has answered that it is gone for good (410).'
      return [
        recorded,
        ask(webhooks, webhooksId, 'GiveUpWebhook', { webhookId, cause: 'gone', reason, url, activeFrom }),
      ]
    }
    // A test says nothing of how the receiver takes what it has to take.
    if (message.kind === 'test') return [recorded]
    if (failingSince === undefined) return [recorded, ask(webhookReceiver, webhookId, 'NoteReceiverFailure', {})]
    const sinceMs = Math.max(Date.parse(failingSince), Date.parse(activeFrom))
    if (clock.now() - sinceMs < disableAfterMs) return [recorded]
    const reason = `Nothing has arrived since ${new Date(sinceMs).toISOString()}; the last failure was ${failure.code}.`
    return [
      recorded,
      ask(webhooks, webhooksId, 'GiveUpWebhook', { webhookId, cause: 'failing', reason, url, activeFrom }),
    ]
  }

  return job({
    name: 'deliver-webhook',
    of: webhookDelivery,
    from: [webhookDeliveryEvents],
    opens: {
      WebhookDeliveryRequested: (event) => ({ ...settled(event, 1), dueAt: event.metadata.recordedAt }),
      WebhookAttemptFailed: (event) => ({ ...settled(event, event.data.attempt + 1), dueAt: event.data.retryAt }),
      WebhookRedeliveryRequested: (event) => ({
        ...settled(event, event.data.attempt),
        dueAt: event.metadata.recordedAt,
      }),
    },
    settles: {
      WebhookDelivered: (event) => settled(event, event.data.attempt),
      WebhookAttemptFailed: (event) => settled(event, event.data.attempt),
      WebhookDeliveryFailed: (event) => settled(event, event.data.attempt),
      // The attempt that it comes in place of, where one was still to come.
      WebhookRedeliveryRequested: (event) => settled(event, event.data.attempt - 1),
    },
    isOpen: ({ status, attempt }, { key }) => status === 'pending' && String(attempt) === key,
    lookUp: ({ webhookId }) => ({
      webhooks: fact(webhooks, webhooksId),
      receiver: fact(webhookReceiver, webhookId),
    }),
    run: (delivery, work, { webhooks: all, receiver }) =>
      inTurn(delivery.webhookId, async () => {
        const { target } = work
        const webhook = all.byId.get(delivery.webhookId)
        if (webhook === undefined) return giveUp('webhook-deleted', work, delivery)
        if (!webhook.isActive) return giveUp('webhook-disabled', work, delivery)
        const body = await bodyOf(delivery)
        if (body === undefined) return giveUp('event-not-found', work, delivery)
        const keys = await Promise.all(
          signingSecrets(webhook, clock.now()).map((secret) => vault.secret(secretName(delivery.webhookId, secret))),
        )
        const beganMs = clock.monotonic()
        const answer = await gateway.send({ url: webhook.url, messageId: target, body, keys })
        const tookMs = Math.max(0, Math.round(clock.monotonic() - beganMs))
        const isDelivered = answer.kind === 'answered' && answer.status >= 200 && answer.status < 300
        return isDelivered
          ? succeeded(target, delivery, answer.status, tookMs, receiver)
          : failed(target, delivery, answer, tookMs, webhook, receiver)
      }),
    // What fails is in the delivery itself, with its own schedule. Here is tried again only what found no room, or no log.
    work: { concurrency: maxWebhooks * callsAtOnce, maxAttempts: Infinity, backoffMs: 1_000, maxBackoffMs: 30_000 },
  })
}
