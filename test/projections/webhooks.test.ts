import { expect, test } from 'vitest'
import { webhookDeliveryEvents } from '../../src/domain/webhook-delivery.ts'
import { webhookReceiverEvents } from '../../src/domain/webhook-receiver.ts'
import { webhookEvents } from '../../src/domain/webhooks.ts'
import { webhookDeliveries, webhookDeliveryQueries } from '../../src/projections/webhook-deliveries.ts'
import { webhookDirectory, webhookQueries } from '../../src/projections/webhooks.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { firstInstant } from '../../src/testing/recording.ts'

const directory = readModel(webhookDirectory)
const deliveries = readModel(webhookDeliveries)
const staff = { principal: asStaff('webhooks') }
const all = happenings(webhookEvents, 'all')
const receiver = happenings(webhookReceiverEvents, 'erp')
const [listWebhooks, getWebhook] = webhookQueries
const [listDeliveries, getDelivery] = webhookDeliveryQueries
const content = { title: 'ERP', url: 'https://erp.example/', eventTypes: ['OrderPlaced'] }
const created = all('WebhookCreated', { webhookId: 'erp', ...content, activeFrom: firstInstant, secret: 1 })
const shown = {
  id: 'erp',
  ...content,
  status: 'active',
  disabled: null,
  failingSince: null,
  createdAt: firstInstant,
  revision: 0,
}

test('webhooks are listed with whether they are active and reached', async () => {
  const model = directory.given(created, receiver('WebhookReceiverFailing', { since: firstInstant }))
  expect(await model.ask(listWebhooks, {}, staff)).toEqual({ items: [{ ...shown, failingSince: firstInstant }] })
  const disabled = directory.given(
    created,
    receiver('WebhookReceiverFailing', { since: firstInstant }),
    receiver('WebhookReceiverRecovered', {}),
    all('WebhookDisabled', { webhookId: 'erp', cause: 'gone', reason: 'It is gone.' }),
  )
  expect(await disabled.ask(getWebhook, { webhookId: 'erp' }, staff)).toEqual({
    ...shown,
    status: 'disabled',
    disabled: { at: '2026-01-15T09:33:00.000Z', cause: 'gone', reason: 'It is gone.' },
    revision: 1,
  })
})

test('all have one revision, and what is deleted is gone', async () => {
  const model = directory.given(
    created,
    all('WebhookCreated', { webhookId: 'crm', ...content, activeFrom: firstInstant, secret: 2 }),
    all('WebhookDisabled', { webhookId: 'erp', cause: 'staff' }),
    all('WebhookEnabled', { webhookId: 'erp', activeFrom: firstInstant }),
    all('WebhookSecretRotated', { webhookId: 'erp', rotationId: 'r1', secret: 3, previousUntil: firstInstant }),
    all('WebhookChanged', { webhookId: 'erp', ...content, title: 'B' }),
    all('WebhookDeleted', { webhookId: 'crm' }),
  )
  expect(await model.ask(listWebhooks, {}, staff)).toEqual({ items: [{ ...shown, title: 'B', revision: 6 }] })
  expect(await model.ask(getWebhook, { webhookId: 'crm' }, staff)).toBeUndefined()
  expect(await directory.given().ask(listWebhooks, {}, staff)).toEqual({ items: [] })
  await expect(model.ask(listWebhooks, {}, { principal: asStaff('orders') })).rejects.toThrow('forbidden')
})

const delivery = happenings(webhookDeliveryEvents, 'delivery-1')
const other = happenings(webhookDeliveryEvents, 'delivery-2')
const message = {
  kind: 'event',
  eventId: 'event-1',
  eventType: 'OrderPlaced',
  stream: 'order-1',
  revision: 0,
} as const
const failure = { attempt: 1, tookMs: 80, code: 'status-503', status: 503 }

test('a delivery is shown with its attempts', async () => {
  const model = deliveries.given(
    delivery('WebhookDeliveryRequested', { webhookId: 'erp', message }),
    delivery('WebhookAttemptFailed', { ...failure, retryAt: '2026-01-15T09:31:05.000Z' }),
    delivery('WebhookDeliveryFailed', { attempt: 2, tookMs: 5, code: 'econnrefused' }),
    delivery('WebhookRedeliveryRequested', { redeliveryId: 'r1', attempt: 3 }),
    delivery('WebhookDelivered', { attempt: 3, tookMs: 7, status: 200 }),
    other('WebhookDeliveryRequested', { webhookId: 'erp', message: { kind: 'test' } }),
  )
  const first = {
    id: 'delivery-1',
    webhookId: 'erp',
    eventId: 'event-1',
    eventType: 'OrderPlaced',
    stream: 'order-1',
    status: 'delivered',
    requestedAt: firstInstant,
    nextAttemptAt: null,
    attempts: [
      { attempt: 1, at: '2026-01-15T09:31:00.000Z', tookMs: 80, status: 503, code: 'status-503' },
      { attempt: 2, at: '2026-01-15T09:32:00.000Z', tookMs: 5, status: null, code: 'econnrefused' },
      { attempt: 3, at: '2026-01-15T09:34:00.000Z', tookMs: 7, status: 200, code: null },
    ],
    revision: 4,
  }
  const second = {
    ...first,
    id: 'delivery-2',
    eventId: null,
    eventType: null,
    stream: null,
    status: 'pending',
    requestedAt: '2026-01-15T09:35:00.000Z',
    nextAttemptAt: '2026-01-15T09:35:00.000Z',
    attempts: [],
    revision: 0,
  }
  expect(await model.ask(getDelivery, { deliveryId: 'delivery-1' }, staff)).toEqual(first)
  const page = { next: null, previous: null }
  expect(await model.ask(listDeliveries, { webhookId: 'erp' }, staff)).toEqual({ items: [second, first], ...page })
  expect(await model.ask(listDeliveries, { webhookId: 'erp', status: 'delivered' }, staff)).toEqual({
    items: [first],
    ...page,
  })
  expect(await model.ask(listDeliveries, { webhookId: 'crm' }, staff)).toEqual({ items: [], ...page })
})

test('it shows what is tried next, and no more than the latest attempts', async () => {
  const failed = Array.from({ length: 30 }, (_, number) =>
    delivery('WebhookAttemptFailed', { ...failure, attempt: number + 1, retryAt: '2026-02-01T00:00:00.000Z' }),
  )
  const model = deliveries.given(delivery('WebhookDeliveryRequested', { webhookId: 'erp', message }), ...failed)
  const found = await model.ask(getDelivery, { deliveryId: 'delivery-1' }, staff)
  expect(found).toMatchObject({ status: 'pending', nextAttemptAt: '2026-02-01T00:00:00.000Z' })
  expect(found).toHaveProperty('attempts.length', 20)
  expect(found).toHaveProperty('attempts.0.attempt', 11)
})
