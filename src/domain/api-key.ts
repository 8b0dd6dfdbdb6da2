import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Title } from './values.ts'

/** A key with which staff and programs of the shop authenticate. Only a hash of its secret is kept. */

export const scopes = [
  'catalogue',
  'stock',
  'orders',
  'payments',
  'customers',
  'analytics',
  'system',
  'keys',
  'import',
] as const
export type Scope = (typeof scopes)[number]
const Scopes = z
  .array(z.enum(scopes))
  .min(1)
  .max(scopes.length)
  .meta({ description: 'What it may do', example: ['catalogue', 'stock'] })
const SecretHash = z
  .string()
  .length(64)
  .meta({ description: 'SHA-256 of the secret, which is random', example: '9f86d081884c7d65' })

// Events

export const apiKeyEvents = defineEvents('apiKey', {
  ApiKeyCreated: z.object({ title: Title, scopes: Scopes, secretHash: SecretHash }),
  ApiKeyRevoked: z.object({}),
})
export type ApiKeyEvent = EventOf<typeof apiKeyEvents>

// Commands

export const apiKeyCommands = {
  CreateApiKey: z.strictObject({ title: Title, scopes: Scopes, secretHash: SecretHash }),
  RevokeApiKey: z.strictObject({}),
}
