import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import { Id } from '../domain/values.ts'
import type { Access } from '../engine/access.ts'
import type { CommandDefinition } from '../engine/command-definition.ts'
import { pathParameters } from '../engine/path-template.ts'
import { personalPaths } from '../engine/personal-data.ts'
import type { QueryDefinition } from '../engine/query-definition.ts'
import { bodyFieldsInPath } from './command-route.ts'
import {
  Accepted,
  components,
  emptyResponse,
  headerRef,
  jsonResponse,
  type ProblemStatus,
  parameterRef,
  problemRefs,
} from './openapi-components.ts'
import type { Operation } from './operation-route.ts'

/** The OpenAPI 3.1 document, made from the same definitions as the routes. */

export interface Described {
  readonly commands: readonly CommandDefinition[]
  readonly queries: readonly QueryDefinition[]
  readonly operations: readonly Operation[]
  /** Of Daybook. */
  readonly version: string
}

function securityOf(who: Access<never>): Record<string, string[]>[] {
  switch (who.kind) {
    case 'anyone':
      return [{}, { shopper: [] }, { apiKey: [] }]
    case 'staff':
      return [{ apiKey: [who.scope] }]
    case 'shopper':
      return [{ shopper: [] }]
    case 'owner':
      return [{ shopper: [] }, { apiKey: [who.scope] }]
  }
}

/** The first part of the path behind the version: what an operation is about. */
function tagOf(path: string): string {
  return path.split('/')[2] ?? 'daybook'
}

function common(each: Pick<CommandDefinition, 'name' | 'path' | 'summary' | 'description' | 'who'>) {
  return {
    operationId: each.name,
    tags: [tagOf(each.path)],
    summary: each.summary,
    ...(each.description !== undefined && { description: each.description }),
    security: securityOf(each.who),
  }
}

function fieldsOf(shape: z.core.$ZodShape, isWanted: (name: string) => boolean): z.ZodObject {
  return z.strictObject(Object.fromEntries(Object.entries(shape).filter(([name]) => isWanted(name))))
}

/** Path and query parameters; those of the path that the schema does not know are ids. */
function requestParams(path: string, shape: z.core.$ZodShape) {
  const names = pathParameters(path)
  const inPath = Object.fromEntries(names.map((name) => [name, shape[name] ?? Id]))
  return {
    ...(names.length > 0 && { path: z.object(inPath) }),
    query: fieldsOf(shape, (name) => !names.includes(name)),
  }
}

function requestBody(body: z.ZodObject): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (Object.keys(body.shape).length === 0) return {}
  const required = !body.safeParse({}).success
  return { requestBody: { required, content: { 'application/json': { schema: body } } } }
}

/** Only who needs no permission can never lack it. */
function problemsFor(who: Access<never>, others: readonly ProblemStatus[]): readonly ProblemStatus[] {
  const all: ProblemStatus[] = [...others, 401, 429, 503, ...(who.kind === 'anyone' ? [] : [403 as const])]
  return all.sort((one, other) => one - other)
}

function commandOperation(command: CommandDefinition): ZodOpenApiOperationObject {
  const { path, body, location, outcome, keyRequired, startsWork, who } = command
  const fromPath = bodyFieldsInPath(command)
  const { path: parameters } = requestParams(path, body.shape)
  const position = { 'Daybook-Position': headerRef('Position') }
  const applied = outcome && { 'Preference-Applied': headerRef('PreferenceApplied') }
  const done =
    location === undefined
      ? { '200': jsonResponse('Done.', Accepted, { ...position, ...applied }) }
      : { '201': jsonResponse('Created.', Accepted, { ...position, ...applied, Location: headerRef('Location') }) }
  const later = outcome && {
    '202': jsonResponse('Accepted; its outcome did not come in time.', Accepted, {
      ...position,
      ...(location !== undefined && { Location: headerRef('Location') }),
    }),
  }
  return {
    ...common(command),
    ...(parameters && { requestParams: { path: parameters } }),
    parameters: [
      parameterRef(keyRequired ? 'RequiredIdempotencyKey' : 'IdempotencyKey'),
      parameterRef('IfMatch'),
      ...(outcome ? [parameterRef('Prefer')] : []),
      ...((who.kind === 'staff' || who.kind === 'owner') && !startsWork ? [parameterRef('OccurredAt')] : []),
      parameterRef('CorrelationId'),
    ],
    ...requestBody(fieldsOf(body.shape, (name) => !fromPath.includes(name))),
    responses: { ...done, ...later, ...problemRefs(problemsFor(who, [400, 404, 409, 412, 413, 415, 422])) },
  }
}

function queryOperation(query: QueryDefinition): ZodOpenApiOperationObject {
  const { path, who, paged, result, parameters } = query
  const headers = { 'Daybook-Position': headerRef('Position'), ...(!paged && { ETag: headerRef('ETag') }) }
  return {
    ...common(query),
    requestParams: requestParams(path, parameters.shape),
    parameters: [parameterRef('Position'), parameterRef('CorrelationId')],
    responses: {
      '200': jsonResponse('The answer.', result, headers),
      ...problemRefs(problemsFor(who, [400, 404, 422, ...(paged ? [410 as const] : [])])),
    },
  }
}

function otherOperation(operation: Operation): ZodOpenApiOperationObject {
  const { path, who, method, status, parameters, body, result } = operation
  const bodied: readonly ProblemStatus[] = method === 'GET' ? [] : [413, 415]
  return {
    ...common(operation),
    requestParams: requestParams(path, parameters.shape),
    parameters: [parameterRef('CorrelationId')],
    ...(body && requestBody(body)),
    responses: {
      [`${status}` as const]: result ? jsonResponse('Done.', result) : emptyResponse('Done.'),
      ...problemRefs(problemsFor(who, [400, 404, 409, 422, ...bodied])),
    },
  }
}

const gatewayName = z.string().max(100).meta({ description: 'Name of the gateway', example: 'sandbox' })
const gatewayCallback: ZodOpenApiOperationObject = {
  operationId: 'receiveGatewayCallback',
  tags: ['gateways'],
  summary: 'Receive a callback of a payment gateway',
  description: 'For gateways alone, which sign what they send; the body is as each gateway makes it. Safe twice.',
  security: [{}],
  requestParams: { path: z.object({ gateway: gatewayName }) },
  requestBody: {
    required: true,
    content: { 'application/json': { schema: { type: 'object', description: 'As the gateway makes it' } } },
  },
  responses: {
    '204': emptyResponse('It is stored, and will be acted on.'),
    ...problemRefs([401, 404, 413, 422, 503]),
  },
}

/**
 * Describes an API to people and programs.
 * @returns plain JSON
 */
export function openApiDocument(described: Described): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {
    '/v1/gateways/{gateway}/callbacks': { post: gatewayCallback },
  }
  function add(path: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', operation: ZodOpenApiOperationObject): void {
    const key = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const
    paths[path] = { ...paths[path], [key[method]]: operation }
  }
  for (const command of described.commands) add(command.path, command.method, commandOperation(command))
  for (const query of described.queries) add(query.path, 'GET', queryOperation(query))
  for (const operation of described.operations) add(operation.path, operation.method, otherOperation(operation))
  const tags = [...new Set(Object.keys(paths).map(tagOf))].sort((one, other) => (one < other ? -1 : 1))

  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Daybook',
        version: described.version,
        description:
          'Commands change the shop, queries show it. A command answers with a position; a query that sends it back shows what the command has done. Errors are problems (RFC 9457) with a stable `code`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: tags.map((name) => ({ name, description: `All about ${name.replaceAll('-', ' ')}` })),
      paths,
      components,
    },
    {
      override({ jsonSchema, zodSchema, io }) {
        if (personalPaths(zodSchema)[0]?.length !== 0) return
        // Personal values are null only in answers, once the person is forgotten.
        const clear =
          io === 'input' ? jsonSchema.anyOf?.find((each) => !('type' in each) || each.type !== 'null') : undefined
        if (clear) {
          delete jsonSchema.anyOf
          Object.assign(jsonSchema, clear)
        }
        jsonSchema['x-personal-data'] = true
      },
    },
  )
}
