import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { mongoCoordination } from '../../src/adapters/mongodb/coordination.ts'
import { checksum } from '../../src/adapters/sqlite/log-layout.ts'
import { copy } from '../../src/cli/copy.ts'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { copyLog, type LogEnd } from '../../src/engine/copy-log.ts'
import { processLease } from '../../src/engine/process-shards.ts'
import { filesOf, openStorage } from '../../src/storage.ts'
import { openStore, startServer } from '../adapters/eventstoredb/opened-store.ts'
import { emptyDatabase, whyNotRun } from '../adapters/mongodb/empty-database.ts'
import { logOf } from '../contract/log-readers.ts'
import { newEvents } from '../contract/new-event.ts'
import { fill } from '../contract/sample-log.ts'
import { type OpenShop, openShop } from '../integration/open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from '../integration/shop-client.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { printedLines } from './printed.ts'

const { printed } = printedLines()

function directories() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return { from: join(path, 'from'), to: join(path, 'to'), back: join(path, 'back') }
}

const open = (directory: string) => openStorage({ DAYBOOK_DATA_DIR: directory }, systemClock, () => {})

/** Makes a data directory whose log has so many appends, with a key and a checkpoint. */
async function used(directory: string, appends = 60): Promise<void> {
  const { store, vault, close } = await open(directory)
  await fill(store, appends)
  await vault.keyFor('ada')
  await store.saveCheckpoint('place-order', await store.head())
  await close()
}

async function eventsIn(directory: string) {
  const { store, close } = await open(directory)
  const events = await logOf(store)
  await close()
  return events
}

const settings = (given: Record<string, string> = {}) => readConfig(given)
const between = (from: string, to: string) => ({ from: `file:${from}`, to: `file:${to}` })

describe('a copy of a data directory', () => {
  test('has the same log, keys and checkpoints, and says so', async () => {
    const { from, to } = directories()
    await used(from)
    await copy(settings(), between(from, to))
    expect(await eventsIn(to)).toEqual(await eventsIn(from))
    expect(printed.join('\n')).toMatch(
      /^\n120 events are in both logs, and all are equal\. 0 were there before, 120 were copied\./,
    )
    const [source, target] = printed.flatMap((line) => /^SHA-256 of the \w+: ([0-9a-f]{64})$/.exec(line)?.[1] ?? [])
    expect(source).toMatch(/^[0-9a-f]{64}$/)
    expect(target).toBe(source)
    expect(printed.find((line) => line.startsWith('place-order'))).toMatch(/^place-order +120 +120 +\S+$/)
    const [before, after] = [await open(from), await open(to)]
    expect(await after.vault.keyFor('ada')).toEqual(await before.vault.keyFor('ada'))
    expect(await after.store.loadCheckpoint('place-order')).toMatchObject({ logId: after.store.logId, position: 120 })
    await Promise.all([before.close(), after.close()])
  })

  test('goes on where it was stopped', async () => {
    const { from, to } = directories()
    await used(from)
    const stopping = new AbortController()
    // As soon as it says that it has copied something.
    vi.mocked(process.stdout.write).mockImplementation((text) => {
      if (String(text).includes(' events, ')) stopping.abort(new Error('Stopped'))
      return true
    })
    await expect(copy(settings(), { ...between(from, to), signal: stopping.signal })).rejects.toThrow('Stopped')
    const there = await eventsIn(to)
    expect(there.length).toBeGreaterThan(0)
    expect(there).toEqual((await eventsIn(from)).slice(0, there.length))
    await copy(settings(), between(from, to))
    expect(printed.join('\n')).toContain(`${there.length} were there before, ${120 - there.length} were copied`)
    expect(await eventsIn(to)).toEqual(await eventsIn(from))
  })

  test('finds an event that was changed in the source since it was copied', async () => {
    const { from, to } = directories()
    await used(from)
    await copy(settings(), between(from, to))
    change(from, 57)
    await expect(copy(settings(), between(from, to))).rejects.toThrow(
      /Event 57 is not the same in both logs.*differ in data/,
    )
  })

  test('finds an event of the source that is damaged', async () => {
    const { from, to } = directories()
    await used(from)
    change(from, 57, 1)
    await expect(copy(settings(), between(from, to))).rejects.toThrow(
      'the checksum of the event at position 57 is wrong',
    )
  })

  /** Writes other data into an event. @param error what is added to its checksum */
  function change(directory: string, position: number, error = 0): void {
    const database = new DatabaseSync(filesOf(directory).log)
    const sql =
      'SELECT name, revision, events.id, type, metadata FROM events JOIN streams ON streams.id = stream WHERE position = ?'
    const { name, revision, id, type, metadata } = database.prepare(sql).get(position) ?? {}
    const data = '{"changed":true}'
    const sum = checksum(position, String(name), Number(revision), String(id), String(type), data, String(metadata))
    database.prepare('UPDATE events SET data = ?, checksum = ? WHERE position = ?').run(data, sum + error, position)
    database.close()
  }

  test('is refused while a Daybook runs on it, and where there is none', async () => {
    const { from, to } = directories()
    await expect(copy(settings(), between(from, to))).rejects.toThrow(`There is no log in ${from}`)
    expect(existsSync(from)).toBe(false)
    const running = await open(from)
    onTestFinished(running.close)
    await expect(copy(settings(), between(from, to))).rejects.toThrow(`A Daybook is running on ${from}. Stop it first`)
    await expect(copy(settings(), between(from, `${to}/../from`))).rejects.toThrow('are the same data directory')
  })

  test.each([
    ['./data', 'file:b', 'is no place of a log'],
    ['file:a', 'mysql://user:secret@localhost', /^mysql:… is no place of a log/],
    ['file:', 'file:b', 'is no place of a log'],
    ['esdb://a', 'esdb://b', 'has to be a data directory'],
    ['esdb://a', 'file:/nowhere/b', 'MONGODB_URL is not set'],
  ])('from %s to %s is refused', async (from, to, message) => {
    await expect(copy(settings(), { from, to })).rejects.toThrow(message)
  })
})

test('the command ends with 130 when it is interrupted, and with 1 when it is refused', async () => {
  const { from, to } = directories()
  const { store, vault, close } = await open(from)
  await vault.keyFor('ada')
  // Each an append of its own in the copy, so that it takes a while.
  const streams = Array.from({ length: 20_000 }, (_, number) => `cart-${number}`)
  for (const stream of streams) void store.append(stream, -1, newEvents(1))
  await close()
  const interrupted = run(['--from', `file:${from}`, '--to', `file:${to}`])
  await expect.poll(interrupted.output).toContain('Copy events')
  interrupted.signal('SIGINT')
  expect(await interrupted.code).toBe(130)
  expect(interrupted.output()).toContain('Stopped. Run the same command again to go on: nothing is copied twice.')
  const there = await eventsIn(to)
  expect(there.length).toBeLessThan(20_000)
  expect(there.map(({ stream }) => stream)).toEqual(streams.slice(0, there.length))
  expect(await run(['--from', 'file:', '--to', `file:${to}`]).code).toBe(1)
})

/** Runs `daybook copy` in a process of its own. */
function run(args: readonly string[]) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../src/cli.ts', import.meta.url)), 'copy', ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  return {
    output: () => output,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    code: once(child, 'close').then(([code]: unknown[]) => code),
  }
}

describe('a copy into EventStoreDB and back', () => {
  const managers = ['place-order']
  const timeout = 20_000

  test('has the same events, and the same places of process managers', async () => {
    const { from, back } = directories()
    await used(from)
    const server = await startServer()
    const [source, target] = [await open(from), await open(back)]
    const cluster: LogEnd = {
      store: await openStore(server.url),
      vault: memoryKeyVault(),
      credentials: memoryCredentialStore(),
      shards: 4,
    }
    await copyLog({ source: { ...source, shards: 1 }, target: cluster, managers })
    const head = await cluster.store.head()
    expect(head.position).not.toBe((await source.store.head()).position)
    for (const name of ['place-order', 'place-order/0', 'place-order/3'])
      expect(await cluster.store.loadCheckpoint(name)).toEqual(head)
    await copyLog({ source: cluster, target: { ...target, shards: 1 }, managers })
    expect(await logOf(target.store)).toEqual(await logOf(source.store))
    expect(await target.store.loadCheckpoint('place-order')).toEqual(await target.store.head())
    await Promise.all([source.close(), target.close()])
  })

  test.skipIf(whyNotRun !== '')(
    `is the same shop: its people, its orders, its work, and nothing twice${whyNotRun}`,
    { timeout: 90_000 },
    async () => {
      const { from, back } = directories()
      const before = await openShop({}, from)
      await stock(before)
      const shopper = await guest(before)
      const orders = [await placed(before, shopper), await placed(before, shopper)]
      await pay(before, orders[0] ?? '', shopper)
      await expect
        .poll(() => before.get(`/v1/orders/${orders[0]}`, shopper.token))
        .toMatchObject({ paymentStatus: 'captured' })
      await workedOff(before)
      await before.close()

      const server = await startServer()
      const mongo = emptyDatabase()
      onTestFinished(mongo.dispose)
      const config = { EVENTSTOREDB_URL: server.url, MONGODB_URL: mongo.url }
      server.faults.loseNextAnswers(3, true)
      await copy(settings(config), { from: `file:${from}`, to: server.url })
      const copied = (await eventsIn(from)).length

      const moved = await openShop(config, back)
      await workedOff(moved)
      const ask = async (id: string | undefined) =>
        (await moved.send('GET', `/v1/orders/${id}`, { token: shopper.token })).body
      await expect
        .poll(() => ask(orders[0]), { timeout })
        .toMatchObject({ email: 'ada@example.com', paymentStatus: 'captured', revision: 5 })
      await expect.poll(() => ask(orders[1]), { timeout }).toMatchObject({ paymentStatus: 'not-paid' })
      await pay(moved, orders[1] ?? '', shopper)
      await expect.poll(() => ask(orders[1]), { timeout }).toMatchObject({ paymentStatus: 'captured' })
      expect(await moved.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 4 })
      await workedOff(moved)
      await moved.close()

      await copy(settings(config), { from: server.url, to: `file:${from}` })
      expect(printed.join('\n')).toContain(`${copied} were there before`)
      const since = (await eventsIn(from)).slice(copied)
      expect(since.map(({ stream }) => stream)).not.toContain(`order-${orders[0]}`)
      const types = since.map(({ type }) => type)
      expect(types.filter((type) => type === 'OrderPaid')).toHaveLength(1)
      expect(types).not.toContain('OrderPlaced')
      expect(types).not.toContain('StockReserved')
      const returned = await openShop({}, from)
      await workedOff(returned)
      expect(await returned.get(`/v1/orders/${orders[1]}`, shopper.token)).toMatchObject({
        email: 'ada@example.com',
        paymentStatus: 'captured',
        revision: 5,
      })
      expect(await returned.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 4 })
    },
  )

  test.skipIf(whyNotRun !== '')(
    `is refused while a process of the cluster runs, and not for one that is gone${whyNotRun}`,
    async () => {
      const { from } = directories()
      await used(from)
      const server = await startServer()
      const mongo = emptyDatabase()
      onTestFinished(mongo.dispose)
      const config = settings({ MONGODB_URL: mongo.url, DAYBOOK_LEASE_MS: '1000' })
      const coordination = mongoCoordination(mongo.connect())
      // A worker that ran on the empty log left a checkpoint under its lease.
      await coordination.announce('worker-1', {})
      const fence = await coordination.take(processLease('place-order', 0), 'worker-1', undefined)
      const cluster = await openStore(server.url)
      await cluster.saveCheckpoint('place-order/0', { logId: cluster.logId, position: 0, eventId: '' }, fence)
      await cluster.close()

      const beating = setInterval(() => void coordination.announce('worker-1', {}), 100)
      onTestFinished(() => clearInterval(beating))
      const places = { from: `file:${from}`, to: server.url }
      await expect(copy(config, places)).rejects.toThrow('Daybook processes are running on this cluster: worker-1')
      clearInterval(beating)
      await copy(config, places)
      const copied = await openStore(server.url)
      expect(await copied.loadCheckpoint('place-order/0')).toEqual(await copied.head())
      expect((await coordination.leases()).map(({ owner }) => owner)).toEqual(['', '', '', ''])
    },
  )

  /** Waits until all that follows from what happened is done. */
  async function workedOff({ daybook: { engine } }: OpenShop): Promise<void> {
    await expect
      .poll(
        async () => {
          const positions = engine.processes.status().map(({ position }) => position)
          const head = Math.max(...engine.projections.status().map(({ position, lag }) => position + lag))
          return positions.every((position) => position >= head)
        },
        { timeout },
      )
      .toBe(true)
  }

  async function placed(shop: OpenShop, shopper: Awaited<ReturnType<typeof guest>>): Promise<string> {
    return await checkOut(shop, await fillCart(shop, shopper), shopper)
  }
})
