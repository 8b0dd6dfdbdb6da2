import { apiKeyEvents } from '../domain/api-key.ts'
import { webhookDelivery, webhookDeliveryEvents } from '../domain/webhook-delivery.ts'
import { webhookReceiverEvents } from '../domain/webhook-receiver.ts'
import { webhookEvents, webhooks, webhooksId } from '../domain/webhooks.ts'
import { ask } from '../engine/command.ts'
import type { Decider } from '../engine/decider.ts'
import type { EventDefinition } from '../engine/events.ts'
import { listeningProcess } from '../engine/process-manager.ts'
import { derivedId } from '../engine/streams.ts'

export type DeliverableEvents = ReadonlyMap<string, EventDefinition>

/** What nobody is sent: what follows from sending, which would never end, and what keys are known by. */
const keptBack = new Set(
  [webhookEvents, webhookReceiverEvents, webhookDeliveryEvents, apiKeyEvents].map(({ category }) => category),
)

/** The events that webhooks can be told of. @param aggregates of the shop */
export function deliverableEvents(aggregates: readonly Decider[]): DeliverableEvents {
  return new Map(
    aggregates.filter(({ category }) => !keptBack.has(category)).flatMap(({ events }) => [...events.byType]),
  )
}

/** The id of what a webhook is sent of an event: the same however often that is asked for. */
function deliveryId(webhookId: string, eventId: string): string {
  return derivedId('webhook-delivery', webhookId, eventId)
}

/** When something happens that a webhook wants to be told of, a delivery is asked for. Where there is no webhook it hears nothing. */
export function requestWebhookDeliveries(deliverable: DeliverableEvents) {
  return listeningProcess({
    name: 'request-webhook-deliveries',
    of: webhooks,
    id: webhooksId,
    types: ({ byId }) => {
      const wanted = byId.valueSeq().flatMap(({ isActive, eventTypes }) => (isActive ? eventTypes : []))
      return new Set(wanted.filter((type) => deliverable.has(type)))
    },
    route: ({ stream }) => stream,
    react: ({ id: eventId, type: eventType, stream, revision }, { byId }) =>
      [...byId]
        .filter(([, { isActive, eventTypes }]) => isActive && eventTypes.includes(eventType))
        .map(([webhookId]) =>
          ask(webhookDelivery, deliveryId(webhookId, eventId), 'RequestDelivery', {
            webhookId,
            message: { kind: 'event', eventId, eventType, stream, revision },
          }),
        ),
  })
}
