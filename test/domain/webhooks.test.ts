import { expect, test } from 'vitest'
import { maxWebhooks, WebhookUrl, webhookEvents, webhooks } from '../../src/domain/webhooks.ts'
import { specification } from '../../src/testing/specification.ts'

const at = '2026-01-15T09:30:00.000Z'
const { given, event } = specification(webhooks, webhookEvents, { id: 'all', at })
const content = { title: 'ERP', url: 'https://erp.example/daybook', eventTypes: ['OrderPlaced'] }
const created = event('WebhookCreated', { webhookId: 'erp', ...content, activeFrom: at, secret: 1 })
const disabled = event('WebhookDisabled', { webhookId: 'erp', cause: 'staff', reason: 'Moves' })
const erp = { webhookId: 'erp' }

test('a webhook is active from its creation on, with a secret of its own', () => {
  given()
    .when('CreateWebhook', { ...erp, ...content })
    .then(created)
  given(created)
    .when('CreateWebhook', { webhookId: 'crm', ...content })
    .then(event('WebhookCreated', { webhookId: 'crm', ...content, activeFrom: at, secret: 2 }))
  given(created, event('WebhookDeleted', erp))
    .when('CreateWebhook', { ...erp, ...content })
    .then(event('WebhookCreated', { ...erp, ...content, activeFrom: at, secret: 2 }))
  given(created)
    .when('CreateWebhook', { ...erp, ...content, title: 'Other' })
    .thenRejected('webhook-exists')
})

test('there is a bound to how many there are', () => {
  const many = Array.from({ length: maxWebhooks }, (_, number) =>
    event('WebhookCreated', { webhookId: `w${number}`, ...content, activeFrom: at, secret: number + 1 }),
  )
  given(...many)
    .when('CreateWebhook', { ...erp, ...content })
    .thenRejected('too-many-webhooks')
  given(...many.slice(1))
    .when('CreateWebhook', { ...erp, ...content })
    .then(event('WebhookCreated', { ...erp, ...content, activeFrom: at, secret: maxWebhooks + 1 }))
})

test('what it is sent, and where, can be changed, in parts', () => {
  const changed = { ...erp, ...content, eventTypes: ['OrderPlaced', 'OrderCancelled'] }
  given(created)
    .when('ChangeWebhook', { ...erp, eventTypes: changed.eventTypes })
    .then(event('WebhookChanged', changed))
    .when('ChangeWebhook', { ...erp, title: 'B', url: 'https://b.example/' })
    .then(event('WebhookChanged', { ...changed, title: 'B', url: 'https://b.example/' }))
  given(created).when('ChangeWebhook', erp).thenNothing()
  given().when('ChangeWebhook', erp).thenRejected('webhook-not-found')
})

test('it is disabled and enabled, and deleted for good', () => {
  given(created)
    .when('DisableWebhook', { ...erp, reason: 'Moves' })
    .then(disabled)
    .when('EnableWebhook', erp, { at: '2026-01-16T09:30:00.000Z' })
    .then(event('WebhookEnabled', { ...erp, activeFrom: '2026-01-16T09:30:00.000Z' }))
    .when('DeleteWebhook', erp)
    .then(event('WebhookDeleted', erp))
    .when('EnableWebhook', erp)
    .thenRejected('webhook-not-found')
  given(created).when('EnableWebhook', erp).thenNothing()
  given().when('DisableWebhook', erp).thenRejected('webhook-not-found')
  given().when('DeleteWebhook', erp).thenNothing()
})

test('it is given up only as it was when it failed', () => {
  const failed = { ...erp, cause: 'failing', reason: 'Nothing has arrived.', url: content.url, activeFrom: at } as const
  const { url: _url, activeFrom: _from, ...data } = failed
  given(created).when('GiveUpWebhook', failed).then(event('WebhookDisabled', data))
  given(created)
    .when('GiveUpWebhook', { ...failed, url: 'https://old.example/' })
    .thenNothing()
  given(created)
    .when('GiveUpWebhook', { ...failed, activeFrom: '2026-01-14T09:30:00.000Z' })
    .thenNothing()
  given(disabled).when('GiveUpWebhook', failed).thenNothing()
  given(created, disabled).when('GiveUpWebhook', failed).thenNothing()
})

test('its secret is replaced, and the one before is good for as long as was said', () => {
  const rotation = (number: number, previousUntil: string) =>
    event('WebhookSecretRotated', { ...erp, rotationId: `r${number}`, secret: number + 1, previousUntil })
  given(created)
    .when('RotateWebhookSecret', { ...erp, rotationId: 'r1' })
    .then(rotation(1, '2026-01-16T09:30:00.000Z'))
    .when('RotateWebhookSecret', { ...erp, rotationId: 'r2', previousForMs: 0 })
    .then(rotation(2, at))
  given()
    .when('RotateWebhookSecret', { ...erp, rotationId: 'r1' })
    .thenRejected('webhook-not-found')
})

test.each(['ftp://a.example/', 'https://user@a.example/', 'https://a:b@a.example', 'https://', 'a.example'])(
  '%s is no address of a receiver',
  (url) => {
    expect(WebhookUrl.safeParse(url).success).toBe(false)
  },
)

test('an address may have an @ where it gives no password away', () => {
  expect(WebhookUrl.safeParse('https://a.example/@daybook?to=a@b').success).toBe(true)
})
