import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { filesOf } from '../../src/storage.ts'
import { checkOut, fillCart, guest, stock } from '../integration/shop-client.ts'
import { eventsIn } from './files.ts'
import { type LoadAnswer, repeat, sender } from './load.ts'
import { ownDirectory, patiently, type RealShop, startGateway, startShop } from './real-shop.ts'

const longestStopMs = 10_000

/** Stops a server. It must end by itself, with its files closed: what it is ended by when its time is up has another code. */
async function stopInTime(shop: RealShop, directory: string): Promise<void> {
  const beganAt = performance.now()
  expect(await shop.process.stop()).toEqual({ code: 0, signal: null })
  expect(performance.now() - beganAt).toBeLessThan(longestStopMs)
  expect(existsSync(`${filesOf(directory).log}-wal`)).toBe(false)
}

/** Starts again, and waits until all is as it should. */
async function startAgain(directory: string): Promise<RealShop> {
  const shop = await startShop({ directory })
  await expect
    .poll(async () => (await shop.send('GET', '/health/ready')).body, patiently)
    .toEqual({ status: 'ready', degraded: [] })
  return shop
}

/**
 * Clients that send deliveries, one after another, until they are no longer let in.
 * @returns the references that were accepted, and other answers than 200 and 503
 */
async function deliverUntilStopped(shop: RealShop, clients: number, onFirst: () => void) {
  const send = sender(shop.url, shop.token)
  const accepted: string[] = []
  const unexpected: LoadAnswer[] = []
  const refused: LoadAnswer[] = []
  await repeat(clients, clients, async (client) => {
    for (;;) {
      const reference = randomUUID()
      const answer = await send({
        method: 'POST',
        path: `/v1/stock-items/ITEM-${client}/receive`,
        headers: { 'idempotency-key': reference },
        body: { quantity: 1, reference },
      }).catch(() => undefined)
      // Nobody listens any more, or the connection was closed: it may or may not have been accepted.
      if (answer === undefined) return
      if (answer.status === 200) accepted.push(reference)
      else if (answer.status === 503) refused.push(answer)
      else unexpected.push(answer)
      if (answer.status !== 200) return
      if (accepted.length === clients * 10) onFirst()
    }
  })
  return { accepted, refused, unexpected }
}

describe('on SIGTERM a server ends by itself in 10 s, and the next start finds all that it answered', {
  timeout: 120_000,
}, () => {
  test('under load: each request is accepted, refused with when to try again, or not taken', async () => {
    const directory = ownDirectory()
    const shop = await startShop({ directory })
    let stopping: Promise<void> | undefined
    const { accepted, refused, unexpected } = await deliverUntilStopped(shop, 64, () => {
      stopping ??= stopInTime(shop, directory)
    })
    await stopping
    expect(stopping).toBeDefined()
    expect(unexpected).toEqual([])
    for (const { headers, body } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      expect(JSON.parse(body)).toMatchObject({ code: 'draining' })
    }
    const delivered = eventsIn(directory).filter(({ type }) => type === 'StockReceived')
    expect(accepted.length).toBeGreaterThan(600)
    expect(delivered.length).toBeGreaterThanOrEqual(accepted.length)
    // Besides what was answered there is at most the one that each client was not told of.
    expect(delivered.length).toBeLessThanOrEqual(accepted.length + 64)
    const next = await startAgain(directory)
    const onHand = await onHandOf(next)
    expect(onHand).toBe(delivered.length)
  })

  test('during a rebuild, which goes on after the next start', async () => {
    const directory = ownDirectory()
    const shop = await startShop({ directory })
    await stock(shop)
    const send = sender(shop.url, shop.token)
    await repeat(3_000, 64, async (number) => {
      const reference = randomUUID()
      await send({
        method: 'POST',
        path: `/v1/stock-items/ITEM-${number % 64}/receive`,
        headers: { 'idempotency-key': reference },
        body: { quantity: 1, reference },
      })
    })
    for (const name of ['stock-levels', 'catalogue', 'orders']) {
      expect(await shop.send('POST', `/v1/projections/${name}/rebuild`)).toMatchObject({ status: 202 })
    }
    await stopInTime(shop, directory)
    const next = await startAgain(directory)
    await expect.poll(() => onHandOf(next), patiently).toBe(3_000)
    const rebuilds = async () =>
      (await next.send('GET', '/v1/projections')).body.items.filter((each: object) => 'rebuild' in each)
    await expect.poll(rebuilds, patiently).toEqual([])
  })

  test('while the gateway hangs and somebody waits for it; the payment goes on after the next start', async () => {
    const directory = ownDirectory()
    const gateway = await startGateway({ hangShare: 1 })
    const shop = await startShop({ directory, gateway })
    await stock(shop)
    const shopper = await guest(shop)
    const { token } = shopper
    const orderId = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
    const waiting = shop.send('POST', `/v1/orders/${orderId}/pay`, {
      body: { gateway: 'sandbox', token: await shop.cardToken() },
      token,
      headers: { 'idempotency-key': 'pay', prefer: 'wait=30' },
    })
    await expect.poll(() => gateway.calls.length, patiently).toBe(1)
    await stopInTime(shop, directory)
    expect(await waiting).toMatchObject({ status: 202 })
    const next = await startShop({ directory, gateway })
    await expect.poll(() => gateway.calls.length, patiently).toBeGreaterThan(1)
    expect(new Set(gateway.calls).size).toBe(1)
    expect(await next.get(`/v1/orders/${orderId}`)).toMatchObject({ status: 'pending' })
  })
})

/** What there is of all that the test received. */
async function onHandOf(shop: RealShop): Promise<number> {
  const { items } = (await shop.send('GET', '/v1/stock-levels?limit=100')).body
  return items
    .filter(({ sku }: { sku: string }) => sku.startsWith('ITEM-'))
    .reduce((sum: number, { onHand }: { onHand: number }) => sum + onHand, 0)
}
