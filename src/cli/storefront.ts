import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type PageFile, storefrontFiles } from './page-files.ts'

/** What the page talks to. */
export interface Backends {
  /** Of the API. */
  readonly url: string
  readonly sandboxUrl: string
}

export interface Storefront {
  readonly url: string
  /** The origins that browsers may say that the page has. */
  readonly origins: readonly string[]
  /** Says what the page talks to; it is answered 503 before. */
  tell(backends: Backends): void
  close(): Promise<void>
}

const host = '127.0.0.1'

/** Fills in what a page can not know: nothing of it is markup. */
function filled(html: string, values: Readonly<Record<string, string>>): string {
  return html.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => values[name] ?? '')
}

/** Nothing but its own files and the two servers, and no markup made of text. */
function policyOf({ url, sandboxUrl }: Backends, html: string): string {
  const [, importMap = ''] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html) ?? []
  const hash = createHash('sha256').update(importMap).digest('base64')
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${url} ${sandboxUrl}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
}

/** Listens on the port, or on any that is free where that is taken. */
async function listen(server: Server, port: number): Promise<number> {
  const listening = once(server, 'listening')
  server.listen(port, host)
  try {
    await listening
  } catch (error) {
    if (port === 0 || !(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') throw error
    return await listen(server, 0)
  }
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The storefront listens on no port.')
  return address.port
}

/**
 * Serves the storefront of `examples/storefront` on an origin of its own, as a shop's page has.
 * @param port where it listens if that is free; 0 for any
 */
export async function serveStorefront(port: number): Promise<Storefront> {
  const files = await storefrontFiles()
  const html = files.get('/index.html')?.body ?? ''
  let backends: Backends | undefined

  function found(path: string, told: Backends): PageFile | undefined {
    const file = files.get(path === '/' ? '/index.html' : path)
    if (!file?.type.startsWith('text/html')) return file
    return { ...file, body: filled(file.body, { api: told.url, sandbox: told.sandboxUrl }) }
  }

  function answer({ method, url = '/' }: IncomingMessage, response: ServerResponse): void {
    const file = backends && found(url.split('?')[0] ?? '/', backends)
    const status = !backends ? 503 : method !== 'GET' && method !== 'HEAD' ? 405 : file ? 200 : 404
    response.writeHead(status, {
      'Content-Type': status === 200 && file ? file.type : 'text/plain; charset=utf-8',
      'Content-Security-Policy': backends ? policyOf(backends, html) : "default-src 'none'",
      'Cache-Control': 'no-cache',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    const texts: Readonly<Record<number, string>> = {
      404: 'There is nothing at this address.',
      405: 'Send GET.',
      503: 'The shop is being started. Try again.',
    }
    response.end(method === 'HEAD' ? undefined : (texts[status] ?? file?.body))
  }

  const server = createServer(answer)
  const bound = await listen(server, port)
  return {
    url: `http://${host}:${bound}`,
    origins: [`http://${host}:${bound}`, `http://localhost:${bound}`],
    tell(told) {
      backends = told
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
