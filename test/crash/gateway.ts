import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { sandboxServer } from '../../src/adapters/sandbox/server.ts'

/** Starts a payment gateway in this process, which no kill reaches: what it has taken and given back is the truth. */
export async function startGateway() {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  let shopUrl: () => string | undefined = () => undefined
  // It tries for as long as any number of kills may take.
  const sandbox = sandboxServer({
    secret,
    callbackUrl() {
      const url = shopUrl()
      return url && `${url}/v1/gateways/sandbox/callbacks`
    },
    behaviour: { callbackDelayMs: 5 },
    callbackRetries: 20,
    callbackRetryDelayMs: 20,
  })
  const calls: string[] = []
  sandbox.addHook('onRequest', async ({ method, url, headers }) => {
    const { 'idempotency-key': key } = headers
    if (method === 'POST' && key !== undefined) calls.push(`${url.split('/').at(-1)} ${key}`)
  })
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const url = await listening
  onTestFinished(() => sandbox.close())
  return {
    url,
    /** The calls that reached it, as verb and idempotency key: the same key twice is one call repeated. */
    calls,
    settings: { DAYBOOK_GATEWAYS: 'sandbox', DAYBOOK_SANDBOX_URL: url, DAYBOOK_SANDBOX_SECRET: secret },
    /** @param shop where the shop is now, if anywhere */
    callBack(shop: () => string | undefined) {
      shopUrl = shop
    },
    async cardToken(number: string): Promise<string> {
      const reply = await fetch(`${url}/v1/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ number, expiry: '12/40', cvc: '123' }),
      })
      return z.object({ token: z.string() }).parse(await reply.json()).token
    },
  }
}
