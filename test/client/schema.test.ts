import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { madeSchema } from './made-schema.ts'

test('The types of the client are those of the OpenAPI document; `npm run client` makes them anew', async () => {
  const kept = readFileSync(new URL('../../src/client/schema.ts', import.meta.url), 'utf8')
  // Not by toBe: nobody reads a difference in ten thousand lines.
  expect(kept === (await madeSchema())).toBe(true)
})
