import { onTestFinished } from 'vitest'
import { sandboxServer } from '../../src/adapters/sandbox/server.ts'
import { readConfig } from '../../src/config.ts'
import { type Daybook, daybook } from '../../src/daybook.ts'
import type { Extension } from '../../src/extension.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { type ShopClient, shopClient } from './shop-client.ts'

export interface OpenShop extends ShopClient {
  readonly daybook: Daybook
  readonly metricsUrl: string
  readonly directory: string
  /** Stops the shop, as at a restart; the directory stays until the test is finished. */
  close(): Promise<void>
}

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** Opens a whole shop in this process, on files in a directory of its own, with a sandbox gateway over HTTP. */
export async function openShop(
  settings: Record<string, string> = {},
  directory = ownDirectory(),
  extensions: readonly Extension[] = [],
): Promise<OpenShop> {
  let callbackUrl: string | undefined
  const sandbox = sandboxServer({
    secret,
    callbackUrl: () => callbackUrl,
    behaviour: { callbackDelayMs: 1 },
    callbackRetryDelayMs: 10,
    pageOrigins: settings.DAYBOOK_CORS_ORIGINS?.split(',') ?? [],
  })
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const sandboxUrl = await listening
  const config = readConfig({
    DAYBOOK_DATA_DIR: directory,
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    DAYBOOK_LOG_LEVEL: 'error',
    DAYBOOK_GATEWAYS: 'sandbox',
    DAYBOOK_SANDBOX_URL: sandboxUrl,
    DAYBOOK_SANDBOX_SECRET: secret,
    // Nobody is told to come again because the machine is busy with other things.
    DAYBOOK_ANSWER_TIMEOUT_MS: '50000',
    DAYBOOK_QUERY_WAIT_MS: '50000',
    ...settings,
  })
  const opened = await daybook({ config, extensions })
  const { url, metricsUrl } = await opened.listen()
  callbackUrl = `${url}/v1/gateways/sandbox/callbacks`
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    closing ??= Promise.all([opened.close(), sandbox.close()]).then(() => undefined)
    await closing
  }
  onTestFinished(close)

  return { ...shopClient({ url, token: opened.adminToken, sandboxUrl }), daybook: opened, metricsUrl, directory, close }
}

function ownDirectory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}
