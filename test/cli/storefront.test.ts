import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { serveStorefront } from '../../src/cli/storefront.ts'

const backends = { url: 'http://127.0.0.1:3000', sandboxUrl: 'http://127.0.0.1:4010' }

async function served(port = 0) {
  const storefront = await serveStorefront(port)
  onTestFinished(storefront.close)
  return storefront
}

/** All modules that a page loads, by their addresses. */
async function modulesFrom(address: string, found = new Map<string, string>()): Promise<Map<string, string>> {
  if (found.has(address)) return found
  const answer = await fetch(address)
  const source = await answer.text()
  found.set(address, `${answer.status} ${answer.headers.get('content-type')}`)
  const names = new Map([
    ['daybook/client', '/client/client.js'],
    ['openapi-fetch', '/openapi-fetch.js'],
  ])
  for (const [, name = ''] of source.matchAll(/^(?:import|export|\}) [^'\n]*?from '([^']+)'/gm)) {
    await modulesFrom(new URL(names.get(name) ?? name, address).href, found)
  }
  return found
}

test('The page is told where the shop is, and may talk to nobody else', async () => {
  const { url, tell, origins } = await served()
  expect((await fetch(url)).status).toBe(503)
  tell(backends)
  const answer = await fetch(url)
  const html = await answer.text()
  expect(html).toContain('<meta name="daybook-api" content="http://127.0.0.1:3000" />')
  expect(html).not.toContain('{{')
  const policy = answer.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain('connect-src http://127.0.0.1:3000 http://127.0.0.1:4010;')
  expect(policy).not.toContain('unsafe')
  const [, importMap = ''] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html) ?? []
  expect(policy).toContain(`'sha256-${createHash('sha256').update(importMap).digest('base64')}'`)
  expect(origins).toContain(url)
})

test('All modules of the page are served, as JavaScript', async () => {
  const { url, tell } = await served()
  tell(backends)
  const modules = await modulesFrom(`${url}/main.ts`)
  expect(modules.size).toBeGreaterThan(20)
  expect(new Set(modules.values())).toEqual(new Set(['200 text/javascript; charset=utf-8']))
  expect(await (await fetch(`${url}/shop.ts`)).text()).not.toContain(': Promise<')
})

test('Nothing but its files is served, and nothing but GET', async () => {
  const { url, tell } = await served()
  tell(backends)
  for (const path of [
    '/nothing',
    '/tsconfig.json',
    '/../package.json',
    '/%2e%2e/package.json',
    '/client/../../package.json',
  ]) {
    expect((await fetch(url + path)).status).toBe(404)
  }
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  expect(await (await fetch(url, { method: 'HEAD' })).text()).toBe('')
})

test('Where its port is taken it listens on another one', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => {
    other.close()
  })
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { url } = await served(port)
  expect(url).not.toBe(`http://127.0.0.1:${port}`)
})
