import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { newEvents } from '../../src/engine/command.ts'
import { collection, derivedCollection, type Projection, projection, specOf } from '../../src/engine/projection.ts'
import type { Projections, ProjectionsOptions } from '../../src/engine/projections.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'
import { manualClock } from '../manual-clock.ts'
import { accountEvents } from './account.ts'
import { balances, balancesProjection, rich } from './balances.ts'
import { following } from './following.ts'
import { deposit, handling, withdraw } from './handling.ts'

const Half = z.object({ half: z.number() })
const halves = collection('halves', Half, { byHalf: ['half'] })
const lucky = derivedCollection('lucky', Half, {}, halves, (_id, { half }) => {
  if (half === 13) throw new Error('13 is not lucky')
  return new Map()
})

/** A read model of accounts that makes of each deposit what it is told to. */
function halvesProjection(halfOf: (amount: number) => number): Projection {
  return projection({
    name: 'halves',
    version: 1,
    collections: [halves, lucky],
    from: [accountEvents],
    on: { Deposited: ({ id, data: { amount } }) => halves.change(id, () => ({ half: halfOf(amount) })) },
  })
}

interface Running {
  readonly readModels: Projections
  readonly failures: unknown[]
  balanceOf(id: string): Promise<number | undefined>
}

async function start(
  given: Pick<ProjectionsOptions, 'store'> & {
    readStore?: ReadStore
    definition?: Projection
    others?: readonly Projection[]
    clock?: ProjectionsOptions['clock']
  },
): Promise<Running> {
  const { store, readStore = memoryReadStore(), definition = balancesProjection(), others = [] } = given
  const { clock = systemClock } = given
  const { readModels, failures } = await following({
    store,
    readStore,
    projections: [definition, ...others],
    clock,
  })
  return {
    readModels,
    failures,
    balanceOf: async (id) => (await readModels.reader('balances').get(balances, [id]))[0]?.balance,
  }
}

const caughtUp = (readModels: Projections, position: number) => readModels.waitFor('balances', position, 2_000)

describe('a read model', () => {
  test('follows the log, and its computed documents with it', async () => {
    const { handler, store } = handling()
    const { readModels, balanceOf } = await start({ store })
    await handler.handle(deposit(12))
    const { position } = await handler.handle(withdraw(1))
    await caughtUp(readModels, position)
    expect(await balanceOf('a')).toBe(11)
    const find = () => readModels.reader('balances').find(rich, { index: 'byBalance', limit: 10 })
    expect(await find()).toMatchObject([{ body: { account: 'a', balance: 11 } }])
    await caughtUp(readModels, (await handler.handle(withdraw(5))).position)
    expect(await find()).toEqual([])
  })

  test('folds together what comes within a moment, and at once what somebody waits for', async () => {
    const clock = manualClock()
    const { handler, store } = handling()
    const { readModels, balanceOf } = await start({ store, clock })
    const { position } = await handler.handle(deposit(2))
    await caughtUp(readModels, position)
    expect(await balanceOf('a')).toBe(2)
    await handler.handle(deposit(3))
    expect(await balanceOf('a')).toBe(2)
    await expect
      .poll(async () => {
        await clock.advance(10)
        return await balanceOf('a')
      })
      .toBe(5)
  })

  test('is folded for a reader who does not say what for', async () => {
    const { handler, store } = handling()
    const { readModels, balanceOf } = await start({ store, clock: manualClock() })
    await handler.handle(deposit(2))
    await expect
      .poll(async () => {
        await readModels.freshen('balances')
        return await balanceOf('a')
      })
      .toBe(2)
  })

  test('says so when it has not reached a position in time', async () => {
    const { readModels } = await start(handling())
    await expect(readModels.waitFor('balances', 1, 1)).rejects.toMatchObject({ code: 'not-caught-up' })
  })

  test('that is missing is built from the whole log while it is followed', async () => {
    const { handler, store } = handling()
    for (let n = 0; n < 20; n++) await handler.handle(deposit(1))
    const { readModels, balanceOf } = await start({ store })
    const { position } = await handler.handle(deposit(1))
    await caughtUp(readModels, position)
    expect(await balanceOf('a')).toBe(21)
  })

  test('goes on where it was after a stop', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    const first = await start({ store, readStore })
    await caughtUp(first.readModels, (await handler.handle(deposit(1))).position)
    const generation = first.readModels.reader('balances').generationId
    await first.readModels.stop()
    const { position } = await handler.handle(deposit(2))
    const second = await start({ store, readStore })
    await caughtUp(second.readModels, position)
    expect(second.readModels.reader('balances').generationId).toBe(generation)
    expect(await second.balanceOf('a')).toBe(3)
  })

  test('that is left out for a while keeps what it has', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    const others = [halvesProjection((amount) => amount / 2)]
    const { position } = await handler.handle(deposit(8))
    const both = await start({ store, readStore, others })
    await caughtUp(both.readModels, position)
    await both.readModels.waitFor('halves', position, 10_000)
    const { generationId } = both.readModels.reader('halves')
    await both.readModels.stop()
    const without = await start({ store, readStore })
    expect(await without.balanceOf('a')).toBe(8)
    await without.readModels.stop()
    const again = await start({ store, readStore, others })
    expect(again.readModels.reader('halves').generationId).toBe(generationId)
  })

  test('of another log is built anew', async () => {
    const readStore = memoryReadStore()
    const one = handling({ readStore })
    const before = await start({ store: one.store, readStore })
    await caughtUp(before.readModels, (await one.handler.handle(deposit(1))).position)
    await before.readModels.stop()
    const other = handling({ store: memoryEventStore() })
    const { position } = await other.handler.handle(deposit(50))
    const after = await start({ store: other.store, readStore })
    await caughtUp(after.readModels, position)
    expect(await after.balanceOf('a')).toBe(50)
  })

  test('of a log that was restored from before it is built anew', async () => {
    const readStore = memoryReadStore()
    const today = handling({ readStore })
    const before = await start({ store: today.store, readStore })
    await today.handler.handle(deposit(1))
    await caughtUp(before.readModels, (await today.handler.handle(deposit(2))).position)
    await before.readModels.stop()
    const yesterday = memoryEventStore()
    const restored = handling({ store: { ...yesterday, logId: today.store.logId, head: yesterday.head } })
    await restored.handler.handle(deposit(1))
    const { position } = await restored.handler.handle(deposit(40))
    const after = await start({ store: restored.store, readStore })
    await caughtUp(after.readModels, position)
    expect(await after.balanceOf('a')).toBe(41)
  })
})

test('a read model whose first build fails is stopped, and built when the cause is gone', async () => {
  let isBroken = true
  const clock = manualClock()
  const { handler, store } = handling()
  await handler.handle(deposit(5))
  const { readModels, balanceOf } = await start({ store, clock, definition: balancesProjection(() => isBroken) })
  await expect.poll(() => readModels.status()).toMatchObject([{ status: 'stopped' }])
  isBroken = false
  await expect
    .poll(async () => {
      await clock.advance(30_000)
      return readModels.status()
    })
    .toMatchObject([{ status: 'live' }])
  expect(await balanceOf('a')).toBe(5)
})

describe('a rebuild', () => {
  test('swaps in what the same events make, while events are appended and the old one is read', async () => {
    const { handler, store } = handling()
    const { readModels, balanceOf } = await start({ store })
    for (let n = 0; n < 30; n++) await handler.handle(deposit(1))
    await caughtUp(readModels, 30)
    const old = readModels.reader('balances')
    const appending = (async () => {
      for (let n = 0; n < 30; n++) await handler.handle(deposit(1))
    })()
    await readModels.rebuild('balances')
    await appending
    await caughtUp(readModels, 60)
    const live = readModels.reader('balances')
    expect(live.generationId).not.toBe(old.generationId)
    expect(await balanceOf('a')).toBe(60)
    await expect.poll(() => old.get(balances, ['a'])).toEqual([{ balance: 60, movements: 60 }])
    expect(readModels.reader('balances', old.generationId).generationId).toBe(old.generationId)
    expect(() => readModels.reader('balances', 'long-gone')).toThrow(
      expect.objectContaining({ code: 'cursor-expired' }),
    )
  })

  test('that was asked for twice is done once', async () => {
    const { handler, store } = handling()
    const { readModels } = await start({ store })
    await caughtUp(readModels, (await handler.handle(deposit(1))).position)
    const first = readModels.rebuild('balances')
    expect(readModels.rebuild('balances')).toBe(first)
    await first
  })

  test('that was cut off goes on after the next start', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    await handler.handle(deposit(5))
    const { definition } = { definition: balancesProjection() }
    const cut = await readStore.createGeneration({ name: 'balances', version: 1, collections: definition.collections })
    await cut.close()
    const { readModels, balanceOf } = await start({ store, readStore })
    await caughtUp(readModels, 1)
    expect(readModels.reader('balances').generationId).toBe(cut.id)
    expect(await balanceOf('a')).toBe(5)
  })

  test('of a new version replaces the old one', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    const first = await start({ store, readStore })
    await caughtUp(first.readModels, (await handler.handle(deposit(5))).position)
    await first.readModels.stop()
    const second = await start({ store, readStore, definition: balancesProjection(undefined, 2) })
    await caughtUp(second.readModels, 1)
    expect(await second.balanceOf('a')).toBe(5)
    expect(second.readModels.status()).toMatchObject([{ version: 2, status: 'live' }])
  })
})

describe('a deleted document', () => {
  /** An account is in it while it has money. */
  const holders = collection('holders', z.object({ balance: z.int() }), {})
  const definition = projection({
    name: 'holders',
    version: 1,
    collections: [holders],
    from: [accountEvents],
    on: {
      Deposited: ({ stream, data }) => holders.change(stream, () => ({ balance: data.amount })),
      Withdrawn: ({ stream }) => holders.change(stream, () => undefined),
    },
  })
  const tombstones = (generation: Generation | undefined) =>
    generation?.read([{ collection: 'holders', id: 'account-gone' }])
  const goneAndMore = async ({ handler }: ReturnType<typeof handling>, readModels: Projections, more: number) => {
    const { position } = await handler.handle(deposit(1, { target: 'gone' }))
    // What comes and goes within one batch was never there.
    await readModels.waitFor('holders', position, 2_000)
    await handler.handle(withdraw(1, { target: 'gone' }))
    const rest = Array.from({ length: more }, () => handler.handle(deposit(1)))
    return (await Promise.all(rest)).at(-1)?.position ?? 0
  }

  test('leaves a tombstone, which is swept long after', async () => {
    const readStore = memoryReadStore()
    const given = handling({ readStore, maxWaiting: 10_000 })
    const { readModels } = await start({ store: given.store, readStore, definition })
    const [info] = await readStore.generations()
    const generation = await readStore.openGeneration(info?.id ?? '', specOf(definition))
    await readModels.waitFor('holders', await goneAndMore(given, readModels, 10), 2_000)
    expect(await tombstones(generation)).toMatchObject([{ body: undefined }])
    for (let times = 0; times < 4; times++) {
      const more = Array.from({ length: 4_000 }, () => given.handler.handle(deposit(1)))
      await readModels.waitFor('holders', (await Promise.all(more)).at(-1)?.position ?? 0, 10_000)
    }
    expect(await tombstones(generation)).toEqual([undefined])
  })

  test('leaves nothing in a generation that was built anew', async () => {
    const readStore = memoryReadStore()
    const given = handling({ readStore, maxWaiting: 10_000 })
    await given.handler.handle(deposit(1, { target: 'gone' }))
    // What comes and goes within one batch was never there.
    await Promise.all(Array.from({ length: 1_000 }, () => given.handler.handle(deposit(1))))
    const { position } = await given.handler.handle(withdraw(1, { target: 'gone' }))
    await given.handler.handle(deposit(1))
    const { readModels } = await start({ store: given.store, readStore, definition })
    await readModels.waitFor('holders', position, 2_000)
    const [info] = await readStore.generations()
    expect(await tombstones(await readStore.openGeneration(info?.id ?? '', specOf(definition)))).toEqual([undefined])
  })
})

describe('a version', () => {
  test('that is lower than the live one replaces it only when an operator says so', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    await handler.handle(deposit(5))
    const newer = await start({ store, readStore, definition: balancesProjection(undefined, 2) })
    await caughtUp(newer.readModels, 1)
    await newer.readModels.stop()
    const older = await start({ store, readStore })
    expect(older.readModels.status()).toMatchObject([
      { status: 'stopped', error: expect.stringContaining('Version 2 of balances is live') },
    ])
    expect(await readStore.generations()).toMatchObject([{ version: 2, state: 'live' }])
    await older.readModels.rebuild('balances')
    expect(await older.balanceOf('a')).toBe(5)
    expect(older.readModels.status()).toMatchObject([{ version: 1, status: 'live' }])
  })

  test('of an event that is newer than this one stops all read models, and they say so', async () => {
    const { handler, store } = handling()
    const { readModels, failures } = await start({ store })
    await caughtUp(readModels, (await handler.handle(deposit(5))).position)
    const [event] = newEvents(deposit(1), [{ type: 'Deposited', data: { amount: 1 } }], '2026-01-01T00:00:00.000Z')
    if (event === undefined) throw new Error('There is no event')
    await store.append('account-b', -1, [{ ...event, type: 'Invented' }])
    await expect.poll(() => failures).toHaveLength(1)
    expect(readModels.status()).toMatchObject([
      { status: 'stopped', error: expect.stringContaining('Invented'), lag: expect.any(Number) },
    ])
  })
})

describe('a poison event', () => {
  const poisonous = balancesProjection((amount) => amount === 13)

  test('stops the projection loudly, behind all that came before it', async () => {
    const { handler, store } = handling()
    const { readModels, balanceOf, failures } = await start({ store, definition: poisonous })
    await handler.handle(deposit(1))
    const { position } = await handler.handle(deposit(13))
    await handler.handle(deposit(1))
    await caughtUp(readModels, 1)
    await expect.poll(() => failures).toHaveLength(1)
    expect(await balanceOf('a')).toBe(1)
    expect(readModels.status()).toMatchObject([{ status: 'stopped', poison: { position, type: 'Deposited' } }])
  })

  test('can be skipped', async () => {
    const { handler, store } = handling()
    const { readModels, balanceOf, failures } = await start({ store, definition: poisonous })
    await handler.handle(deposit(13))
    await handler.handle(deposit(2))
    await expect.poll(() => failures).toHaveLength(1)
    await readModels.skipPoison('balances')
    await caughtUp(readModels, (await handler.handle(deposit(3))).position)
    expect(await balanceOf('a')).toBe(5)
    await expect(readModels.skipPoison('balances')).rejects.toMatchObject({ code: 'not-stopped' })
  })

  test('is found among others when it makes what an index cannot hold, and can be skipped', async () => {
    const { handler, store } = handling()
    const definition = halvesProjection((amount) => (amount === 13 ? Number.NaN : amount / 2))
    const { readModels, failures } = await start({ store, definition })
    await handler.handle(deposit(2))
    await Promise.all([13, 4, 6].map((amount) => handler.handle(deposit(amount, { target: `${amount}` }))))
    await expect.poll(() => failures).toHaveLength(1)
    expect(readModels.status()).toMatchObject([{ status: 'stopped', poison: { type: 'Deposited' } }])
    await readModels.skipPoison('halves')
    await readModels.waitFor('halves', (await store.head()).position, 2_000)
    const found = await readModels.reader('halves').find(halves, { index: 'byHalf', limit: 10 })
    expect(found.map(({ body }) => body.half)).toEqual([1, 2, 3])
  })

  test('stops the projection too when the documents computed from others fail', async () => {
    const { handler, store } = handling()
    const { readModels } = await start({ store, definition: halvesProjection((amount) => amount) })
    await handler.handle(deposit(13))
    await expect.poll(() => readModels.status()).toMatchObject([{ poison: { type: 'Deposited' } }])
  })

  test('stops a read model that was never built, which says so', async () => {
    const { handler, store } = handling()
    await handler.handle(deposit(13))
    const { readModels } = await start({ store, definition: poisonous })
    await expect
      .poll(() => readModels.status())
      .toMatchObject([{ status: 'stopped', error: expect.stringContaining('13 is poison') }])
  })

  test('does not make the other read models wait after a start', async () => {
    const readStore = memoryReadStore()
    const { handler, store } = handling({ readStore })
    const definitions = { definition: poisonous, others: [halvesProjection((amount) => amount / 2)] }
    const first = await start({ store, readStore, ...definitions })
    await handler.handle(deposit(13))
    const { position } = await handler.handle(deposit(2))
    await first.readModels.waitFor('halves', position, 2_000)
    await first.readModels.stop()
    const from: number[] = []
    const watched: typeof store = {
      ...store,
      subscribe(options) {
        from.push(options.after)
        return store.subscribe(options)
      },
    }
    const second = await start({ store: watched, readStore, ...definitions })
    await expect.poll(() => second.failures).toHaveLength(1)
    expect(from).toEqual([position])
    expect(second.readModels.status()).toMatchObject([{ status: 'stopped' }, { status: 'live', position }])
    await second.readModels.skipPoison('balances')
    await caughtUp(second.readModels, (await handler.handle(deposit(3))).position)
    expect(await second.balanceOf('a')).toBe(5)
  })

  test('leaves no gap in the generation that it stopped when another takes its place', async () => {
    let poison = true
    const { handler, store } = handling()
    const { readModels, failures } = await start({ store, definition: balancesProjection((n) => poison && n === 13) })
    await caughtUp(readModels, (await handler.handle(deposit(1))).position)
    await handler.handle(deposit(13))
    await expect.poll(() => failures).toHaveLength(1)
    await handler.handle(deposit(2))
    const old = readModels.reader('balances')
    poison = false
    await readModels.rebuild('balances')
    await caughtUp(readModels, (await handler.handle(deposit(3))).position)
    const asItWas = { balance: 1, movements: 1 }
    const withAllThatCame = { balance: 19, movements: 4 }
    const [found] = await old.get(balances, ['a'])
    expect([asItWas, withAllThatCame]).toContainEqual(found)
  })

  test('fails a rebuild, and the old generation goes on', async () => {
    let poison = false
    const { handler, store } = handling()
    const { readModels, balanceOf } = await start({ store, definition: balancesProjection(() => poison) })
    await caughtUp(readModels, (await handler.handle(deposit(4))).position)
    poison = true
    await expect(readModels.rebuild('balances')).rejects.toThrow('is poison')
    poison = false
    await caughtUp(readModels, (await handler.handle(deposit(4))).position)
    expect(await balanceOf('a')).toBe(8)
  })
})

test('a rebuild that is live has not failed because the one before the last could not be dropped', async () => {
  const memory = memoryReadStore()
  let broken = false
  const readStore: ReadStore = {
    ...memory,
    dropGeneration: (id) => (broken ? Promise.reject(new Error('no such file')) : memory.dropGeneration(id)),
  }
  const { handler, store } = handling()
  const { readModels, balanceOf, failures } = await start({ store, readStore })
  const { position } = await handler.handle(deposit(4))
  await caughtUp(readModels, position)
  await readModels.rebuild('balances')
  broken = true
  await readModels.rebuild('balances')
  expect(failures).toEqual([new Error('no such file')])
  expect(readModels.status()[0]).not.toHaveProperty('rebuildFailure')
  expect(await balanceOf('a')).toBe(4)
  broken = false
})

test('a read store that fails for a while is written when it works again', async () => {
  const memory = memoryReadStore()
  let broken = false
  const breakable = (generation: Generation): Generation => ({
    ...generation,
    write: (...args) => (broken ? Promise.reject(new Error('disk full')) : generation.write(...args)),
  })
  const readStore = {
    ...memory,
    createGeneration: async (spec: Parameters<ReadStore['createGeneration']>[0]) =>
      breakable(await memory.createGeneration(spec)),
  }
  const { handler, store } = handling()
  const { readModels, balanceOf, failures } = await start({ store, readStore })
  broken = true
  const { position } = await handler.handle(deposit(4))
  await expect.poll(() => failures.length).toBeGreaterThan(0)
  broken = false
  await caughtUp(readModels, position)
  expect(await balanceOf('a')).toBe(4)
})
