import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { openShop } from '../integration/open-shop.ts'
import { stock } from '../integration/shop-client.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const samples = [...read('docs/client.md').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

/** A shop that sells what the samples ask for. */
async function demoLike() {
  const shop = await openShop()
  await stock(shop)
  await shop.post('/v1/products', {
    id: 'teapot-litre',
    slug: 'teapot-litre',
    texts: { en: { title: 'Teapot for one litre', description: '' } },
    variants: [{ sku: 'teapot-litre-BLUE', prices: { EUR: 3490, GBP: 2990 } }],
    publish: true,
  })
  await shop.post('/v1/stock-items/teapot-litre-BLUE/receive', { quantity: 10, reference: 'DN-2' })
  return shop
}

/** Runs a sample as a program of its own. @returns what it printed */
async function run(code: string, ...parameters: readonly string[]): Promise<string> {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const file = join(path, 'sample.ts')
  writeFileSync(file, code)
  writeFileSync(join(path, 'package.json'), '{ "type": "module" }')
  const preload = pathToFileURL(fileURLToPath(new URL('own-name.ts', import.meta.url))).href
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', preload, file, ...parameters])
  return stdout
}

test('The documentation walks as the example does', () => {
  expect(samples).toContain(read('examples/walk.ts'))
})

test('The walk finds, buys, pays and gives back', async () => {
  const shop = await demoLike()
  const printed = await run(read('examples/walk.ts'), shop.url, shop.sandboxUrl, shop.daybook.adminToken)
  expect(printed).toContain('Teapot for one litre')
  expect(printed).toContain('The order was paid')
  const paidBack = { status: 'confirmed', units: 2, paid: 7470, refunded: 3490, email: 'ada@example.com' }
  await expect.poll(async () => (await shop.get('/v1/admin/orders')).items).toMatchObject([paidBack])
})

test('All other samples run', async () => {
  const shop = await demoLike()
  const others = samples.filter((code) => code !== read('examples/walk.ts'))
  expect(others.length).toBeGreaterThan(2)
  for (const code of others) await run(code.replaceAll('http://127.0.0.1:3000', shop.url))
})
