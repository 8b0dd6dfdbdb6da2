import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sandboxServer } from '../../../src/adapters/sandbox/server.ts'
import { local } from '../../../src/cli/connection.ts'
import { createKey } from '../../../src/cli/keys.ts'
import { readConfig } from '../../../src/config.ts'
import { daybook } from '../../../src/daybook.ts'
import { version } from '../../../src/version.ts'
import { ask, mailsTo, password, tokenIn } from '../../integration/account-client.ts'
import { checkOut, fillCart, guest, pay, type ShopClient, shopClient, stock } from '../../integration/shop-client.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'
import { built, figuresOf } from './figures.ts'
import { keep } from './files.ts'

/**
 * Makes the store that this release leaves to all that come: a shop with orders in every state, open work, somebody who was
 * forgotten, and a stream that is long enough for a snapshot. A step of each release: `npm run release-store`.
 */

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const settings = { DAYBOOK_PORT: '0', DAYBOOK_METRICS_PORT: '0', DAYBOOK_LOG_LEVEL: 'error' }
const hotAtOnce = 50
/** More than lie between two snapshots. */
const counts = 1_100

async function settled(shop: ShopClient, path: string, field: string, wanted: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if ((await shop.get(path))[field] === wanted) return
    await sleep(20)
  }
  throw new Error(`${path} has not come to ${wanted}`)
}

/** As the test's own, which waits by what only runs in a test. */
async function openAccount(shop: ShopClient, email: string): Promise<void> {
  await ask(shop, 'register', { email, name: 'Cleo Hope' })
  for (let tries = 0; tries < 500; tries++) {
    const [mail] = await mailsTo(shop, email)
    if (mail) {
      await ask(shop, 'confirm', { token: tokenIn(mail), password })
      return
    }
    await sleep(20)
  }
  throw new Error(`No mail has come to ${email}`)
}

async function fill(shop: ShopClient): Promise<void> {
  await stock(shop, 40)
  await openAccount(shop, 'cleo@example.com')
  await shop.post('/v1/customers', { id: 'bob', email: 'bob@example.com', name: 'Bob Hope' })
  await shop.post('/v1/customers', { id: 'eve', email: 'eve@example.com', name: 'Eve Adams' })
  const shopper = await guest(shop)
  const order = async (pieces = 1) => await checkOut(shop, await fillCart(shop, shopper, pieces), shopper)
  async function paid(card?: string): Promise<string> {
    const id = await order()
    await pay(shop, id, shopper, card)
    await settled(shop, `/v1/orders/${id}`, 'paymentStatus', 'captured')
    return id
  }

  await order() // waits for its payment
  await settled(shop, `/v1/orders/${await order(99)}`, 'status', 'rejected')
  await paid()
  await paid('4000000000001000')
  const declined = await order()
  await pay(shop, declined, shopper, '4000000000000002')
  const unpaid = await order()
  await shop.post(`/v1/orders/${unpaid}/cancel`, { reason: 'Changed my mind' })
  const cancelled = await paid()
  await shop.post(`/v1/orders/${cancelled}/cancel`, { reason: 'Changed my mind' })
  await settled(shop, `/v1/orders/${cancelled}`, 'paymentStatus', 'refunded')
  const shipped = await paid()
  await shop.post(`/v1/orders/${shipped}/ship`, { shipmentId: `${shipped}-1` })
  const delivered = await paid()
  await shop.post(`/v1/orders/${delivered}/ship`, { shipmentId: `${delivered}-1` })
  await shop.post(`/v1/orders/${delivered}/deliver`, { shipmentId: `${delivered}-1` })
  const broken = await paid()
  const [{ lineId }] = (await shop.get(`/v1/orders/${broken}`)).lines
  await shop.post(`/v1/orders/${broken}/refund`, {
    reason: 'Broken',
    shipping: false,
    lines: [{ lineId, quantity: 1 }],
  })
  await settled(shop, `/v1/orders/${broken}`, 'paymentStatus', 'partly-refunded')
  const hanging = await order()
  await pay(shop, hanging, shopper, '4000000000001042') // its callback never comes

  await shop.post('/v1/stock-items/HOT/receive', { quantity: 1_000, reference: 'DN-9' })
  for (let count = 0; count < counts; count += hotAtOnce) {
    const some = Array.from({ length: hotAtOnce }, (_, index) => count + index)
    await Promise.all(
      some.map((number) =>
        shop.post('/v1/stock-items/HOT/adjust', {
          change: number % 2 === 0 ? 1 : -1,
          reason: 'Counted',
          reference: `C-${number}`,
        }),
      ),
    )
  }
  await shop.post('/v1/customers/eve/forget')
  const erased = async () => {
    const { items } = await shop.get('/v1/open-work')
    return !items.some(({ name }: { name: string }) => name === 'erase-person')
  }
  while (!(await erased())) await sleep(20)
}

const { path: directory, remove } = temporaryDirectory()
let callbackUrl: string | undefined
const sandbox = sandboxServer({ secret, callbackUrl: () => callbackUrl, behaviour: { callbackDelayMs: 1 } })
try {
  const listening: Promise<string> = sandbox.listen({ host: '127.0.0.1', port: 0 })
  const sandboxUrl = await listening
  const config = readConfig({
    ...settings,
    DAYBOOK_DATA_DIR: directory,
    DAYBOOK_GATEWAYS: 'sandbox',
    DAYBOOK_SANDBOX_URL: sandboxUrl,
    DAYBOOK_SANDBOX_SECRET: secret,
    DAYBOOK_RATE_LIMIT_PER_MINUTE: '1000000',
  })
  const shop = await daybook({ config })
  const { url } = await shop.listen()
  callbackUrl = `${url}/v1/gateways/sandbox/callbacks`
  await createKey(local(shop), 'Warehouse', ['stock'])
  const client = shopClient({ url, token: shop.adminToken, sandboxUrl })
  await fill(client)
  await built(client)
  const figures = await figuresOf(client)
  const { position: events } = await shop.engine.projections
    .status()
    .reduce((one, other) => (one.position > other.position ? one : other))
  await shop.close()
  rmSync(join(directory, 'server.json'), { force: true })
  keep(version, directory, { events, figures })
  process.stdout.write(`The store of ${version} has ${events} events, and ${Object.keys(figures).length} answers.\n`)
} finally {
  await sandbox.close()
  remove()
}
