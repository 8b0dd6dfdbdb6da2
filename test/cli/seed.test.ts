import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type Connection, connect, succeed } from '../../src/cli/connection.ts'
import { priceIn } from '../../src/cli/demo-catalogue.ts'
import { demoRequests, seed } from '../../src/cli/seed.ts'
import { readConfig } from '../../src/config.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const now = '2026-01-15T12:00:00.000Z'
const nowMs = Date.parse(now)

async function open() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const opened = await connect(readConfig({ DAYBOOK_DATA_DIR: path, DAYBOOK_PORT: '0', DAYBOOK_METRICS_PORT: '0' }))
  onTestFinished(() => opened.close())
  let position: string | undefined
  const connection: Connection = {
    ...opened,
    async send(method, target, options) {
      const reply = await opened.send(method, target, options)
      position = reply.headers['daybook-position'] ?? position
      return reply
    },
  }
  /** What a query answers once its read model has seen all that was sent. */
  async function get(route: string) {
    const headers = position === undefined ? {} : { 'daybook-position': position }
    return z.looseObject({}).parse((await succeed(opened.send('GET', route, { headers }))).body)
  }
  return { connection, get }
}

/** Fails at one of the commands, as if the process had died. */
function dying(connection: Connection, at: number): Connection {
  let count = 0
  return {
    ...connection,
    send: (method, path, options) =>
      method !== 'GET' && ++count >= at
        ? Promise.resolve({ status: 400, headers: {}, body: {} })
        : connection.send(method, path, options),
  }
}

function counting(connection: Connection) {
  const commands: string[] = []
  const counted: Connection = {
    ...connection,
    send(method, path, options) {
      if (method !== 'GET') commands.push(path)
      return connection.send(method, path, options)
    },
  }
  return { connection: counted, commands }
}

const Sales = z.object({
  items: z.array(z.object({ orders: z.int(), refunded: z.int() })),
  total: z.object({ orders: z.int(), tax: z.int(), gross: z.int() }),
})

test('the demo shop has sales of six weeks, things to find, and stock that runs low; it is made once', async () => {
  const { connection, get } = await open()
  const progress: [number, number][] = []
  await seed(connection, { now, onProgress: (...how) => progress.push(how) })
  expect(progress.at(-1)?.[0]).toBe(progress.at(-1)?.[1])

  const range = 'from=2025-12-01&to=2026-01-15&interval=day'
  const sales = await Promise.all(
    ['EUR', 'GBP', 'USD'].map(async (currency) =>
      Sales.parse(await get(`/v1/analytics/sales?currency=${currency}&${range}`)),
    ),
  )
  expect(sales.reduce((sum, { total }) => sum + total.orders, 0)).toBe(300)
  expect(sales.every(({ total }) => total.orders > 20)).toBe(true)
  expect(sales.some(({ items }) => items.some(({ refunded }) => refunded > 0))).toBe(true)
  expect(sales[0]?.total.tax).toBeGreaterThan(0)

  const Levels = z.object({ items: z.array(z.object({ onHand: z.int() })) })
  const levels = Levels.parse(await get('/v1/stock-levels?limit=100')).items
  expect(levels.some(({ onHand }) => onHand === 0)).toBe(true)
  expect(levels.some(({ onHand }) => onHand > 0 && onHand < 5)).toBe(true)
  expect(levels.every(({ onHand }) => onHand >= 0)).toBe(true)
  expect(await get('/v1/stock-levels/teapot-litre-BLUE')).toMatchObject({ onHand: 120 })

  const Products = z.object({ items: z.array(z.unknown()) })
  expect(Products.parse(await get('/v1/products?language=fr&currency=USD&q=th%C3%A9i%C3%A8re')).items).not.toEqual([])
  expect(await get('/v1/orders/demo-0001')).toMatchObject({ status: 'completed', placedAt: '2025-12-04T12:00:00.000Z' })
  expect(await get('/v1/orders/demo-0300')).toMatchObject({ status: 'confirmed', fulfilmentStatus: 'unfulfilled' })
  expect((await get('/v1/dead-letters')).items).toEqual([])

  // Made again, also later, nothing changes.
  const again = counting(connection)
  await seed(again.connection, { now: '2026-03-01T00:00:00.000Z' })
  expect(again.commands).toEqual([])
})

test('broken off, it is made to its end, with the time at which it was begun', async () => {
  const { connection, get } = await open()
  await expect(seed(dying(connection, 400), { now })).rejects.toThrow()
  await seed(connection, { now: '2026-03-01T00:00:00.000Z' })
  expect(await get('/v1/orders/demo-0001')).toMatchObject({ placedAt: '2025-12-04T12:00:00.000Z' })
  const last = z.object({ placedAt: z.string() }).parse(await get('/v1/orders/demo-0300'))
  expect(last.placedAt > '2026-01-15T00' && last.placedAt < now).toBe(true)
  expect(await get('/v1/stock-levels/teapot-litre-BLUE')).toMatchObject({ onHand: 120 })
})

test('what is made up is the same each time, and lies in the past', () => {
  const requests = demoRequests(nowMs).flat()
  expect(demoRequests(nowMs).flat()).toEqual(requests)
  expect(requests.every(({ occurredAt = '' }) => occurredAt < now)).toBe(true)
  expect(new Set(requests.map(({ path, key }) => `${key} ${path}`)).size).toBe(requests.length)
})

test('weekends are better than other days, and the last weeks better than the first', () => {
  const orders = demoRequests(nowMs)
    .flat()
    .filter(({ path }) => path === '/v1/orders/import')
    .map(({ occurredAt = '' }) => new Date(occurredAt))
  const onWeekends = orders.filter((date) => [0, 6].includes(date.getUTCDay())).length
  expect(onWeekends / 2).toBeGreaterThan((orders.length - onWeekends) / 5)
  const ofLastHalf = orders.filter((date) => date.getTime() > nowMs - 21 * 86_400_000).length
  expect(ofLastHalf).toBeGreaterThan(orders.length / 2)
})

test('prices in other currencies look like prices', () => {
  expect(['EUR', 'GBP', 'USD'].map((currency) => priceIn(currency as 'EUR', 1_490))).toEqual([1_490, 1_290, 1_590])
})
