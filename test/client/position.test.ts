import { expect, test } from 'vitest'
import { createClient } from '../../src/client/client.ts'

/** What a query is sent after commands were answered with these positions, one after the other. */
async function sentAfter(...positions: readonly string[]): Promise<string | null> {
  const answers = [...positions]
  let sent: string | null = null
  const client = createClient({
    url: 'http://shop.example',
    fetch: async ({ method, headers }) => {
      if (method === 'GET') sent = headers.get('daybook-position')
      const position = method === 'GET' ? undefined : answers.shift()
      return Response.json({ items: [] }, position === undefined ? {} : { headers: { 'daybook-position': position } })
    },
  })
  for (const _position of positions) await client.post('/v1/carts', { body: { currency: 'EUR' } })
  await client.get('/v1/carts')
  return sent
}

test('A query is sent the furthest position, in whatever order commands were answered', async () => {
  expect(await sentAfter()).toBeNull()
  expect(await sentAfter('Zk3vQ0pS1w.9', 'Zk3vQ0pS1w.a')).toBe('Zk3vQ0pS1w.a')
  expect(await sentAfter('Zk3vQ0pS1w.10', 'Zk3vQ0pS1w.z')).toBe('Zk3vQ0pS1w.10')
})

test('Of positions of another log, and of those that look otherwise, the last one counts', async () => {
  expect(await sentAfter('Zk3vQ0pS1w.zz', 'aaaaaaaaaa.1')).toBe('aaaaaaaaaa.1')
  expect(await sentAfter('Zk3vQ0pS1w.zz', 'something-else')).toBe('something-else')
})
