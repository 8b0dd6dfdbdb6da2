import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const sample = new URL('../../deploy/tracing.js', import.meta.url)

const Traces = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(z.object({ spans: z.array(z.object({ name: z.string(), traceId: z.string() })) })),
    }),
  ),
})
type Span = z.output<typeof Traces>['resourceSpans'][number]['scopeSpans'][number]['spans'][number]

/** What takes traces by OTLP over HTTP. */
async function collector() {
  const spans: Span[] = []
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const sent = Traces.parse(JSON.parse(Buffer.concat(chunks).toString()))
    spans.push(...sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address: AddressInfo | string | null = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { spans, url: `http://127.0.0.1:${port}` }
}

test('The sample of the guide sends the traces of a real server to a collector', async () => {
  const { spans, url } = await collector()
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
  const traceId = headers.get('daybook-correlation-id')?.replaceAll('-', '')
  await expect
    .poll(() => spans.flatMap((span) => (span.traceId === traceId ? [span.name] : [])))
    .toEqual(expect.arrayContaining(['GET /v1/products', 'query listProducts']))
})

test('The guide shows the sample as it is', () => {
  const guide = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
  expect(guide).toContain(`\`\`\`js\n${readFileSync(sample, 'utf8')}\`\`\``)
})
