import { Map as PersistentMap } from 'immutable'
import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { isSame } from './sameness.ts'
import { Id, Reason, Timestamp, Title } from './values.ts'

/**
 * What other programs want to be told of. All webhooks of a shop are one aggregate, so that one look says who is to be told, and
 * there are never too many. Secrets are in the vault; only their numbers are here.
 */

/** Id of the only one. */
export const webhooksId = 'all'
export const maxWebhooks = 100

export const WebhookId = Id.meta({ description: 'Webhook', example: 'erp' })
export const WebhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((url) => !/^[^/]*\/\/[^/?#]*@/.test(url), 'must not hold a name or a password: it is shown')
  .meta({ description: 'Where events are sent', example: 'https://erp.example/daybook' })
export const EventTypes = z
  .array(z.string().regex(/^[A-Z][A-Za-z0-9]{0,99}$/))
  .min(1)
  .max(200)
  .meta({ description: 'Types of the events that are sent', example: ['OrderConfirmed', 'OrderCancelled'] })

const Content = { title: Title, url: WebhookUrl, eventTypes: EventTypes }
/** By which a decision knows that the webhook is still the one that was called. */
const ActiveFrom = Timestamp.meta({ description: 'Since when it is active', example: '2026-01-15T09:30:00.000Z' })
const SecretNumber = z.int().min(1).meta({ description: 'Names its secret in the vault', example: 1 })

const Cause = z.enum(['staff', 'failing', 'gone']).meta({
  description: 'Who or what disabled it: `gone` is an answer 410, `failing` too long without success',
  example: 'failing',
})

// Events

export const webhookEvents = defineEvents('webhooks', {
  WebhookCreated: z.object({ webhookId: WebhookId, ...Content, activeFrom: ActiveFrom, secret: SecretNumber }),
  WebhookChanged: z.object({ webhookId: WebhookId, ...Content }),
  WebhookDisabled: z.object({ webhookId: WebhookId, cause: Cause, reason: Reason.exactOptional() }),
  WebhookEnabled: z.object({ webhookId: WebhookId, activeFrom: ActiveFrom }),
  WebhookSecretRotated: z.object({
    webhookId: WebhookId,
    rotationId: Id,
    secret: SecretNumber,
    previousUntil: Timestamp.meta({
      description: 'Until when the secret before it signs, too',
      example: '2026-01-16T09:30:00.000Z',
    }),
  }),
  WebhookDeleted: z.object({ webhookId: WebhookId }),
})
export type WebhookEvent = EventOf<typeof webhookEvents>

// State

export interface Webhook {
  readonly title: string
  readonly url: string
  readonly eventTypes: readonly string[]
  readonly isActive: boolean
  readonly activeFrom: string
  readonly secret: number
  readonly rotation?: { readonly id: string; readonly previous: number; readonly previousUntil: string }
}

export interface Webhooks {
  readonly byId: PersistentMap<string, Webhook>
  /** Secrets that there ever were: a webhook that is made again gets another. */
  readonly secrets: number
}

const initial: Webhooks = { byId: PersistentMap(), secrets: 0 }

function evolve(webhooks: Webhooks, event: WebhookEvent): Webhooks {
  const { byId, secrets } = webhooks
  const { webhookId } = event.data
  const update = (change: (webhook: Webhook) => Webhook): Webhooks => {
    const present = byId.get(webhookId)
    return present ? { ...webhooks, byId: byId.set(webhookId, change(present)) } : webhooks
  }
  switch (event.type) {
    case 'WebhookCreated': {
      const { title, url, eventTypes, activeFrom, secret } = event.data
      const made = { title, url, eventTypes, isActive: true, activeFrom, secret }
      return { byId: byId.set(webhookId, made), secrets: Math.max(secrets, secret) }
    }
    case 'WebhookChanged': {
      const { title, url, eventTypes } = event.data
      return update((webhook) => ({ ...webhook, title, url, eventTypes }))
    }
    case 'WebhookDisabled':
      return update((webhook) => ({ ...webhook, isActive: false }))
    case 'WebhookEnabled':
      return update((webhook) => ({ ...webhook, isActive: true, activeFrom: event.data.activeFrom }))
    case 'WebhookSecretRotated': {
      const { rotationId: id, secret, previousUntil } = event.data
      const rotated = update((webhook) => ({
        ...webhook,
        secret,
        rotation: { id, previous: webhook.secret, previousUntil },
      }))
      return { ...rotated, secrets: Math.max(secrets, secret) }
    }
    case 'WebhookDeleted':
      return { ...webhooks, byId: byId.delete(webhookId) }
  }
}

// Commands

const dayMs = 86_400_000

export const webhookCommands = {
  CreateWebhook: z.strictObject({ webhookId: WebhookId, ...Content }),
  ChangeWebhook: z.strictObject({
    webhookId: WebhookId,
    title: Title.exactOptional(),
    url: WebhookUrl.exactOptional(),
    eventTypes: EventTypes.exactOptional(),
  }),
  DisableWebhook: z.strictObject({ webhookId: WebhookId, reason: Reason.exactOptional() }),
  /** By who calls it: `url` and `activeFrom` are those that it called. */
  GiveUpWebhook: z.strictObject({
    webhookId: WebhookId,
    cause: Cause,
    reason: Reason,
    url: WebhookUrl,
    activeFrom: ActiveFrom,
  }),
  EnableWebhook: z.strictObject({ webhookId: WebhookId }),
  RotateWebhookSecret: z.strictObject({
    webhookId: WebhookId,
    rotationId: Id,
    previousForMs: z.int().min(0).max(dayMs).default(dayMs).meta({
      description: 'How long the present secret goes on to sign, too; 0 for one that others know',
      example: dayMs,
    }),
  }),
  DeleteWebhook: z.strictObject({ webhookId: WebhookId }),
}

// Decisions

type Command<Type extends keyof typeof webhookCommands> = z.output<(typeof webhookCommands)[Type]>
type Around = { readonly at: string }

/**
 * A webhook that there is.
 * @throws Rejection where there is none with this id
 */
export function webhookOf({ byId }: Webhooks, webhookId: string): Webhook {
  const found = byId.get(webhookId)
  if (found === undefined) throw notFound('webhook', webhookId)
  return found
}

function contentOf({ title, url, eventTypes }: Webhook) {
  return { title, url, eventTypes: [...eventTypes] }
}

function create(command: Command<'CreateWebhook'>, { byId, secrets }: Webhooks, { at }: Around): WebhookEvent[] {
  const { webhookId, ...content } = command
  const present = byId.get(webhookId)
  if (present && isSame(content, contentOf(present))) return []
  if (present) throw reject('webhook-exists', 'There is a webhook with this id. Change it, or choose another id.')
  if (byId.size >= maxWebhooks) {
    throw reject('too-many-webhooks', `A shop has ${maxWebhooks} webhooks at most. Delete one first.`)
  }
  return [{ type: 'WebhookCreated', data: { ...command, activeFrom: at, secret: secrets + 1 } }]
}

function change({ webhookId, ...changes }: Command<'ChangeWebhook'>, webhooks: Webhooks): WebhookEvent[] {
  const present = contentOf(webhookOf(webhooks, webhookId))
  const content = { ...present, ...changes }
  return isSame(content, present) ? [] : [{ type: 'WebhookChanged', data: { webhookId, ...content } }]
}

function disable(command: Command<'DisableWebhook'>, webhooks: Webhooks): WebhookEvent[] {
  if (!webhookOf(webhooks, command.webhookId).isActive) return []
  return [{ type: 'WebhookDisabled', data: { ...command, cause: 'staff' } }]
}

/** What failed may have been mended, moved or deleted meanwhile: then it is not given up. */
function giveUp(command: Command<'GiveUpWebhook'>, { byId }: Webhooks): WebhookEvent[] {
  const { webhookId, cause, reason, url, activeFrom } = command
  const webhook = byId.get(webhookId)
  if (!webhook?.isActive || webhook.url !== url || webhook.activeFrom !== activeFrom) return []
  return [{ type: 'WebhookDisabled', data: { webhookId, cause, reason } }]
}

function enable({ webhookId }: Command<'EnableWebhook'>, webhooks: Webhooks, { at }: Around): WebhookEvent[] {
  if (webhookOf(webhooks, webhookId).isActive) return []
  return [{ type: 'WebhookEnabled', data: { webhookId, activeFrom: at } }]
}

function rotate(command: Command<'RotateWebhookSecret'>, webhooks: Webhooks, { at }: Around): WebhookEvent[] {
  const { webhookId, rotationId, previousForMs } = command
  if (webhookOf(webhooks, webhookId).rotation?.id === rotationId) return []
  const previousUntil = Temporal.Instant.from(at)
    .add({ milliseconds: previousForMs })
    .toString({ smallestUnit: 'millisecond' })
  return [
    { type: 'WebhookSecretRotated', data: { webhookId, rotationId, secret: webhooks.secrets + 1, previousUntil } },
  ]
}

function remove({ webhookId }: Command<'DeleteWebhook'>, { byId }: Webhooks): WebhookEvent[] {
  return byId.has(webhookId) ? [{ type: 'WebhookDeleted', data: { webhookId } }] : []
}

export const webhooks = decider({
  events: webhookEvents,
  commands: webhookCommands,
  initial,
  evolve,
  decide: {
    CreateWebhook: create,
    ChangeWebhook: change,
    DisableWebhook: disable,
    GiveUpWebhook: giveUp,
    EnableWebhook: enable,
    RotateWebhookSecret: rotate,
    DeleteWebhook: remove,
  },
})
