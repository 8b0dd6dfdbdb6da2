import { expect, test } from 'vitest'
import { openApiBreaks } from './openapi-breaks.ts'

type Json = Readonly<Record<string, unknown>>

const body = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 10, pattern: '^a' },
    kind: { type: 'string', enum: ['big', 'small'], default: 'big' },
    count: { type: 'integer', minimum: 1 },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    tags: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 5 },
    extra: {
      type: 'object',
      propertyNames: { type: 'string', maxLength: 9 },
      additionalProperties: { type: 'string' },
    },
    of: { $ref: '#/components/schemas/Tree' },
  },
  required: ['name'],
  additionalProperties: false,
}
const answer = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    state: { type: 'string', enum: ['open', 'closed'] },
    total: { type: 'integer', minimum: 0 },
    next: { type: 'string' },
    tree: { $ref: '#/components/schemas/Tree' },
  },
  required: ['id', 'state', 'total'],
}
const operation = {
  operationId: 'makeThing',
  summary: 'Make',
  security: [{ shopper: [] }, { apiKey: ['things'] }],
  parameters: [
    { in: 'path', name: 'id', required: true, schema: { type: 'string' } },
    { in: 'query', name: 'limit', schema: { type: 'integer', maximum: 100 } },
    { $ref: '#/components/parameters/Key' },
  ],
  requestBody: { required: true, content: { 'application/json': { schema: body } } },
  responses: {
    '200': {
      headers: { ETag: { schema: { type: 'string' } } },
      content: { 'application/json': { schema: answer } },
    },
    '409': { $ref: '#/components/responses/Problem409' },
  },
}
const components = {
  schemas: {
    Tree: { type: 'object', properties: { leaf: { type: 'string' }, under: { $ref: '#/components/schemas/Tree' } } },
  },
  parameters: { Key: { in: 'header', name: 'Key', required: false, schema: { type: 'string' } } },
  responses: {
    Problem409: {
      content: {
        'application/problem+json': {
          schema: { type: 'object', properties: { code: { type: 'string' } }, required: ['code'] },
        },
      },
    },
  },
}

function document(changed: Json = {}, parts: Json = components): Json {
  return { paths: { '/v1/things/{id}': { post: { ...operation, ...changed } } }, components: parts }
}

function withBody(changed: Json, required: readonly string[] = body.required): Json {
  const schema = { ...body, properties: { ...body.properties, ...changed }, required }
  return document({ requestBody: { required: true, content: { 'application/json': { schema } } } })
}

function withAnswer(changed: Json, required: readonly string[] = answer.required): Json {
  const schema = { ...answer, properties: { ...answer.properties, ...changed }, required }
  const first = { ...operation.responses['200'], content: { 'application/json': { schema } } }
  return document({ responses: { ...operation.responses, '200': first } })
}

function without(fields: Json, name: string): Json {
  return Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name))
}

const before = document()
const [id, limit, key] = operation.parameters

test.each<[string, Json, RegExp]>([
  ['an operation that is gone', { paths: { '/v1/things/{id}': { get: operation } } }, /^POST .* was removed$/],
  ['a path that is gone', { paths: {} }, /was removed$/],
  ['another name of an operation', document({ operationId: 'createThing' }), /operationId was makeThing/],
  ['a query parameter that is gone', document({ parameters: [id, key] }), /query parameter limit was removed$/],
  [
    'a parameter that is needed now',
    document({ parameters: [id, { ...limit, required: true }, key] }),
    /limit is required$/,
  ],
  [
    'a new parameter that is needed',
    document({ parameters: [...operation.parameters, { in: 'query', name: 'of', required: true, schema: {} }] }),
    /query parameter of is required$/,
  ],
  [
    'a smaller limit of a parameter',
    document({ parameters: [id, { ...limit, schema: { type: 'integer', maximum: 50 } }, key] }),
    /limit: its maximum is 50/,
  ],
  [
    'a header that is needed now',
    document({}, { ...components, parameters: { Key: { ...components.parameters.Key, required: true } } }),
    /header parameter Key is required$/,
  ],
  ['a body that is gone', document({ requestBody: undefined }), /takes no body/],
  [
    'a field that is not taken any more',
    document({
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { ...body, properties: without(body.properties, 'kind') } } },
      },
    }),
    /body\.kind was removed$/,
  ],
  ['a field that is needed now', withBody({}, ['name', 'kind']), /body\.kind is required$/],
  [
    'a new field that is needed',
    withBody({ colour: { type: 'string' } }, ['name', 'colour']),
    /body\.colour is required$/,
  ],
  ['another type that is sent', withBody({ name: { type: 'integer' } }), /body\.name: its type/],
  ['a number that must be whole now', withBody({ count: { type: 'string' } }), /body\.count: its type/],
  [
    'a value that is not taken any more',
    withBody({ kind: { type: 'string', enum: ['big'], default: 'big' } }),
    /body\.kind: "small"/,
  ],
  [
    'another default',
    withBody({ kind: { ...body.properties.kind, default: 'small' } }),
    /default was "big" and is "small"$/,
  ],
  [
    'a text that must be shorter',
    withBody({ name: { type: 'string', maxLength: 9, pattern: '^a' } }),
    /maxLength is 9/,
  ],
  ['a number that must be greater', withBody({ count: { type: 'integer', minimum: 2 } }), /minimum is 2/],
  ['a limit where there was none', withBody({ count: { type: 'integer', minimum: 1, maximum: 9 } }), /maximum is 9/],
  ['another pattern', withBody({ name: { type: 'string', maxLength: 10, pattern: '^b' } }), /pattern was "\^a"/],
  [
    'null that is not taken any more',
    withBody({ note: { type: 'string' } }),
    /body\.note: its type|"null" is not taken/,
  ],
  [
    'elements that must be longer',
    withBody({ tags: { ...body.properties.tags, items: { type: 'string', minLength: 2 } } }),
    /tags\[\]: its minLength/,
  ],
  ['fewer elements', withBody({ tags: { ...body.properties.tags, maxItems: 4 } }), /maxItems is 4/],
  [
    'shorter names',
    withBody({ extra: { ...body.properties.extra, propertyNames: { type: 'string', maxLength: 8 } } }),
    /names in .*extra/,
  ],
  [
    'other values of a record',
    withBody({ extra: { ...body.properties.extra, additionalProperties: { type: 'integer' } } }),
    /extra\.\*: its type/,
  ],
  [
    'a rule that this does not know',
    withBody({ tags: { ...body.properties.tags, uniqueItems: true } }),
    /uniqueItems was nothing and is true$/,
  ],
  [
    'a field deep in what is sent and received',
    document({}, { ...components, schemas: { Tree: { type: 'object', properties: { leaf: { type: 'integer' } } } } }),
    /tree\.under was removed$/,
  ],
  ['a status that is gone', document({ responses: { '200': operation.responses['200'] } }), /never answered 409/],
  [
    'a success that nobody expects',
    document({ responses: { ...operation.responses, '202': {} } }),
    /may be answered 202$/,
  ],
  [
    'a header of an answer that is gone',
    document({ responses: { ...operation.responses, '200': { ...operation.responses['200'], headers: {} } } }),
    /no header ETag/,
  ],
  [
    'a field of an answer that is gone',
    document({
      responses: {
        ...operation.responses,
        '200': {
          ...operation.responses['200'],
          content: { 'application/json': { schema: { ...answer, properties: without(answer.properties, 'next') } } },
        },
      },
    }),
    /200\.next was removed$/,
  ],
  ['a field of an answer that may be missing', withAnswer({}, ['id', 'state']), /200\.total may be missing$/],
  [
    'a value that nobody expects',
    withAnswer({ state: { type: 'string', enum: ['open', 'closed', 'lost'] } }),
    /200\.state: "lost"/,
  ],
  ['any value where there were two', withAnswer({ state: { type: 'string' } }), /200\.state: its values/],
  [
    'null that nobody expects',
    withAnswer({ id: { anyOf: [{ type: 'string' }, { type: 'null' }] } }),
    /"null" is new$|200\.id: its type/,
  ],
  ['another type of an answer', withAnswer({ total: { type: 'number', minimum: 0 } }), /200\.total: its type/],
  ['a number below what there was', withAnswer({ total: { type: 'integer' } }), /200\.total: its minimum/],
  [
    'a code that may be missing',
    document(
      {},
      {
        ...components,
        responses: {
          Problem409: {
            content: {
              'application/problem+json': { schema: { type: 'object', properties: { code: { type: 'string' } } } },
            },
          },
        },
      },
    ),
    /409\.code may be missing$/,
  ],
  ['who was let in and is not', document({ security: [{ apiKey: ['things'] }] }), /\{"shopper":\[\]\} does not let in/],
  ['another permission that is needed', document({ security: [{ shopper: [] }, { apiKey: ['all'] }] }), /"things"/],
  [
    'a permission that is needed as well',
    document({ security: [{ shopper: [] }, { apiKey: ['things', 'more'] }] }),
    /"things"/,
  ],
])('%s breaks', (_, after, expected) => {
  expect(openApiBreaks(before, after)).toContainEqual(expect.stringMatching(expected))
})

test.each<[string, Json]>([
  ['nothing', document()],
  ['new operations', { ...before, paths: { ...(document().paths as Json), '/v1/others': { get: operation } } }],
  [
    'a parameter that can be left out',
    document({ parameters: [...operation.parameters, { in: 'query', name: 'of', schema: {} }] }),
  ],
  ['a header that is not looked at any more', document({ parameters: [id, limit] })],
  ['a field that can be left out', withBody({ colour: { type: 'string' } })],
  ['a field that can be left out now', withBody({}, [])],
  [
    'more values that are taken',
    withBody({ kind: { type: 'string', enum: ['big', 'small', 'none'], default: 'big' } }),
  ],
  [
    'wider limits of what is taken',
    withBody({ name: { type: 'string', maxLength: 20 }, count: { type: 'number', minimum: 0 } }),
  ],
  ['null that is taken as well', withBody({ count: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] } })],
  ['a type that is taken as well', withBody({ note: { type: ['string', 'null', 'integer'] } })],
  ['a new field of an answer', withAnswer({ colour: { type: 'string' } }, [...answer.required, 'colour'])],
  ['a field of an answer that is always there now', withAnswer({}, [...answer.required, 'next'])],
  ['fewer values of an answer', withAnswer({ state: { type: 'string', enum: ['open'] } })],
  ['narrower limits of an answer', withAnswer({ total: { type: 'integer', minimum: 0, maximum: 9 } })],
  ['a problem that is new', document({ responses: { ...operation.responses, '429': {} } })],
  ['more ways in', document({ security: [...operation.security, {}] })],
  ['other words', document({ summary: 'Make a thing', description: 'Now.' })],
])('%s breaks nothing', (_, after) => {
  expect(openApiBreaks(before, after)).toEqual([])
})
