import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Config, ConfigError } from '../config.ts'
import type { Daybook } from '../daybook.ts'
import { apiKey, scopes } from '../domain/api-key.ts'
import type { Extension } from '../extension.ts'
import { type Served, serve } from '../main.ts'
import { type Connection, local, succeed } from './connection.ts'
import { startSandbox } from './sandbox-process.ts'
import { seedWithProgress } from './seed.ts'
import { serveStorefront } from './storefront.ts'

const demoKeyId = 'demo'

/** A port that is taken is found before a shop is made up. @throws Error with the code EADDRINUSE */
async function assertFree(host: string, port: number): Promise<void> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

/** A shop that takes real money is not served with test cards by mistake. */
async function assertDemo({ engine }: Daybook, { DAYBOOK_DATA_DIR }: Config): Promise<void> {
  if ((await engine.handler.fold(apiKey, demoKeyId)).state.status !== 'none') return
  throw new ConfigError(
    `The shop in ${DAYBOOK_DATA_DIR} is not the demo shop. Serve it with \`daybook serve\`, or set DAYBOOK_DATA_DIR to another directory.`,
  )
}

/** The key of the demo shop: the same at each start, so that what was noted stays good. */
async function demoKey(daybook: Daybook, connection: Connection): Promise<string> {
  const secret = Buffer.from(await daybook.secret('demo-key')).toString('base64url')
  const secretHash = createHash('sha256').update(secret).digest('hex')
  await succeed(
    connection.send('POST', '/v1/api-keys', {
      body: { id: demoKeyId, title: 'Demo', scopes: [...scopes], secretHash },
    }),
  )
  return `dbk_${demoKeyId}_${secret}`
}

/**
 * Serves the demo shop: seeds an empty store, pays through the sandbox gateway, and says where to look.
 * @throws as `serve`
 */
export async function serveDemo(config: Config, extensions: readonly Extension[]): Promise<{ stop(): Promise<void> }> {
  await assertFree(config.DAYBOOK_HOST, config.DAYBOOK_PORT)
  await assertFree(config.DAYBOOK_METRICS_HOST, config.DAYBOOK_METRICS_PORT)
  const sandboxSecret = `whsec_${randomBytes(32).toString('base64')}`
  // The same at each start where it can be, for a browser keeps carts by the address.
  const storefront = await serveStorefront(config.DAYBOOK_PORT === 0 ? 0 : (config.DAYBOOK_PORT + 1) % 65_536)
  const { tell, close } = storefront
  let stopSandbox: (() => void) | undefined
  try {
    const sandbox = await startSandbox({
      secret: sandboxSecret,
      pageOrigins: storefront.origins,
      onEnd: sayThatSandboxEnded,
    })
    stopSandbox = sandbox.stop
    const settings = {
      ...config,
      DAYBOOK_SHOP_URL: config.DAYBOOK_SHOP_URL ?? `${storefront.url}/`,
      DAYBOOK_CORS_ORIGINS: [...config.DAYBOOK_CORS_ORIGINS, ...storefront.origins],
      DAYBOOK_LOG_LEVEL: config.DAYBOOK_LOG_LEVEL === 'info' ? ('warn' as const) : config.DAYBOOK_LOG_LEVEL,
      DAYBOOK_GATEWAYS: ['sandbox'],
      DAYBOOK_SANDBOX_URL: sandbox.url,
      DAYBOOK_SANDBOX_SECRET: sandboxSecret,
    }
    let key = ''
    const served = await serve(settings, {
      extensions,
      async prepare(daybook) {
        const connection = local(daybook)
        if (!daybook.isNew) await assertDemo(daybook, config)
        key = await demoKey(daybook, connection)
        if (daybook.isNew) await seedWithProgress(connection)
      },
    })
    sandbox.tell(`${served.url}/v1/gateways/sandbox/callbacks`)
    tell({ url: served.url, sandboxUrl: sandbox.url })
    say(served, { shop: storefront.url, sandbox: sandbox.url }, key)
    return {
      async stop() {
        await close()
        await served.stop()
        sandbox.stop()
      },
    }
  } catch (error) {
    stopSandbox?.()
    await close()
    throw error
  }
}

/** It has everything in memory: another one would know none of the payments, so it is not simply started again. */
function sayThatSandboxEnded(how: string): void {
  console.error(
    `\nThe sandbox gateway has ended (${how}). The shop goes on, but cards are not taken and mails not kept. Stop the demo by Ctrl-C and start it again: what happened in the shop stays.`,
  )
}

function say(
  { url, metricsUrl, daybook }: Served,
  { shop, sandbox }: { readonly shop: string; readonly sandbox: string },
  key: string,
): void {
  console.log(`
Daybook ${daybook.version} serves the demo shop.

  Shop          ${shop}
  API           ${url}/v1/products?language=en&currency=EUR
  Reference     ${url}/reference
  Metrics       ${metricsUrl}
  Sandbox       ${sandbox}
  Mails         ${sandbox}/v1/messages
  Staff key     ${key}

Place and pay an order, in another terminal:

${orderLine(url, sandbox)}

Then see today's sales:

D=$(date -u +%F); curl -s -H 'Authorization: Bearer ${key}' "${url}/v1/analytics/sales?currency=EUR&from=$D&to=$D"

Ctrl-C stops it. What happened stays in the data directory.`)
}

/** What can be pasted into a shell to buy something: a guest, a cart, a line, an address, shipping, the order, a card, the payment. */
function orderLine(url: string, sandboxUrl: string): string {
  const field = (name: string) => `sed -E 's/.*"${name}":"([^"]+)".*/\\1/'`
  const json = `-H 'Content-Type: application/json'`
  return [
    `A=${url} G=${sandboxUrl}; T=$(curl -s -X POST $A/v1/guest-tokens | ${field('token')}); post() { curl -s -X POST $A$1 -H "Authorization: Bearer $T" -H "Idempotency-Key: $RANDOM$RANDOM" -H 'Prefer: wait=5' ${json} -d "$2"; }`,
    `C=$(post /v1/carts '{"currency":"EUR"}' | ${field('id')})`,
    `post /v1/carts/$C/lines '{"productId":"teapot-litre","sku":"teapot-litre-BLUE","quantity":2}'`,
    `post /v1/carts/$C/address '{"country":"DE","email":"ada@example.com","shippingAddress":{"name":"Ada Lovelace","line1":"Kanalstr. 1","city":"Hamburg","postalCode":"20095"}}'`,
    `post /v1/carts/$C/shipping '{"method":"standard"}'`,
    `post /v1/carts/$C/checkout '{}'; O=$(curl -s $A/v1/carts/$C -H "Authorization: Bearer $T" | ${field('orderId')})`,
    `CARD=$(curl -s -X POST $G/v1/tokens ${json} -d '{"number":"4242424242424242","expiry":"12/30","cvc":"123"}' | ${field('token')})`,
    `post /v1/orders/$O/pay "{\\"gateway\\":\\"sandbox\\",\\"token\\":\\"$CARD\\"}"; curl -s $A/v1/orders/$O -H "Authorization: Bearer $T"`,
  ].join('; \\\n')
}
