import { onTestFailed, onTestFinished } from 'vitest'
import type { Behaviour } from '../../src/adapters/sandbox/behaviour.ts'
import { sandboxServer } from '../../src/adapters/sandbox/server.ts'
import { type ShopClient, shopClient } from '../integration/shop-client.ts'
import { type ServerProcess, type ServerProcessOptions, startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** A gateway of the test's own: it outlives the servers that call it. */
export interface Gateway {
  readonly url: string
  /** The calls that reached it, as verb and idempotency key: the same key twice is one call repeated. */
  readonly calls: readonly string[]
  /** Where its callbacks go from now on. */
  callBack(shopUrl: string): void
}

export interface RealShop extends ShopClient {
  readonly process: ServerProcess
  readonly processId: number
  readonly token: string
}

/** For `expect.poll`: a server of its own, on a machine that may be busy, takes its time. */
export const patiently = { timeout: 30_000, interval: 50 }

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A directory that lives as long as the test. */
export function ownDirectory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}

/** Starts a sandbox gateway that lives as long as the test. */
export async function startGateway(behaviour: Partial<Behaviour> = {}): Promise<Gateway> {
  let callbackUrl: string | undefined
  const calls: string[] = []
  const sandbox = sandboxServer({
    secret,
    callbackUrl: () => callbackUrl,
    behaviour: { callbackDelayMs: 1, ...behaviour },
    callbackRetryDelayMs: 10,
  })
  sandbox.addHook('onRequest', async ({ method, url, headers }) => {
    const { 'idempotency-key': key } = headers
    if (method === 'POST' && key !== undefined) calls.push(`${url.split('/').at(-1)} ${key}`)
  })
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const url = await listening
  onTestFinished(() => sandbox.close())
  return {
    url,
    calls,
    callBack(shopUrl) {
      callbackUrl = `${shopUrl}/v1/gateways/sandbox/callbacks`
    },
  }
}

/** Settings of a shop that is paid through a gateway, and of a test that asks faster than people. */
function settingsFor(gateway: Pick<Gateway, 'url'>): Record<string, string> {
  return {
    DAYBOOK_GATEWAYS: 'sandbox',
    DAYBOOK_SANDBOX_URL: gateway.url,
    DAYBOOK_SANDBOX_SECRET: secret,
    DAYBOOK_RATE_LIMIT_PER_MINUTE: '10000000',
    DAYBOOK_GUEST_TOKENS_PER_MINUTE: '1000000',
  }
}

/** Starts a server on real files, and a client of it; it is killed when the test is finished. */
export async function startShop(options: ServerProcessOptions & { readonly gateway?: Gateway }): Promise<RealShop> {
  const { gateway, settings, ...rest } = options
  const server = startServer({
    ...rest,
    settings: { ...settingsFor({ url: gateway?.url ?? 'http://127.0.0.1:9' }), ...settings },
  })
  onTestFinished(() => server.kill())
  // Why a test failed is often in what the server wrote.
  onTestFailed(() => void process.stderr.write(server.output().slice(-2_000)))
  const { url, token, processId } = await server.ready()
  gateway?.callBack(url)
  return { ...shopClient({ url, token, sandboxUrl: gateway?.url ?? '' }), process: server, processId, token }
}
