import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { shopClient } from '../integration/shop-client.ts'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { samplesRunBy } from './samples.ts'
import { scriptOf, shellEnvironment } from './shell.ts'

const patiently = { timeout: 30_000 }

test('What failed for good is listed, shown, retried and discarded as the guide has it', {
  timeout: 120_000,
}, async () => {
  const { path: directory, remove } = temporaryDirectory()
  onTestFinished(remove)
  await using server = startServer({
    directory,
    main: fileURLToPath(new URL('./failing-shop/main.ts', import.meta.url)),
  })
  const shop = shopClient({ ...(await server.ready()), sandboxUrl: '' })
  for (const id of ['teapot', 'cup']) {
    await shop.post('/v1/products', {
      id,
      slug: id,
      texts: { en: { title: id, description: 'To drink of.' } },
      variants: [{ sku: id.toUpperCase(), prices: { EUR: 1000 } }],
    })
  }
  const waiting = async (): Promise<string[]> =>
    (await shop.get('/v1/dead-letters')).items.map((letter: { id: string }) => letter.id)
  await expect.poll(waiting, patiently).toHaveLength(2)
  const [retried = '', discarded = ''] = await waiting()

  const [sample] = samplesRunBy('test/docs/dead-letters.test.ts', 'docs/operations.md')
  const text = sample.text.replace('discard ID', `discard ${discarded}`).replaceAll(/\bID\b/g, retried)
  const { stdout } = await promisify(execFile)('bash', ['-c', scriptOf([{ text }])], {
    cwd: directory,
    env: shellEnvironment({ DAYBOOK_DATA_DIR: directory }),
  })
  expect(stdout).toMatch(/^id +set aside +failed in/m)
  expect(stdout).toContain(`"id": "${retried}"`)
  expect(stdout).toContain('product-not-found')
  await expect.poll(waiting, patiently).not.toContain(discarded)
  // Retried, and set aside again.
  const revision = async () => (await shop.get(`/v1/dead-letters/${retried}`)).revision
  await expect.poll(revision, patiently).toBe(2)
})
