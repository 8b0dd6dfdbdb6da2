import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { z } from 'zod'

const Span = z.object({
  name: z.string(),
  traceId: z.string(),
  links: z.array(z.object({ traceId: z.string() })).default([]),
})
const Traces = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) })),
})

export interface TraceCollector {
  readonly url: string
  /** Names of the spans that are of a trace, or linked to it. @param traceId 16 bytes in hex */
  named(traceId: string): readonly string[]
}

/** What takes traces by OTLP over HTTP, for as long as the test lasts. */
export async function collector(): Promise<TraceCollector> {
  const spans: z.output<typeof Span>[] = []
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
  return {
    url: `http://127.0.0.1:${port}`,
    named: (traceId) =>
      spans.flatMap(({ name, ...span }) =>
        [span, ...span.links].some((each) => each.traceId === traceId) ? [name] : [],
      ),
  }
}
