import { z } from 'zod'
import { apiKeyEvents } from '../domain/api-key.ts'
import { Id, Timestamp } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { collection, projection } from '../engine/projection.ts'
import { pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** The keys of staff and programs: what they may do, and never what they are known by. */

const { title, scopes } = apiKeyEvents.schemas.ApiKeyCreated.shape

const ApiKey = z.object({
  id: Id.meta({ description: 'API key', example: '0198f0c2-5555-7a34-9b0e-3f2c1d5a7b88' }),
  title,
  scopes,
  createdAt: Timestamp.meta({ description: 'When it was made', example: '2026-01-15T09:30:00.000Z' }),
  revokedAt: Timestamp.nullable().meta({ description: 'When it was revoked', example: null }),
  revision: z.int().meta({ description: 'Revision of the key, for `If-Match`', example: 0 }),
})

const keys = collection('keys', ApiKey, { byCreatedAt: ['createdAt'] })

export const apiKeys = projection({
  name: 'api-keys',
  version: 1,
  collections: [keys],
  from: [apiKeyEvents],
  on: {
    ApiKeyCreated: ({ stream, revision, metadata, data }) => {
      const id = idOf(stream)
      const key = {
        id,
        title: data.title,
        scopes: data.scopes,
        createdAt: metadata.recordedAt,
        revokedAt: null,
        revision,
      }
      return keys.change(id, () => key)
    },
    ApiKeyRevoked: ({ stream, revision, metadata }) =>
      keys.update(idOf(stream), (key) => ({ ...key, revokedAt: metadata.recordedAt, revision })),
  },
})

const listApiKeys = pageQuery({
  name: 'listApiKeys',
  route: 'GET /v1/api-keys',
  summary: 'API keys, the newest first',
  who: staff('keys'),
  from: apiKeys,
  of: keys,
  parameters: z.object({
    revoked: z
      .stringbool()
      .exactOptional()
      .meta({ description: 'Only those that are revoked, or are not', example: 'false' }),
  }),
  item: ApiKey,
  find: () => ({ index: 'byCreatedAt', direction: 'descending' }),
  show: (found, { parameters: { revoked } }) =>
    found.map((key) => (revoked === undefined || (key.revokedAt !== null) === revoked ? key : undefined)),
})

export const apiKeyQueries = [listApiKeys] as const
