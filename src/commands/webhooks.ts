import { z } from 'zod'
import { webhookDelivery, webhookDeliveryCommands } from '../domain/webhook-delivery.ts'
import { EventTypes, WebhookId, WebhookUrl, webhookCommands, webhooks, webhooksId } from '../domain/webhooks.ts'
import { staff } from '../engine/access.ts'
import { command, outcome } from '../engine/command-definition.ts'

/**
 * What people may ask for about webhooks.
 * @param eventTypes what can be subscribed to
 * @param allowsHttp whether events may be sent in the clear, as to a program on the same machine
 */
export function webhookRequests(eventTypes: readonly string[], allowsHttp: boolean) {
  const { title } = webhookCommands.CreateWebhook.shape
  const url = allowsHttp
    ? WebhookUrl
    : WebhookUrl.refine((each) => each.startsWith('https:'), 'must begin with https://')
  const content = {
    title,
    url: url.meta({ description: 'Where events are sent', example: 'https://erp.example/daybook' }),
    eventTypes: z
      .array(z.enum(eventTypes))
      .min(1)
      .max(200)
      .meta(EventTypes.meta() ?? {}),
  }
  const who = staff('webhooks')
  const one = { who, target: webhooks, within: webhooksId, startsWork: true } as const
  return [
    command({
      ...one,
      name: 'createWebhook',
      route: 'POST /v1/webhooks',
      summary: 'Have events sent to another program',
      description:
        'From now on. Messages are signed by Standard Webhooks; `GET /v1/webhooks/{webhookId}/secret` shows by what. They hold no personal data, which is null in them.',
      type: 'CreateWebhook',
      body: z.strictObject({ id: WebhookId.exactOptional(), ...content }),
      creates: { location: '/v1/webhooks/{webhookId}', id: (body) => body.id },
      toData: ({ id: _id, ...rest }, { id }) => ({ webhookId: id, ...rest }),
    }),
    command({
      ...one,
      name: 'changeWebhook',
      route: 'POST /v1/webhooks/{webhookId}/change',
      summary: 'Change what is sent, or where',
      type: 'ChangeWebhook',
      body: z.strictObject(content).partial(),
      toData: ({ title, url, eventTypes }, { id }) => ({
        webhookId: id,
        ...(title !== undefined && { title }),
        ...(url !== undefined && { url }),
        ...(eventTypes !== undefined && { eventTypes }),
      }),
    }),
    command({
      ...one,
      name: 'disableWebhook',
      route: 'POST /v1/webhooks/{webhookId}/disable',
      summary: 'Stop sending',
      description: 'What waits to be sent is given up; what happens meanwhile is not sent later.',
      type: 'DisableWebhook',
      body: webhookCommands.DisableWebhook.omit({ webhookId: true }),
      toData: ({ reason }, { id }) => ({ webhookId: id, ...(reason !== undefined && { reason }) }),
    }),
    command({
      ...one,
      name: 'enableWebhook',
      route: 'POST /v1/webhooks/{webhookId}/enable',
      summary: 'Send again what happens from now on',
      type: 'EnableWebhook',
      body: z.strictObject({}),
      toData: (_body, { id }) => ({ webhookId: id }),
    }),
    command({
      ...one,
      name: 'rotateWebhookSecret',
      route: 'POST /v1/webhooks/{webhookId}/rotate-secret',
      summary: 'Sign with another secret',
      description: 'For a day the one before signs, too, so that the receiver has time to take the new one.',
      type: 'RotateWebhookSecret',
      body: webhookCommands.RotateWebhookSecret.pick({ previousForMs: true }),
      toData: ({ previousForMs }, { id, newId }) => ({ webhookId: id, rotationId: newId('rotation'), previousForMs }),
    }),
    command({
      ...one,
      name: 'deleteWebhook',
      route: 'DELETE /v1/webhooks/{webhookId}',
      summary: 'Stop sending for good',
      type: 'DeleteWebhook',
      body: z.strictObject({}),
      toData: (_body, { id }) => ({ webhookId: id }),
    }),
    command({
      name: 'testWebhook',
      route: 'POST /v1/webhooks/{webhookId}/test',
      summary: 'Send a test message',
      description: 'Once, without retries. With `Prefer: wait=20` the answer comes when it is delivered or has failed.',
      who,
      target: webhookDelivery,
      type: 'RequestTestDelivery',
      creates: { location: '/v1/webhook-deliveries/{deliveryId}' },
      startsWork: true,
      outcome: outcome({ of: webhookDelivery, idOf: (id) => id, isReached: ({ status }) => status !== 'pending' }),
    }),
    command({
      name: 'redeliverWebhook',
      route: 'POST /v1/webhook-deliveries/{deliveryId}/redeliver',
      summary: 'Send a message again',
      description: 'At once, and if that fails with all retries; under the id that it had.',
      who,
      target: webhookDelivery,
      type: 'Redeliver',
      body: webhookDeliveryCommands.Redeliver.omit({ redeliveryId: true }),
      startsWork: true,
      toData: (_body, { newId }) => ({ redeliveryId: newId('redelivery') }),
    }),
  ]
}
