import { describe, expect, test } from 'vitest'
import { receiver, status, verified } from '../adapters/webhooks/receiver.ts'
import { shopClient } from '../integration/shop-client.ts'
import { startCluster } from './cluster.ts'
import { whyNotRun } from './servers.ts'

const patiently = { timeout: 120_000, interval: 100 }
const settings = {
  DAYBOOK_WEBHOOKS_ALLOW_PRIVATE: 'true',
  DAYBOOK_QUERY_WAIT_MS: '30000',
  DAYBOOK_SWEEP_EVERY_MS: '2000',
}

describe.skipIf(whyNotRun !== '')(`webhooks of a cluster${whyNotRun}`, { timeout: 300_000 }, () => {
  test('each event is sent by one of the workers, also where one dies meanwhile', async () => {
    const cluster = await startCluster(settings)
    const doors = cluster.of('api').map(({ url }) => url)
    let turn = 0
    const nextUrl = () => doors[turn++ % doors.length] ?? ''
    const shop = shopClient({ url: nextUrl(), nextUrl, token: cluster.staffToken, sandboxUrl: cluster.gateway.url })
    await cluster.caughtUp()
    const erp = await receiver()
    await shop.post('/v1/stock-items/BEFORE/receive', { quantity: 1, reference: 'DN-0' })
    await shop.post('/v1/webhooks', { id: 'erp', title: 'ERP', url: erp.url, eventTypes: ['StockReceived'] })
    const { secret } = await shop.get('/v1/webhooks/erp/secret')
    const skus = Array.from({ length: 40 }, (_, number) => `SKU-${number}`)
    const [victim] = cluster.of('worker')
    erp.reply(status(503))
    for (const sku of skus.slice(0, 20))
      await shop.post(`/v1/stock-items/${sku}/receive`, { quantity: 1, reference: 'DN-1' })
    await expect.poll(() => erp.messages.length, patiently).toBeGreaterThan(5)
    await victim?.kill()
    erp.reply(status(200))
    for (const sku of skus.slice(20))
      await shop.post(`/v1/stock-items/${sku}/receive`, { quantity: 1, reference: 'DN-1' })
    const delivered = async () => {
      const { items } = await shop.get('/v1/webhooks/erp/deliveries?status=delivered&limit=100')
      return items.length
    }
    await expect.poll(delivered, patiently).toBe(skus.length)
    const bySubject = new Map<unknown, Set<string>>()
    for (const message of erp.messages) {
      const { event } = verified(message, secret)
      const ids = bySubject.get(event?.subject) ?? new Set()
      bySubject.set(event?.subject, ids.add(message.id))
    }
    expect(new Set(bySubject.keys())).toEqual(new Set(skus))
    for (const [subject, ids] of bySubject) expect(ids.size, String(subject)).toBe(1)
  })
})
