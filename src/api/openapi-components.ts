import { z } from 'zod'
import type { ZodOpenApiComponentsObject, ZodOpenApiResponseObject } from 'zod-openapi'

/** The parts of the OpenAPI document that its operations share, under the names that they are referred to by. */

const correlationId = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736'
const positionToken = 'Zk3vQ0pS1w.2n9c'

const Fault = z.object({
  detail: z.string().meta({ description: 'What is wrong there', example: 'There is no such field.' }),
  pointer: z.string().optional().meta({
    description: 'Where in the body: a JSON pointer as a URI fragment',
    example: '#/quantity',
  }),
  parameter: z.string().optional().meta({ description: 'Parameter of path or query string', example: 'limit' }),
  header: z.string().optional().meta({ description: 'Header of the request', example: 'If-Match' }),
})

const ProblemSchema = z
  .object({
    type: z.literal('about:blank').meta({ description: 'Always this; switch on `code`', example: 'about:blank' }),
    title: z.string().meta({ description: 'The status in words', example: 'Conflict' }),
    status: z.int().meta({ description: 'The status', example: 409 }),
    code: z.string().meta({ description: 'What went wrong: stable, in kebab-case', example: 'order-already-shipped' }),
    detail: z.string().meta({
      description: 'One sentence for a person, which says what to do',
      example: 'The order has been shipped already. Ask for a return instead.',
    }),
    errors: z
      .array(Fault)
      .optional()
      .meta({
        description: 'What is wrong with the request, place by place',
        example: [{ detail: 'There is no such field.', pointer: '#/quantity' }],
      }),
    details: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({
        description: 'Facts about it, by code',
        example: { revision: 4 },
      }),
    correlationId: z.string().meta({ description: 'Names the request in the logs', example: correlationId }),
  })
  .meta({ description: 'A problem (RFC 9457)' })

export const Accepted = z
  .object({
    id: z.string().meta({
      description: 'Id of what the command was for',
      example: '0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88',
    }),
    revision: z.int().meta({ description: 'Its revision now, which `If-Match` takes', example: 3 }),
    position: z.string().meta({
      description: 'To be sent with queries as `Daybook-Position`, so that they show what this has done',
      example: positionToken,
    }),
  })
  .meta({ description: 'A command was accepted' })

/** Headers are text; of text, only what is said here. */
function text(
  description: string,
  example: string,
  rest: { pattern?: string; minLength?: number; maxLength?: number } = {},
) {
  return { type: 'string' as const, description, example, ...rest }
}

function sent(name: string, description: string, schema: ReturnType<typeof text>, required = false) {
  return { name, in: 'header' as const, description, required, schema }
}

const key = text('A random value for each new request', '5f1c9a1e-7b0a-4f0e-9d57-2f8f0a7e9c11', {
  pattern: '^[\\x20-\\x7e]*$',
  minLength: 1,
  maxLength: 200,
})
const sameKey = 'The same key is the same request: sent again, it takes effect once and gets the first answer.'
const position = text('A position in the log, opaque to clients', positionToken, {
  pattern: '^[A-Za-z0-9_-]{10}\\.[0-9a-z]{1,11}$',
})
const revision = text('A revision in quotes', '"3"', { pattern: '^"\\d{1,15}"$' })

const parameters = {
  IdempotencyKey: sent('Idempotency-Key', sameKey, key),
  RequiredIdempotencyKey: sent('Idempotency-Key', sameKey, key, true),
  IfMatch: sent('If-Match', 'Only at this revision; otherwise 412.', revision),
  Prefer: sent(
    'Prefer',
    'With `wait=N`, answers when the outcome is there, or 202 after N seconds, at most 30.',
    text('A preference (RFC 7240)', 'wait=5', { maxLength: 200 }),
  ),
  OccurredAt: sent(
    'Daybook-Occurred-At',
    'When it happened, for history that is brought in. Only with the scope `import`.',
    text('ISO 8601', '2011-12-09T12:50:00Z'),
  ),
  CorrelationId: sent(
    'Daybook-Correlation-Id',
    'Names the request, and all that follows from it, in logs and events. Random if it is left out.',
    text('Letters, digits, dots, dashes, underscores', correlationId, { pattern: '^[A-Za-z0-9_.-]{8,64}$' }),
  ),
  Position: sent('Daybook-Position', 'Answers only once what is read has come so far; otherwise 503.', position),
}

const headers = {
  Position: { schema: position, description: 'To be sent with queries, so that they show what this has done.' },
  CorrelationId: { schema: text('An id', correlationId), description: 'Names the request in the logs.' },
  ETag: { schema: revision, description: 'The revision, for `If-Match`; only of single documents.' },
  Location: { schema: text('A path', '/v1/orders/0198f0c2-6d1e'), description: 'Where it can be read.' },
  PreferenceApplied: { schema: text('A preference', 'wait=5'), description: 'Sent if the outcome came in time.' },
  RetryAfter: { schema: text('Seconds', '1'), description: 'When to send it again.' },
  Authenticate: {
    schema: text('A challenge', 'Bearer realm="daybook"'),
    description: 'What kind of token is wanted.',
  },
}

export function headerRef(name: keyof typeof headers) {
  return { $ref: `#/components/headers/${name}` as const }
}

export function parameterRef(name: keyof typeof parameters) {
  return { $ref: `#/components/parameters/${name}` as const }
}

const withCorrelationId = { 'Daybook-Correlation-Id': headerRef('CorrelationId') }
const withRetryAfter = { ...withCorrelationId, 'Retry-After': headerRef('RetryAfter') }

function problemResponse(description: string, more: ZodOpenApiResponseObject['headers'] = withCorrelationId) {
  return { description, headers: more, content: { 'application/problem+json': { schema: ProblemSchema } } }
}

const problems = {
  400: problemResponse('It could not be read: bad JSON, a bad header, a missing `Idempotency-Key`, a bad cursor.'),
  401: problemResponse('A token is missing, or is not good.', {
    ...withCorrelationId,
    'WWW-Authenticate': headerRef('Authenticate'),
  }),
  403: problemResponse('The token may not do that.'),
  404: problemResponse('There is no such thing, or it is somebody else’s.'),
  409: problemResponse('A rule of the shop does not allow it; `code` says which.'),
  410: problemResponse('The read model was rebuilt since the cursor was made. Begin again at the first page.'),
  412: problemResponse('It is not at the revision of `If-Match` any more.'),
  413: problemResponse('It is too large.'),
  415: problemResponse('The body is not `application/json`.'),
  422: problemResponse('Something that was sent is not as it should be, or the `Idempotency-Key` was used before.'),
  429: problemResponse('Too many requests.', withRetryAfter),
  503: problemResponse('It can’t be answered now; the same request may succeed later.', withRetryAfter),
}
export type ProblemStatus = keyof typeof problems

/** The problems that an operation may answer with. */
export function problemRefs(statuses: readonly ProblemStatus[]) {
  return Object.fromEntries(
    statuses.map((status) => [`${status}` as const, { $ref: `#/components/responses/Problem${status}` as const }]),
  )
}

/** A good answer with a body. */
export function jsonResponse(
  description: string,
  schema: z.ZodType,
  more: ZodOpenApiResponseObject['headers'] = {},
): ZodOpenApiResponseObject {
  return { description, headers: { ...withCorrelationId, ...more }, content: { 'application/json': { schema } } }
}

/** A good answer without one. */
export function emptyResponse(description: string): ZodOpenApiResponseObject {
  return { description, headers: withCorrelationId }
}

export const components: ZodOpenApiComponentsObject = {
  schemas: { Problem: ProblemSchema, Accepted },
  parameters,
  headers,
  responses: Object.fromEntries(Object.entries(problems).map(([status, each]) => [`Problem${status}`, each])),
  securitySchemes: {
    apiKey: {
      type: 'http',
      scheme: 'bearer',
      description: 'The API key of staff or of a program of the shop: `dbk_<id>_<secret>`.',
    },
    shopper: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'The token of a customer or guest.',
    },
  },
}
