import { z } from 'zod'
import { decider } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { isSame } from './sameness.ts'
import { Title } from './values.ts'

/** A key with which staff and programs of the shop authenticate. Only a hash of its secret is kept. */

export const scopes = [
  'catalogue',
  'stock',
  'orders',
  'payments',
  'customers',
  'tokens',
  'analytics',
  'system',
  'keys',
  'webhooks',
  'import',
] as const
const Scopes = z
  .array(z.enum(scopes))
  .min(1)
  .max(scopes.length)
  .meta({ description: 'What it may do', example: ['catalogue', 'stock'] })
const SecretHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({
    description: 'SHA-256 of the secret, which is random, in hex',
    example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  })

// Events

export const apiKeyEvents = defineEvents('apiKey', {
  ApiKeyCreated: z.object({ title: Title, scopes: Scopes, secretHash: SecretHash }),
  ApiKeyRevoked: z.object({}),
})
export type ApiKeyEvent = EventOf<typeof apiKeyEvents>

// State

export interface ApiKey extends z.output<typeof apiKeyEvents.schemas.ApiKeyCreated> {
  readonly status: 'none' | 'active' | 'revoked'
}

const initial: ApiKey = { status: 'none', title: '', scopes: [], secretHash: '' }

function evolve(key: ApiKey, event: ApiKeyEvent): ApiKey {
  switch (event.type) {
    case 'ApiKeyCreated':
      return { ...event.data, status: 'active' }
    case 'ApiKeyRevoked':
      return { ...key, status: 'revoked' }
  }
}

// Commands

export const apiKeyCommands = {
  CreateApiKey: z.strictObject({ title: Title, scopes: Scopes, secretHash: SecretHash }),
  RevokeApiKey: z.strictObject({}),
}

// Decisions

function create(content: z.output<typeof apiKeyCommands.CreateApiKey>, { status, ...present }: ApiKey): ApiKeyEvent[] {
  if (status === 'none') return [{ type: 'ApiKeyCreated', data: content }]
  if (isSame(content, present)) return []
  throw reject('api-key-exists', 'This API key was created with other content. Create one with another id.')
}

function revoke(_command: object, { status }: ApiKey, { id }: { id: string }): ApiKeyEvent[] {
  if (status === 'none') throw notFound('api-key', id)
  return status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data: {} }]
}

export const apiKey = decider({
  events: apiKeyEvents,
  commands: apiKeyCommands,
  initial,
  evolve,
  decide: { CreateApiKey: create, RevokeApiKey: revoke },
})
