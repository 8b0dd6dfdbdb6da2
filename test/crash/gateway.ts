import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { sandboxServer } from '../../src/adapters/sandbox/server.ts'

/** Starts a payment gateway in this process, which no kill reaches: what it has taken and given back is the truth. */
export async function startGateway() {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  let callbackUrl: string | undefined
  // It tries for as long as any number of kills may take.
  const sandbox = sandboxServer({
    secret,
    callbackUrl: () => callbackUrl,
    behaviour: { callbackDelayMs: 5 },
    callbackRetries: 20,
    callbackRetryDelayMs: 20,
  })
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const url = await listening
  onTestFinished(() => sandbox.close())
  return {
    url,
    settings: { DAYBOOK_GATEWAYS: 'sandbox', DAYBOOK_SANDBOX_URL: url, DAYBOOK_SANDBOX_SECRET: secret },
    callBack(shopUrl: string) {
      callbackUrl = `${shopUrl}/v1/gateways/sandbox/callbacks`
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
