import { test } from 'vitest'
import { webhookReceiver, webhookReceiverEvents } from '../../src/domain/webhook-receiver.ts'
import { specification } from '../../src/testing/specification.ts'

const at = '2026-01-15T09:30:00.000Z'
const { given, event } = specification(webhookReceiver, webhookReceiverEvents, { id: 'erp', at })
const failing = event('WebhookReceiverFailing', { since: at })

test('a receiver fails from the first failure on, until something arrives', () => {
  given()
    .when('NoteReceiverFailure', {})
    .then(failing)
    .when('NoteReceiverFailure', {}, { at: '2026-01-16T09:30:00.000Z' })
    .thenNothing()
    .when('NoteReceiverSuccess', {})
    .then(event('WebhookReceiverRecovered', {}))
    .when('NoteReceiverFailure', {}, { at: '2026-01-17T09:30:00.000Z' })
    .then(event('WebhookReceiverFailing', { since: '2026-01-17T09:30:00.000Z' }))
  given().when('NoteReceiverSuccess', {}).thenNothing()
})
