import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fillCart, guest, stock } from '../integration/shop-client.ts'
import { quantile, repeat, repeatEvery, sender } from './load.ts'
import { ownDirectory, startShop } from './real-shop.ts'
import { delayed, type SystemCall, straceOf, systemCalls, whyNotTraced } from './system-calls.ts'

const reason = whyNotTraced()
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`
const syncs = ['fsync', 'fdatasync']

function isSyncOfLog({ name, args, result }: SystemCall): boolean {
  return syncs.includes(name) && args.includes('/log.db-wal>') && result.startsWith('0')
}

/** Deliveries into many stock items: each a command of its own, on one of many streams. */
function deliveries(send: ReturnType<typeof sender>) {
  return async (marker: string, item: number) => {
    const { status } = await send({
      method: 'POST',
      path: `/v1/stock-items/ITEM-${item}/receive`,
      headers: { 'idempotency-key': marker, 'daybook-correlation-id': marker },
      body: { quantity: 1, reference: marker },
    })
    if (status !== 200) throw new Error(`${marker} was answered ${status}`)
  }
}

describe.skipIf(reason !== undefined)(`what is answered is on the disk${skipped}`, () => {
  test.each([
    { concurrency: 1, requests: 50 },
    { concurrency: 16, requests: 400 },
  ])(
    'an fsync of the log lies between the writing of its event and the answer of each of $requests requests, $concurrency at once',
    async ({ concurrency, requests }) => {
      const directory = ownDirectory()
      const trace = join(ownDirectory(), 'trace')
      const calls = ['read', 'write', 'writev', 'pwrite64', 'pwritev', ...syncs]
      const shop = await startShop({ directory, wrapper: straceOf(trace, calls, '-s', '70000') })
      const deliver = deliveries(sender(shop.url, shop.token))
      const markerOf = (number: number) => `marker-${concurrency}-${String(number).padStart(6, '0')}`
      await repeat(requests, concurrency, (number) => deliver(markerOf(number), number % 50))
      await shop.process.stop()

      const seen = systemCalls(trace)
      const syncsOfLog = seen.filter(isSyncOfLog)
      const serving = new Set<SystemCall>()
      for (let number = 0; number < requests; number++) {
        const marker = markerOf(number)
        const touching = seen.filter(({ args }) => args.includes(marker))
        const asked = touching.find(({ name, args }) => name === 'read' && args.includes('POST /v1/'))
        const written = touching.find(({ name, args }) => name.startsWith('pwrite') && args.includes('/log.db-wal>'))
        const answered = touching.find(({ name, args }) => name.startsWith('write') && args.includes('HTTP/1.1 200'))
        if (!asked || !written || !answered) throw new Error(`The trace does not show how ${marker} was answered`)
        expect(written.begin).toBeGreaterThan(asked.end)
        const sync = syncsOfLog.find(({ begin, end }) => begin > written.end && end < answered.begin)
        if (sync === undefined) throw new Error(`${marker} was answered before it was on the disk`)
        serving.add(sync)
      }
      // What arrives together is written together; what comes alone has an fsync of its own.
      if (concurrency === 1) expect(serving.size).toBe(requests)
      else expect(serving.size).toBeLessThan(requests / 2)
    },
    60_000,
  )
})

describe.skipIf(reason !== undefined)(`a disk that takes 10 ms for each fsync${skipped}`, () => {
  const delayMs = 10

  async function measure(isSlow: boolean) {
    const trace = join(ownDirectory(), 'trace')
    const shop = await startShop({
      directory: ownDirectory(),
      wrapper: straceOf(trace, syncs, ...(isSlow ? delayed(syncs, delayMs) : [])),
    })
    await stock(shop, 1_000)
    const send = sender(shop.url, shop.token)
    const deliver = deliveries(send)

    const deliverOne = (number: number) => deliver(randomUUID(), number % 500)

    /** @returns commands in a second, and for each fsync of the log */
    async function load(requests: number, sendAll: () => Promise<number>) {
      const before = systemCalls(trace).filter(isSyncOfLog).length
      const perSecond = await sendAll()
      return { perSecond, groupSize: requests / (systemCalls(trace).filter(isSyncOfLog).length - before) }
    }

    await repeat(1_000, 64, deliverOne) // so that what comes is not measured on code that has just been loaded
    const some = await load(1_000, () => repeatEvery(1_000, 500, deliverOne))
    const many = await load(4_000, () => repeat(4_000, 64, deliverOne))

    const latencies: number[] = []
    let isDone = false
    const commands = repeat(200, 8, async () => {
      await fillCart(shop, await guest(shop)) // a key for each person, too
    }).finally(() => {
      isDone = true
    })
    while (!isDone) {
      const { status, elapsedMs } = await send({ method: 'GET', path: '/v1/products?limit=20&currency=EUR' })
      expect(status).toBe(200)
      latencies.push(elapsedMs)
    }
    await commands
    await shop.process.stop()
    return { some, many, queries: latencies.length, p99Ms: quantile(latencies, 0.99) }
  }

  // All of it is measured, and a machine that others use has bad moments.
  test('lets queries answer as before, and commands share each fsync with more others', {
    retry: 4,
    timeout: 120_000,
  }, async () => {
    const fast = await measure(false)
    const slow = await measure(true)
    // As many commands in a second, in fewer and larger groups.
    expect(slow.some.perSecond).toBeGreaterThan(fast.some.perSecond * 0.8)
    expect(slow.some.groupSize).toBeGreaterThan(fast.some.groupSize * 1.5)
    // And at the most that a busy machine lets it: far more than an fsync for each would let through.
    expect(slow.many.perSecond).toBeGreaterThan(3 * (1_000 / delayMs))
    expect(slow.queries).toBeGreaterThan(100)
    expect(slow.p99Ms).toBeLessThan(50)
  })
})
