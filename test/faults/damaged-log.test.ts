import { cpSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { filesOf } from '../../src/storage.ts'
import { checkOut, fillCart, guest, stock } from '../integration/shop-client.ts'
import { startServer } from '../server-process.ts'
import { eventsIn, flipBit, forgetCheckpoints, replaceFile } from './files.ts'
import { ownDirectory, patiently, type RealShop, startShop } from './real-shop.ts'

/** A shop that has stopped, with a delivery in the middle of its log whose reference is known. */
async function closedShop() {
  const directory = ownDirectory()
  const shop = await startShop({ directory })
  await stock(shop)
  const receive = (sku: string, reference: string) =>
    shop.post(`/v1/stock-items/${sku}/receive`, { quantity: 1, reference })
  for (let number = 0; number < 40; number++) await receive('CUP', `CUP-${number}`)
  await receive('PLATE', 'DAMAGED-HERE')
  for (let number = 0; number < 40; number++) await receive('CUP', `CUP-${number + 40}`)
  await shop.get('/v1/stock-levels/CUP')
  await shop.get('/v1/stock-levels/PLATE')
  await shop.process.stop()
  const { log } = filesOf(directory)
  const backup = join(ownDirectory(), 'log.db')
  cpSync(log, backup)
  const damaged = eventsIn(directory).find(({ stream }) => stream.endsWith('-PLATE'))
  if (damaged === undefined) throw new Error('The delivery is not in the log')
  return { directory, log, backup, damaged }
}

function receivePlate(shop: RealShop) {
  return shop.send('POST', '/v1/stock-items/PLATE/receive', {
    body: { quantity: 1, reference: 'MORE' },
    headers: { 'idempotency-key': 'more' },
  })
}

async function expectToSell(shop: RealShop): Promise<void> {
  await shop.post('/v1/stock-items/CUP/receive', { quantity: 1, reference: `CUP-LAST-${Math.random()}` })
  const cups = await shop.get('/v1/stock-levels/CUP')
  expect(cups.onHand).toBeGreaterThan(80)
}

describe('a log that is damaged', { timeout: 120_000 }, () => {
  test('by being cut off in the middle is refused at the start, with how to restore it; and is as it was then', async () => {
    const { directory, log, backup } = await closedShop()
    const half = Math.floor(statSync(log).size / 2)
    truncateSync(log, half)
    const server = startServer({ directory })
    onTestFinished(() => server.kill())
    expect(await server.ended).toEqual({ code: 1, signal: null })
    expect(server.output()).toContain(log)
    expect(server.output()).toMatch(/is damaged: .* Restore it from a backup: stop Daybook, put/)
    expect(statSync(log).size).toBe(half)
    replaceFile(backup, log)
    await expectToSell(await startShop({ directory }))
  })

  test('in one event refuses the command that needs it, with file and position in the log; all others go on', async () => {
    const { directory, log, damaged } = await closedShop()
    flipBit(log, 'DAMAGED-HERE')
    const shop = await startShop({ directory })
    const refused = await receivePlate(shop)
    expect(refused).toMatchObject({ status: 500, body: { code: 'log-damaged' } })
    expect(refused.body.detail).not.toContain(directory)
    // What a process says can come later than what it answers.
    await expect.poll(() => shop.process.output(), patiently).toContain(`The event log ${log} is damaged`)
    expect(shop.process.output()).toContain(`revision 0 of stream ${damaged.stream}`)
    await expectToSell(shop)
    expect((await shop.send('GET', '/v1/stock-levels/PLATE')).body).toMatchObject({ onHand: 1 })
  })

  test('in one event refuses a rebuild, with its position, and the old read model goes on', async () => {
    const { directory, backup, log, damaged } = await closedShop()
    flipBit(log, 'DAMAGED-HERE')
    const shop = await startShop({ directory })
    expect(await shop.send('POST', '/v1/projections/stock-levels/rebuild')).toMatchObject({ status: 202 })
    const status = async (name: string) =>
      (await shop.send('GET', '/v1/projections')).body.items.find((each: { name: string }) => each.name === name)
    await expect
      .poll(async () => (await status('stock-levels')).rebuildFailure, patiently)
      .toContain(`the checksum of the event at position ${damaged.position} is wrong`)
    expect(await status('stock-levels')).toMatchObject({ status: 'live' })
    await expectToSell(shop)
    await shop.process.stop()
    replaceFile(backup, log)
    const restored = await startShop({ directory })
    expect(await restored.send('POST', '/v1/projections/stock-levels/rebuild')).toMatchObject({ status: 202 })
    expect(await receivePlate(restored)).toMatchObject({ status: 200 })
    expect(await restored.get('/v1/stock-levels/PLATE')).toMatchObject({ onHand: 2 })
  })

  test('in one event that process managers have yet to pass says that they wait there; who asks for nothing else of them is served', async () => {
    const { directory, log, backup, damaged } = await closedShop()
    forgetCheckpoints(directory)
    cpSync(log, backup)
    flipBit(log, 'DAMAGED-HERE')
    const shop = await startShop({ directory })
    await expect
      .poll(async () => (await shop.send('GET', '/health/ready')).body, patiently)
      .toMatchObject({ status: 'degraded', degraded: expect.arrayContaining(['fulfil-order', 'place-order']) })
    expect(shop.process.output()).toContain(`the checksum of the event at position ${damaged.position} is wrong`)
    await expectToSell(shop)
    await shop.process.stop()
    replaceFile(backup, log)
    const restored = await startShop({ directory })
    const shopper = await guest(restored)
    const orderId = await checkOut(restored, await fillCart(restored, shopper), shopper)
    await expect.poll(() => restored.get(`/v1/orders/${orderId}`), patiently).toMatchObject({ status: 'pending' })
    // What the restored log does not hold is being built anew until then.
    await expect
      .poll(async () => (await restored.send('GET', '/health/ready')).body, patiently)
      .toEqual({ status: 'ready', degraded: [] })
  })
})
