import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type FoundOperation, operationsOf, parametersOf, resolved } from './openapi-faults.ts'
import { serve } from './serve.ts'

/** Requests made from the API's own document, half right and half wrong: whatever comes, the answer is one that it names. */

type Json = Readonly<Record<string, unknown>>
const Schema = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  example: z.unknown().optional(),
})

/** Values that a schema allows, or nearly. */
function fitting(given: unknown): fc.Arbitrary<unknown> {
  const schema = Schema.parse(given ?? {})
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === 'object') {
    const fields = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, mostlyFitting(inner)] as const)
    return fc.record<Record<string, unknown>>(Object.fromEntries(fields), {
      requiredKeys: [...(schema.required ?? [])],
    })
  }
  if (schema.type === 'array') return fc.array(mostlyFitting(schema.items), { maxLength: 3 })
  if (schema.type === 'integer') return fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 5 })
  return fc.constant(schema.example)
}

function mostlyFitting(schema: unknown): fc.Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', '\0', ''),
  )
  return fc.oneof({ weight: 12, arbitrary: fitting(schema) }, { weight: 1, arbitrary: odd })
}

const text = fc.oneof(
  fc.string({ maxLength: 20 }).filter((given) => /^[\x20-\x7e]*$/.test(given)),
  fc.constantFrom('globe', '"0"', 'wait=1', 'x'.repeat(300), '2011-12-09T12:50:00Z'),
)

interface Made {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload: string | undefined
  readonly found: FoundOperation
}

function requestsFor(document: Json, found: FoundOperation, tokens: readonly string[]): fc.Arbitrary<Made> {
  const parameters = parametersOf(document, found.operation)
  const named = (place: string) => parameters.filter((each) => each.in === place)
  const valueFor = (each: Json) =>
    fc.oneof({ weight: 4, arbitrary: fitting(resolved(document, each.schema)) }, text).map(String)
  const content = resolved(document, found.operation.requestBody)?.content
  const schema = z.object({ 'application/json': z.object({ schema: z.unknown() }) }).safeParse(content).data?.[
    'application/json'
  ].schema
  const recordOf = (place: string) =>
    fc.record(Object.fromEntries(named(place).map((each) => [String(each.name), valueFor(each)])), { requiredKeys: [] })
  return fc
    .record({
      inPath: fc.record(Object.fromEntries(named('path').map((each) => [String(each.name), valueFor(each)]))),
      query: recordOf('query'),
      extra: fc.option(fc.tuple(fc.string({ maxLength: 5 }), text), { freq: 8 }),
      headers: recordOf('header'),
      token: fc.option(fc.constantFrom(...tokens), { freq: 8 }),
      type: fc.constantFrom('application/json', 'application/json', 'application/json', 'text/plain'),
      payload: fc.oneof(
        { weight: 8, arbitrary: fitting(schema ?? { type: 'object' }).map((body) => JSON.stringify(body)) },
        text,
      ),
    })
    .map(({ inPath, query, extra, headers, token, type, payload }) => {
      const path = found.path.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(inPath[name] ?? ''))
      const search = new URLSearchParams([
        ...Object.entries(query).map(([name, value = '']) => [name, value]),
        ...(extra ? [[...extra]] : []),
      ])
      const isBodied = found.verb !== 'get'
      return {
        method: found.verb,
        url: `${path}${search.size > 0 ? `?${search}` : ''}`,
        headers: {
          ...headers,
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(isBodied && { 'content-type': type }),
        },
        payload: isBodied ? payload : undefined,
        found,
      }
    })
}

test('No request is answered with anything but what the document names', async () => {
  const { app, send, staff, ada, bob, openVenue, clock, failures } = await serve({ limits: { queryWaitMs: 1 } })
  await openVenue('globe')
  const document: Json = (await send('GET /openapi.json')).json()
  const tokens = [staff, staff, ada, ada, bob, 'nonsense']
  const requests = operationsOf(document).map((found) => requestsFor(document, found, tokens))
  const seen = new Map<number, number>()
  const answersAsSaid = fc.asyncProperty(fc.oneof(...requests), async ({ found, method, url, headers, payload }) => {
    const sending = app
      .inject({ method: method as 'GET', url, headers, ...(payload !== undefined && { payload }) })
      .then((answer) => answer)
    const ticking = setInterval(() => void clock.advance(50), 1)
    const answer = await sending.finally(() => clearInterval(ticking))
    const status = answer.statusCode
    seen.set(status, (seen.get(status) ?? 0) + 1)
    expect(Object.keys(found.operation.responses ?? {}), `${method} ${url} ${payload} ${answer.body}`).toContain(
      String(status),
    )
    if (status >= 400) expect(answer.headers['content-type']).toContain('application/problem+json')
  })
  await fc.assert(answersAsSaid, { numRuns: 500, seed: 1 })
  expect(failures).toEqual([])
  for (const status of [201, 400, 401, 403, 404, 415, 422]) expect(seen.keys()).toContain(status)
})
