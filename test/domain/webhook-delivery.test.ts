import { expect, test } from 'vitest'
import { retryDelaysMs, webhookDelivery, webhookDeliveryEvents } from '../../src/domain/webhook-delivery.ts'
import { webhookEvents, webhooks } from '../../src/domain/webhooks.ts'
import type { DomainEvent } from '../../src/engine/events.ts'
import { having, specification } from '../../src/testing/specification.ts'

const at = '2026-01-15T09:30:00.000Z'
const later = (ms: number) => new Date(Date.parse(at) + ms).toISOString()
const directory = specification(webhooks, webhookEvents)
const created = directory.event('WebhookCreated', {
  webhookId: 'erp',
  title: 'ERP',
  url: 'https://erp.example/',
  eventTypes: ['OrderPlaced'],
  activeFrom: at,
  secret: 1,
})
const active = [having(webhooks, 'all', created)]
const disabled = [
  having(webhooks, 'all', created, directory.event('WebhookDisabled', { webhookId: 'erp', cause: 'staff' })),
]
const { given, event } = specification(webhookDelivery, webhookDeliveryEvents, { id: 'delivery-1', at, facts: active })
const message = {
  kind: 'event',
  eventId: 'event-1',
  eventType: 'OrderPlaced',
  stream: 'order-1',
  revision: 0,
} as const
const requested = event('WebhookDeliveryRequested', { webhookId: 'erp', message })
const testRequested = event('WebhookDeliveryRequested', { webhookId: 'erp', message: { kind: 'test' } })
const attempt = (number: number) => ({ attempt: number, tookMs: 80, status: 503, code: 'status-503' })
const failure = (number: number) => ({ ...attempt(number), retryAfterMs: 0, isFinal: false })
const attemptFailed = (number: number, retryAt: string) =>
  event('WebhookAttemptFailed', { ...attempt(number), retryAt })
const delivered = (number: number) => event('WebhookDelivered', { attempt: number, tookMs: 80, status: 204 })

test('a message is asked for once, and delivered', () => {
  given()
    .when('RequestDelivery', { webhookId: 'erp', message })
    .then(requested)
    .when('RecordDelivery', { attempt: 1, tookMs: 80, status: 204 })
    .then(delivered(1))
    .when('RecordFailedAttempt', failure(1))
    .thenNothing()
})

test('it is tried again after longer and longer waits, and given up at last', () => {
  let before: DomainEvent[] = [requested]
  for (const [number, delayMs] of retryDelaysMs.entries()) {
    const failed = attemptFailed(number + 1, later(delayMs))
    given(...before)
      .when('RecordFailedAttempt', failure(number + 1))
      .then(failed)
    before = [...before, failed]
  }
  const last = retryDelaysMs.length + 1
  given(...before)
    .when('RecordFailedAttempt', failure(last))
    .then(event('WebhookDeliveryFailed', attempt(last)))
  const hours = retryDelaysMs.reduce((sum, ms) => sum + ms, 0) / 3_600_000
  expect(hours).toBeGreaterThan(72)
})

test('it waits for as long as the receiver asks, within a day, and no less than by itself', () => {
  const asked = (retryAfterMs: number) => ({ ...failure(1), retryAfterMs })
  given(requested)
    .when('RecordFailedAttempt', asked(60_000))
    .then(attemptFailed(1, later(60_000)))
  given(requested)
    .when('RecordFailedAttempt', asked(1))
    .then(attemptFailed(1, later(5_000)))
  given(requested)
    .when('RecordFailedAttempt', asked(1e12))
    .then(attemptFailed(1, later(86_400_000)))
})

test('what nothing can help is not tried again', () => {
  given(requested)
    .when('RecordFailedAttempt', { ...failure(1), isFinal: true })
    .then(event('WebhookDeliveryFailed', attempt(1)))
})

test('a test is sent to an active webhook, once', () => {
  given().when('RequestTestDelivery', { webhookId: 'erp' }).then(testRequested)
  given(testRequested)
    .when('RecordFailedAttempt', failure(1))
    .then(event('WebhookDeliveryFailed', attempt(1)))
  given().when('RequestTestDelivery', { webhookId: 'crm' }).thenRejected('webhook-not-found')
  given().when('RequestTestDelivery', { webhookId: 'erp' }, { facts: disabled }).thenRejected('webhook-disabled')
})

test('it is sent again by hand, whether it arrived, failed or waits, with all its tries', () => {
  const again = (number: number) => event('WebhookRedeliveryRequested', { redeliveryId: 'r1', attempt: number })
  given(requested, delivered(1)).when('Redeliver', { redeliveryId: 'r1' }).then(again(2))
  given(requested, event('WebhookDeliveryFailed', attempt(1)))
    .when('Redeliver', { redeliveryId: 'r1' })
    .then(again(2))
  given(requested, attemptFailed(1, later(5_000)))
    .when('Redeliver', { redeliveryId: 'r1' })
    .then(again(3))
    .when('RecordDelivery', { attempt: 2, tookMs: 80, status: 204 })
    .thenNothing()
    .when('RecordFailedAttempt', failure(3))
    .then(attemptFailed(3, later(5_000)))
  given().when('Redeliver', { redeliveryId: 'r1' }).thenRejected('webhook-delivery-not-found')
  given(requested).when('Redeliver', { redeliveryId: 'r1' }, { facts: disabled }).thenRejected('webhook-disabled')
})
