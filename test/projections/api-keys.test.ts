import { expect, test } from 'vitest'
import { apiKeyEvents } from '../../src/domain/api-key.ts'
import { apiKeyQueries, apiKeys } from '../../src/projections/api-keys.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'

const { given } = readModel(apiKeys)
const [listApiKeys] = apiKeyQueries
const staff = { principal: asStaff('keys') }
const secretHash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const warehouse = happenings(apiKeyEvents, 'key-1')
const shop = given(
  warehouse('ApiKeyCreated', { title: 'Warehouse', scopes: ['stock'], secretHash }),
  happenings(apiKeyEvents, 'key-2')('ApiKeyCreated', { title: 'Reports', scopes: ['analytics'], secretHash }),
  warehouse('ApiKeyRevoked', {}),
)

test('keys are listed, the newest first, revoked ones too', async () => {
  expect(await shop.ask(listApiKeys, {}, staff)).toMatchObject({
    items: [
      { id: 'key-2', title: 'Reports', scopes: ['analytics'], createdAt: '2026-01-15T09:31:00.000Z', revokedAt: null },
      { id: 'key-1', title: 'Warehouse', revokedAt: '2026-01-15T09:32:00.000Z', revision: 1 },
    ],
  })
  expect(await shop.ask(listApiKeys, { revoked: 'false' }, staff)).toMatchObject({ items: [{ id: 'key-2' }] })
  expect(await shop.ask(listApiKeys, { revoked: 'true' }, staff)).toMatchObject({ items: [{ id: 'key-1' }] })
})

test('the hash of a secret is not even in the read model', async () => {
  expect(JSON.stringify(await shop.documents())).not.toContain(secretHash)
})

test('only staff with the scope may ask', async () => {
  await expect(shop.ask(listApiKeys, {}, { principal: asStaff('stock') })).rejects.toThrow('forbidden')
})
