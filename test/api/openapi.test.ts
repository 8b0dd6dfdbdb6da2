import { expect, test } from 'vitest'
import { openApiDocument } from '../../src/api/openapi.ts'
import { openApiFaults, operationsOf } from './openapi-faults.ts'
import { serve } from './serve.ts'
import { commands, queries } from './venue.ts'

const made = openApiDocument({ commands, queries, operations: [], version: '1.2.3' })
const document = JSON.parse(JSON.stringify(made))

function operation(id: string) {
  const found = operationsOf(document).find((each) => each.operation.operationId === id)?.operation
  if (!found) throw new Error(`There is no ${id}`)
  return JSON.parse(JSON.stringify(found))
}

test('The document says everything, and nothing wrong', () => {
  expect(openApiFaults(document)).toEqual([])
})

test('What is missing is found', () => {
  const broken = structuredClone(document)
  const post = broken.paths['/v1/venues'].post
  delete post.requestBody.content['application/json'].schema.properties.slug.description
  post.requestBody.content['application/json'].schema.properties.title.example = 1
  post.operationId = 'renameVenue'
  post.responses['409'].$ref = '#/components/responses/Nothing'
  delete broken.paths['/v1/venues/{venueId}'].get.parameters[0].name
  const faults = openApiFaults(broken).join('\n')
  for (const part of [
    'slug: has no description',
    'title: its example 1 is not what it says',
    'Two operations have the same operationId',
    'Nothing leads nowhere',
    '{venueId} is not described',
  ]) {
    expect(faults).toContain(part)
  }
})

test('Every route is in the document', async () => {
  const { send } = await serve()
  const answer = await send('GET /openapi.json')
  expect(answer.json().info.version).toBe('0.0.0')
  const served = operationsOf(answer.json()).map(({ path, verb }) => `${verb.toUpperCase()} ${path}`)
  const routes = [
    ...commands.map(({ method, path }) => `${method} ${path}`),
    ...queries.map(({ path }) => `GET ${path}`),
  ]
  const others = [
    'POST /v1/guest-tokens',
    'POST /v1/customers/{customerId}/tokens',
    'POST /v1/gateways/{gateway}/callbacks',
  ]
  expect(served.sort()).toEqual([...routes, ...others].sort())
})

test('A command tells its key, its body without what is in the path, its permission and its answers', () => {
  const { parameters, responses, security } = operation('makeBooking')
  expect(parameters).toContainEqual({ $ref: '#/components/parameters/RequiredIdempotencyKey' })
  expect(parameters).toContainEqual({ $ref: '#/components/parameters/Prefer' })
  expect(Object.keys(responses)).toEqual([
    '201',
    '202',
    '400',
    '401',
    '403',
    '404',
    '409',
    '412',
    '413',
    '415',
    '422',
    '429',
    '503',
  ])
  expect(responses[201].headers.Location).toBeDefined()
  expect(security).toEqual([{ shopper: [] }])
  const label = operation('putLabel')
  const { schema } = label.requestBody.content['application/json']
  expect(schema).toMatchObject({ required: ['label'], additionalProperties: false })
  expect(Object.keys(schema.properties)).toEqual(['label'])
  expect(label.parameters.map(({ name }: { name?: string }) => name)).toEqual(
    expect.arrayContaining(['bookingId', 'seat']),
  )
  expect(operation('cancelBooking').requestBody).toBeUndefined()
})

test('Personal data is marked, and is null only in answers', () => {
  const sent = operation('makeBooking').requestBody.content['application/json'].schema.properties.email
  expect(sent).toMatchObject({ type: 'string', format: 'email', 'x-personal-data': true })
  const shown = operation('getBooking').responses[200].content['application/json'].schema.properties.email
  expect(shown).toMatchObject({ anyOf: [{ type: 'string' }, { type: 'null' }], 'x-personal-data': true })
})

test('A query tells its parameters with their defaults', () => {
  const { parameters } = operation('listBookings')
  const limit = parameters.find(({ name }: { name?: string }) => name === 'limit')
  expect(limit).toMatchObject({ in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  expect(limit.required).not.toBe(true)
})

test('The reference page loads nothing from elsewhere', async () => {
  const { send } = await serve()
  expect((await send('GET /reference')).headers.location).toBe('/reference/')
  const page = await send('GET /reference/')
  expect(page.statusCode).toBe(200)
  expect(page.headers['content-security-policy']).toContain("connect-src 'self'")
  expect(page.body).toContain('/openapi.json')
  for (const [, address] of page.body.matchAll(/(?:src|href)="([^"]*)"/g))
    expect(address).not.toMatch(/^(https?:)?\/\//)
  const script = await send('GET /reference/js/scalar.js')
  expect(script.statusCode).toBe(200)
})
