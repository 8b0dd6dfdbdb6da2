import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Timestamp } from './values.ts'

/** How the program behind a webhook answers. Its id is the webhook's; a stream of its own, so that failures don't crowd what people have set. */

// Events

export const webhookReceiverEvents = defineEvents('webhookReceiver', {
  /** The first failure after a success, or of all. */
  WebhookReceiverFailing: z.object({
    since: Timestamp.meta({ description: 'When it failed first', example: '2026-01-15T09:30:00.000Z' }),
  }),
  WebhookReceiverRecovered: z.object({}),
})
export type WebhookReceiverEvent = EventOf<typeof webhookReceiverEvents>

// State

export interface WebhookReceiver {
  readonly failingSince?: string
}

function evolve(_receiver: WebhookReceiver, event: WebhookReceiverEvent): WebhookReceiver {
  switch (event.type) {
    case 'WebhookReceiverFailing':
      return { failingSince: event.data.since }
    case 'WebhookReceiverRecovered':
      return {}
  }
}

// Commands

const webhookReceiverCommands = {
  NoteReceiverFailure: z.strictObject({}),
  NoteReceiverSuccess: z.strictObject({}),
}

// Decisions

function noteFailure(
  _command: object,
  { failingSince }: WebhookReceiver,
  { at }: { readonly at: string },
): WebhookReceiverEvent[] {
  return failingSince === undefined ? [{ type: 'WebhookReceiverFailing', data: { since: at } }] : []
}

function noteSuccess(_command: object, { failingSince }: WebhookReceiver): WebhookReceiverEvent[] {
  return failingSince === undefined ? [] : [{ type: 'WebhookReceiverRecovered', data: {} }]
}

export const webhookReceiver = decider({
  events: webhookReceiverEvents,
  commands: webhookReceiverCommands,
  initial: {},
  evolve,
  decide: { NoteReceiverFailure: noteFailure, NoteReceiverSuccess: noteSuccess },
})
