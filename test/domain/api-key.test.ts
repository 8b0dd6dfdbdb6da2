import { expect, test } from 'vitest'
import { apiKey, apiKeyCommands, apiKeyEvents } from '../../src/domain/api-key.ts'
import { specification } from '../../src/testing/specification.ts'

const { given, event } = specification(apiKey, apiKeyEvents, { id: 'key-1' })
const content = {
  title: 'Warehouse',
  scopes: ['stock', 'orders'] as ('stock' | 'orders')[],
  secretHash: 'a'.repeat(64),
}
const created = event('ApiKeyCreated', content)
const revoked = event('ApiKeyRevoked', {})

test('a key is created once', () => {
  given().when('CreateApiKey', content).then(created)
  given(created)
    .when('CreateApiKey', { ...content, scopes: ['stock'] })
    .thenRejected('api-key-exists')
})

test('a key is revoked for good: creating it again does not bring it back', () => {
  given(created).when('RevokeApiKey', {}).then(revoked).when('CreateApiKey', content).thenNothing()
  const state = [created, revoked].reduce(apiKey.evolve, apiKey.initial)
  expect(state).toMatchObject({ status: 'revoked', scopes: ['stock', 'orders'] })
})

test('an unknown key cannot be revoked', () => {
  given().when('RevokeApiKey', {}).thenRejected('api-key-not-found', { id: 'key-1' })
})

test('a secret is never kept in the clear', () => {
  expect(apiKeyCommands.CreateApiKey.safeParse({ ...content, secretHash: 'secret' }).success).toBe(false)
})
