import { z } from 'zod'
import { Timestamp } from '../domain/values.ts'
import { type WebhookReceiverEvent, webhookReceiverEvents } from '../domain/webhook-receiver.ts'
import { WebhookId, webhookEvents, webhooksId } from '../domain/webhooks.ts'
import { staff } from '../engine/access.ts'
import type { Recorded } from '../engine/events.ts'
import { type Change, collection, projection } from '../engine/projection.ts'
import { query } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** Who is told of what, and whether they can be reached. One document: there are few, and they change together. */

const { title, url, eventTypes } = webhookEvents.schemas.WebhookCreated.shape
const { cause, reason } = webhookEvents.schemas.WebhookDisabled.shape

const Webhook = z.object({
  id: WebhookId,
  title,
  url,
  eventTypes,
  status: z.enum(['active', 'disabled']).meta({ description: 'Whether events are sent', example: 'active' }),
  disabled: z
    .object({
      at: Timestamp,
      cause,
      reason: reason.unwrap().nullable().meta({ description: 'Why, for people', example: 'Moves to another server' }),
    })
    .nullable()
    .meta({ description: 'When it was disabled and by what; null while it is active', example: null }),
  failingSince: Timestamp.nullable().meta({
    description: 'Since when nothing sent has arrived; null where the last message did',
    example: null,
  }),
  createdAt: Timestamp.meta({ description: 'When it was made', example: '2026-01-15T09:30:00.000Z' }),
})
type Webhook = z.output<typeof Webhook>

const Shown = Webhook.extend({
  revision: z.int().meta({ description: 'Revision of all webhooks together, for `If-Match`', example: 4 }),
})

const All = z.object({ webhooks: z.array(Webhook), revision: z.int() })
type All = z.output<typeof All>

const directory = collection('directory', All, {})

function changed(revision: number, change: (webhooks: readonly Webhook[]) => Webhook[]): Change {
  return directory.change(webhooksId, (all) => ({ webhooks: change(all?.webhooks ?? []), revision }))
}

function updated({ data, revision }: { data: { webhookId: string }; revision: number }, fields: Partial<Webhook>) {
  return changed(revision, (webhooks) =>
    webhooks.map((webhook) => (webhook.id === data.webhookId ? { ...webhook, ...fields } : webhook)),
  )
}

/** The revision is that of what people have set; this is not theirs. */
function reached({ stream }: Recorded<WebhookReceiverEvent>, failingSince: string | null): Change {
  return directory.update(webhooksId, ({ webhooks, revision }) => ({
    webhooks: webhooks.map((webhook) => (webhook.id === idOf(stream) ? { ...webhook, failingSince } : webhook)),
    revision,
  }))
}

export const webhookDirectory = projection({
  name: 'webhooks',
  version: 1,
  collections: [directory],
  from: [webhookEvents, webhookReceiverEvents],
  on: {
    WebhookCreated: ({ data, revision, metadata }) =>
      changed(revision, (webhooks) => [
        ...webhooks,
        {
          id: data.webhookId,
          title: data.title,
          url: data.url,
          eventTypes: data.eventTypes,
          status: 'active',
          disabled: null,
          failingSince: null,
          createdAt: metadata.recordedAt,
        },
      ]),
    WebhookChanged: (event) => {
      const { title, url, eventTypes } = event.data
      return updated(event, { title, url, eventTypes })
    },
    WebhookDisabled: (event) => {
      const { cause, reason = null } = event.data
      return updated(event, { status: 'disabled', disabled: { at: event.metadata.recordedAt, cause, reason } })
    },
    WebhookEnabled: (event) => updated(event, { status: 'active', disabled: null }),
    WebhookSecretRotated: (event) => updated(event, {}),
    WebhookDeleted: ({ data, revision }) =>
      changed(revision, (webhooks) => webhooks.filter(({ id }) => id !== data.webhookId)),
    WebhookReceiverFailing: (event) => reached(event, event.data.since),
    WebhookReceiverRecovered: (event) => reached(event, null),
  },
})

function shown({ webhooks, revision }: All) {
  return webhooks.map((webhook) => ({ ...webhook, revision }))
}

export const webhookQueries = [
  query({
    name: 'listWebhooks',
    route: 'GET /v1/webhooks',
    summary: 'Webhooks, the oldest first',
    who: staff('webhooks'),
    from: webhookDirectory,
    parameters: z.object({}),
    result: z.object({ items: z.array(Shown).meta({ description: 'All of them' }) }),
    async run({ reader }) {
      const [all] = await reader.get(directory, [webhooksId])
      return { items: all ? shown(all) : [] }
    },
  }),
  query({
    name: 'getWebhook',
    route: 'GET /v1/webhooks/{webhookId}',
    summary: 'A webhook',
    who: staff('webhooks'),
    from: webhookDirectory,
    parameters: z.object({ webhookId: WebhookId }),
    result: Shown,
    async run({ reader, parameters }) {
      const [all] = await reader.get(directory, [webhooksId])
      return all && shown(all).find(({ id }) => id === parameters.webhookId)
    },
  }),
] as const
