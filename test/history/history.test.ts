import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { local } from '../../src/cli/connection.ts'
import { readConfig } from '../../src/config.ts'
import { daybook } from '../../src/daybook.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import { systemClock } from '../../src/engine/clock.ts'
import type { Decider } from '../../src/engine/decider.ts'
import {
  buildHere,
  commandSide,
  type Definitions,
  defaultLimits,
  registryOf,
  startEngine,
} from '../../src/engine/engine.ts'
import { NewerVersionError } from '../../src/engine/errors.ts'
import { type EventStore, noStream, type RecordedEvent } from '../../src/engine/event-store.ts'
import { categoryOf, idOf } from '../../src/engine/streams.ts'
import { forReading } from '../../src/shop.ts'
import { filesOf, openStorage } from '../../src/storage.ts'
import { ask, password } from '../integration/account-client.ts'
import { shopClient } from '../integration/shop-client.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { countNote, counts, nextDefinitions, nextStockItem } from './next-version.ts'
import { built, figuresOf, lostFrom } from './store/figures.ts'
import { type KeptStore, keptStores } from './store/files.ts'

const presentShop = forReading([])

const patiently = { timeout: 30_000, interval: 20 }

function unpacked(store: KeptStore): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const directory = join(path, 'data')
  store.unpack(directory)
  return directory
}

/** Opens a kept store as this release does, but lets nothing happen in it. */
async function figuresIn(directory: string) {
  const config = readConfig({
    DAYBOOK_DATA_DIR: directory,
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    DAYBOOK_LOG_LEVEL: 'error',
    DAYBOOK_RATE_LIMIT_PER_MINUTE: '1000000',
  })
  const shop = await daybook({ config, works: false })
  try {
    const { url } = await shop.listen()
    const client = shopClient({ url, token: shop.adminToken, sandboxUrl: '' })
    await built(client)
    const figures = await figuresOf(client)
    expect(await ask(client, 'log-in', { email: 'cleo@example.com', password })).toMatchObject({ status: 201 })
    return figures
  } finally {
    await shop.close()
  }
}

async function opened(directory: string) {
  const storage = await openStorage({ DAYBOOK_DATA_DIR: directory }, systemClock, () => {})
  onTestFinished(storage.close)
  return storage
}

async function eventsOf(store: EventStore): Promise<readonly RecordedEvent[]> {
  const all: RecordedEvent[] = []
  for await (const { events } of store.readAll({ after: 0 })) all.push(...events)
  return all
}

/** Folds of a store, and from which revision on each stream was read for them. */
function folding(storage: Awaited<ReturnType<typeof opened>>, definitions: Definitions) {
  const readFrom = new Map<string, number>()
  const store: EventStore = {
    ...storage.store,
    readStream(stream, options) {
      if (!readFrom.has(stream)) readFrom.set(stream, options?.fromRevision ?? 0)
      return storage.store.readStream(stream, options)
    },
  }
  return { readFrom, ...commandSide(definitions, { ...storage, store }, defaultLimits) }
}

describe.each(keptStores())('the store of $version', { timeout: 60_000 }, (kept) => {
  test('is opened, and its shop says what it said then', async () => {
    expect(lostFrom(kept.figures, await figuresIn(unpacked(kept)))).toEqual([])
  })

  test('says the same when all is built anew from its log', async () => {
    const directory = unpacked(kept)
    rmSync(filesOf(directory).readModels, { recursive: true })
    rmSync(filesOf(directory).jobs)
    expect(lostFrom(kept.figures, await figuresIn(directory))).toEqual([])
  })

  test('has events that are all known, streams that are all folded, and a snapshot that is read', async () => {
    const storage = await opened(unpacked(kept))
    const { handler, registry, readFrom } = folding(storage, presentShop)
    const events = (await eventsOf(storage.store)).map(registry.upcast)
    expect(events).toHaveLength(kept.events)
    const deciders = new Map<string, Decider>(presentShop.aggregates.map((each) => [each.category, each]))
    const last = new Map(events.map(({ stream, revision }) => [stream, revision]))
    expect(new Set([...last.keys()].map(categoryOf)).size).toBeGreaterThan(8)
    for (const [stream, revision] of last) {
      const found = deciders.get(categoryOf(stream))
      if (found) expect(await handler.fold(found, idOf(stream)), stream).toMatchObject({ revision })
    }
    expect(readFrom.get('stockItem-HOT')).toBeGreaterThanOrEqual(1_000)
  })

  test('answers commands that were accepted then as it did then', async () => {
    const storage = await opened(unpacked(kept))
    const { handler } = folding(storage, presentShop)
    const events = await eventsOf(storage.store)
    for (const { type, data, revision, position, metadata } of events.filter(
      ({ stream }) => stream === 'stockItem-HOT',
    )) {
      const { sku: target, ...sent } = data
      const { commandId: id, commandHash: hash = '', actor, correlationId } = metadata
      const command = { decider: stockItem, target: String(target), data: sent, id, hash, actor, correlationId }
      const answer = handler.handle({ ...command, type: type === 'StockReceived' ? 'ReceiveStock' : 'AdjustStock' })
      expect(await answer).toEqual({ id: target, revision, position })
    }
    expect((await storage.store.head()).position).toBe(kept.events)
  })

  describe('opened by a next version', () => {
    test('has its events read as new ones by decisions, read models and processes, and its older snapshots ignored', async () => {
      const storage = await opened(unpacked(kept))
      const before = await eventsOf(storage.store)
      const counted = before.filter(({ type, data }) => type === 'StockAdjusted' && data.reason === 'Counted')
      const noted = counted.filter(({ revision }) => revision % 100 === 0)
      expect(noted.length).toBeGreaterThan(5)

      const { handler: folds, readFrom } = folding(storage, nextDefinitions)
      expect((await folds.fold(nextStockItem, 'HOT')).state.counts).toBe(counted.length)
      expect(readFrom.get('stockItem-HOT')).toBe(0)

      const failures: unknown[] = []
      const engine = await startEngine(nextDefinitions, storage, {
        limits: defaultLimits,
        builder: buildHere(nextDefinitions, storage),
        works: true,
        onFailure: (error) => failures.push(error),
      })
      try {
        // The new version of a read model answers at once, for it goes on from the one before.
        expect(() => engine.projections.reader('stock-levels')).not.toThrow()
        await expect
          .poll(() => engine.projections.status(), patiently)
          .toEqual(expect.arrayContaining([expect.objectContaining({ name: 'stock-counts', status: 'live' })]))
        const countsOf = async () => (await engine.projections.reader('stock-counts').get(counts, ['HOT']))[0]?.counts
        expect(await countsOf()).toBe(counted.length)
        await expect
          .poll(async () => (await engine.handler.fold(countNote, 'HOT')).revision + 1, patiently)
          .toBe(noted.length)

        // What is written from now on has the field, and is counted after what is old.
        const { position } = await engine.handler.handle({
          decider: nextStockItem,
          target: 'HOT',
          type: 'AdjustStock',
          data: { change: 1, reason: 'Counted', reference: 'next' },
          id: 'next',
          actor: { kind: 'staff', id: 'test' },
          correlationId: 'next',
        })
        expect(await storage.store.eventAt(position)).toMatchObject({
          data: { counted: true },
          metadata: { version: 2 },
        })
        await engine.projections.waitFor('stock-counts', position, 10_000)
        expect(await countsOf()).toBe(counted.length + 1)
        expect((await eventsOf(storage.store)).slice(0, before.length)).toEqual(before)
        await expect
          .poll(
            async () =>
              (await storage.readStore.generations()).filter(({ projection }) => projection === 'stock-levels'),
            patiently,
          )
          .toContainEqual(expect.objectContaining({ state: 'live', version: 2 }))
        expect(failures).toEqual([])
      } finally {
        await engine.stop()
      }
    })

    test('is left to that by this one, which says so', async () => {
      const directory = unpacked(kept)
      const next = await opened(directory)
      const { handler } = folding(next, nextDefinitions)
      const command = {
        decider: nextStockItem,
        target: 'HOT',
        data: { change: 1, reason: 'Counted', reference: 'next' },
        actor: { kind: 'staff', id: 'test' } as const,
        correlationId: 'next',
      }
      await handler.handle({ ...command, type: 'AdjustStock', id: 'next' })
      await next.close()

      const config = readConfig({ DAYBOOK_DATA_DIR: directory, DAYBOOK_PORT: '0', DAYBOOK_LOG_LEVEL: 'silent' })
      const shop = await daybook({ config, works: false })
      onTestFinished(shop.close)
      const { send } = local(shop)
      await expect
        .poll(async () => (await send('GET', '/health/ready')).body, patiently)
        .toMatchObject({ degraded: expect.arrayContaining(['newer-version']) })
      const body = { change: 1, reason: 'Counted', reference: 'present' }
      const headers = { 'idempotency-key': 'present' }
      expect(await send('POST', '/v1/stock-items/HOT/adjust', { body, headers })).toMatchObject({
        status: 503,
        body: { code: 'newer-version' },
      })
    })
  })
})

test('an event of a newer version is not known to this one', () => {
  const { upcast } = registryOf(presentShop)
  const metadata = {
    commandId: 'c',
    correlationId: 'c',
    actor: { kind: 'staff', id: 's' },
    recordedAt: '2026-01-01T00:00:00.000Z',
    occurredAt: '2026-01-01T00:00:00.000Z',
  } as const
  const event = { position: 1, stream: 'stockItem-A', revision: noStream + 1, id: 'e', data: {} }
  expect(() => upcast({ ...event, type: 'StockAdjusted', metadata: { ...metadata, version: 9 } })).toThrow(
    NewerVersionError,
  )
  expect(() => upcast({ ...event, type: 'StockBlessed', metadata: { ...metadata, version: 1 } })).toThrow(
    NewerVersionError,
  )
})
