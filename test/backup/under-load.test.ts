import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts'
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts'
import { positionTokens } from '../../src/api/position-token.ts'
import { registryOf } from '../../src/engine/engine.ts'
import type { EventStore, RecordedEvent } from '../../src/engine/event-store.ts'
import { categoryOf, idOf } from '../../src/engine/streams.ts'
import { forReading } from '../../src/shop.ts'
import { filesOf } from '../../src/storage.ts'
import { crashClient, meeting } from '../crash/client.ts'
import { startGateway } from '../crash/gateway.ts'
import { checkMoney, checkOrders, checkStock } from '../crash/identities.ts'
import { journal } from '../crash/journal.ts'
import { openShop, startLoad } from '../crash/load.ts'
import { type Books, checkKept, checkLog } from '../crash/log-check.ts'
import { compareReadModels } from '../crash/read-models.ts'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { daybookCommand, ranDaybook } from './command.ts'

const registry = registryOf(forReading([]))
const settings = {
  DAYBOOK_RATE_LIMIT_PER_MINUTE: '100000000',
  DAYBOOK_GUEST_TOKENS_PER_MINUTE: '100000000',
  DAYBOOK_PAYMENT_WINDOW_MS: '4000',
  DAYBOOK_SWEEP_EVERY_MS: '1000',
  DAYBOOK_LOG_LEVEL: 'error',
}
const Page = z.object({
  items: z.array(z.object({ name: z.string().optional(), target: z.string().optional() })),
})
const patiently = { timeout: 60_000, interval: 50 }

async function withLog<Result>(directory: string, work: (store: EventStore) => Promise<Result>): Promise<Result> {
  const store = await openSqliteEventStore({ file: filesOf(directory).log, readOnly: true })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function eventsOf(directory: string): Promise<readonly RecordedEvent[]> {
  return await withLog(directory, async (store) => {
    const all: RecordedEvent[] = []
    for await (const { events } of store.readAll({ after: 0 })) all.push(...events)
    return all
  })
}

/** What nothing happened to in the world that was lost: there the gateway's own books agree. */
function untouched(books: Books, lost: readonly RecordedEvent[]): Books {
  const touched = new Set(
    lost.flatMap(({ stream }) => {
      if (categoryOf(stream) === 'order') return [idOf(stream)]
      const orderId = books.payments.get(idOf(stream))?.request?.orderId
      return orderId === undefined ? [] : [orderId]
    }),
  )
  const isQuiet = (orderId: string | undefined) => orderId !== undefined && !touched.has(orderId)
  return {
    ...books,
    orders: new Map([...books.orders].filter(([id]) => isQuiet(id))),
    payments: new Map([...books.payments].filter(([, { request }]) => isQuiet(request?.orderId))),
    placed: books.placed.filter(isQuiet),
    checkedOut: books.checkedOut.filter(isQuiet),
  }
}

test('a backup of a busy shop has all that was acknowledged before it began, and nothing half; restored, the shop goes on', {
  timeout: 300_000,
}, async () => {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const [directory, backup, restored] = [join(path, 'data'), join(path, 'backup'), join(path, 'restored')]
  const gateway = await startGateway()
  const shop = meeting()
  onTestFinished(shop.close)
  const log = journal()
  const client = crashClient(shop, log)
  async function serve(from: string) {
    const server = startServer({ directory: from, settings: { ...gateway.settings, ...settings } })
    onTestFinished(() => server.kill())
    const listening = await server.ready()
    gateway.callBack(() => listening.url)
    shop.up(listening)
    return server
  }

  const server = await serve(directory)
  await openShop(client)
  const load = startLoad({ client, seed: 7, cardToken: gateway.cardToken })
  await Promise.race([load.failed, expect.poll(() => log.all.length, patiently).toBeGreaterThan(1_500)])
  const acknowledged = [...log.all]
  const command = daybookCommand(directory, 'backup', backup)
  const end = await Promise.race([load.failed, command.ended])
  expect(end, command.output()).toEqual({ code: 0, signal: null })
  expect(log.all.length, 'commands were accepted meanwhile').toBeGreaterThan(acknowledged.length)
  await load.stop()
  shop.down()
  await server.kill()

  const { code, output } = await ranDaybook(restored, 'restore', backup)
  expect(code, output).toBe(0)
  const before = await eventsOf(restored)
  const original = await eventsOf(directory)
  expect(before.length).toBeLessThan(original.length)
  expect(before).toEqual(original.slice(0, before.length))
  expect(JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8')).log.events).toBe(before.length)
  await withLog(restored, async (store) => {
    await checkKept(store, acknowledged)
    await checkLog(store, registry, undefined)
  })

  const again = await serve(restored)
  // Callbacks that the lost world had taken don't come again by themselves: the gateway is asked for them, and they are safe twice.
  const references = new Map(
    original.flatMap(({ stream, data }) =>
      typeof data.reference === 'string' ? [[idOf(stream), data.reference] as const] : [],
    ),
  )
  const itemsOf = async (what: string) => Page.parse((await client.get(what, 'staff')).body).items
  await expect
    .poll(
      async () => {
        const openWork = await itemsOf('/v1/open-work')
        for (const { target = '' } of openWork) {
          const reference = references.get(target)
          if (reference !== undefined)
            await fetch(`${gateway.url}/v1/payments/${reference}/callbacks/resend`, { method: 'POST' })
        }
        return [openWork, await itemsOf('/v1/admin/orders?status=pending')]
      },
      { timeout: 120_000, interval: 500 },
    )
    .toEqual([[], []])
  // What such a callback says of the lost world, as a refund that nobody here has asked for, is set aside for people.
  for (const { name } of await itemsOf('/v1/dead-letters')) expect(name).toBe('settle-payment')
  const name = `backup-${acknowledged.length}`
  const opened = await client.command({
    caller: 'staff',
    method: 'POST',
    path: '/v1/customers',
    body: { id: name, email: `${name}@example.com`, name: 'Ada Lovelace' },
    key: name,
    category: 'customer',
    causes: 'CustomerRegistered',
  })
  expect(opened).toBeDefined()
  // Everybody who ordered can still be read.
  const { body: orders } = await client.get('/v1/admin/orders?limit=100', 'staff')
  expect(orders.items.length).toBeGreaterThan(20)
  for (const { email } of orders.items) expect(email).toMatch(/@example\.com$/)
  shop.down()
  expect(await again.stop(), again.output()).toEqual({ code: 0, signal: null })

  // What was under way has gone on, with the jobs that it had: the gateway did nothing twice.
  const after = await eventsOf(restored)
  expect(after.slice(0, before.length)).toEqual(before)
  const books = await withLog(restored, (store) => checkLog(store, registry, undefined))
  checkOrders(books)
  const { positionOf } = positionTokens(await withLog(restored, async ({ logId }) => logId))
  const inBackup = log.all.filter(({ answer }) => positionOf(answer.position) <= before.length)
  checkStock(books, { ...log, all: inBackup })
  expect(await checkMoney(untouched(books, original.slice(before.length)), gateway.url)).toBeGreaterThan(0)
  const captured = [...books.payments.values()].filter(({ status }) => status === 'captured')
  expect(new Set(captured.map(({ request }) => request?.orderId)).size, 'each order is paid once').toBe(captured.length)

  await using files = new AsyncDisposableStack()
  const store = files.adopt(await openSqliteEventStore({ file: filesOf(restored).log, readOnly: true }), (each) =>
    each.close(),
  )
  const readStore = files.adopt(openSqliteReadStore({ directory: filesOf(restored).readModels }), (each) =>
    each.close(),
  )
  const { documents } = await compareReadModels(store, readStore, registry)
  expect(documents).toBeGreaterThan(500)
})
