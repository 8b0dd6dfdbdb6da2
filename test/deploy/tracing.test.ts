import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { collector } from '../trace-collector.ts'

const sample = new URL('../../deploy/tracing.js', import.meta.url)

test('The sample of the guide sends the traces of a real server to a collector', async () => {
  const { named, url } = await collector()
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  await using server = startServer({
    directory: path,
    environment: {
      NODE_OPTIONS: `--import ${fileURLToPath(sample)}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  })
  const { url: shop } = await server.ready()
  const { headers } = await fetch(`${shop}/v1/products?currency=EUR&language=en`)
  const traceId = headers.get('daybook-correlation-id')?.replaceAll('-', '') ?? ''
  await expect
    .poll(() => named(traceId), { timeout: 20_000 })
    .toEqual(expect.arrayContaining(['GET /v1/products', 'query listProducts']))
})

test('The guide shows the sample as it is', () => {
  const guide = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  expect(guide).toContain(`\`\`\`js\n${readFileSync(sample, 'utf8')}\`\`\``)
})
