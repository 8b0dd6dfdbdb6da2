import { v4 } from 'uuid'
import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { buildHere } from '../../src/engine/engine.ts'
import { NewerVersionError, UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { openFeed } from '../../src/engine/feed.ts'
import type { Held } from '../../src/engine/ownership.ts'
import { specOf } from '../../src/engine/projection.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'
import type { Builder } from '../../src/engine/rebuilds.ts'
import { projectionLease, shardProjector } from '../../src/engine/shard-projector.ts'
import { newEvent } from '../contract/new-event.ts'
import { type ManualClock, manualClock, settled } from '../manual-clock.ts'
import { account, accountEvents } from './account.ts'
import { balances, balancesProjection } from './balances.ts'

const shards = 4
const allShards = [0, 1, 2, 3]
/** Deposits of so much stop the read model. */
const poison = 13
const definition = balancesProjection((amount) => amount === poison)

interface Servers {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly clock: ManualClock
}

function servers(given: Partial<Servers> = {}): Servers {
  return {
    store: { ...memoryEventStore(), soleWriter: false },
    readStore: memoryReadStore(),
    clock: manualClock(),
    ...given,
  }
}

function heldOf(of: readonly number[], token = 1): Held {
  return new Map(of.map((shard) => [projectionLease(definition, shard), token]))
}

/** A process that folds shards of the balances until it is stopped. @param builder builds in place of the usual one */
async function projecting({ store, readStore, clock }: Servers, builder = (usual: Builder) => usual) {
  const definitions = { aggregates: [account], projections: [definition], processes: [], jobs: [] }
  const ports = { store, readStore, clock, queue: memoryJobQueue({ clock }), vault: memoryKeyVault() }
  const failures: unknown[] = []
  const onFailure = (error: unknown) => failures.push(error)
  const registry = eventRegistry([accountEvents])
  const feed = await openFeed({ store, registry, clock, filter: {}, onFailure })
  const projector = shardProjector({
    store,
    readStore,
    feed,
    signal: memorySignal(),
    clock,
    projections: [definition],
    builder: builder(buildHere(definitions, ports)),
    shards,
    retirementMs: 60_000,
    isServed: () => false,
    onFenced: () => {},
    onFailure,
  })
  async function stop(): Promise<void> {
    await projector.stop()
    await feed.stop()
  }
  onTestFinished(stop)
  return { projector, failures, stop, status: () => projector.status()[0] }
}

async function depositInto(store: EventStore, account: string, amount = 1): Promise<string> {
  const event = newEvent({ type: 'Deposited', data: { amount } })
  const stream = `account-${account}`
  const { revision } = (await lastOf(store, stream)) ?? { revision: -1 }
  await store.append(stream, revision, [event])
  return event.id
}

async function lastOf(store: EventStore, stream: string): Promise<{ readonly revision: number } | undefined> {
  let last: { readonly revision: number } | undefined
  for await (const events of store.readStream(stream)) last = events.at(-1)
  return last
}

async function depositAround(store: EventStore, accounts: number): Promise<void> {
  for (let index = 0; index < accounts; index++) await depositInto(store, `a${index}`)
}

async function liveId(readStore: ReadStore): Promise<string | undefined> {
  return (await readStore.generations()).find(({ state }) => state === 'live')?.id
}

async function liveGeneration({ readStore }: Servers): Promise<Generation> {
  const generation = await readStore.openGeneration((await liveId(readStore)) ?? '', specOf(definition))
  if (!generation) throw new Error('Nothing is live')
  return generation
}

async function seconds(clock: ManualClock, count: number): Promise<void> {
  for (let second = 0; second < count; second++) await clock.advance(1_000)
}

/** Has a read model built, of what is in the log by now, by a process that is no more. */
async function built(shared: Servers): Promise<void> {
  const { projector, stop } = await projecting(shared)
  await projector.apply(heldOf(allShards))
  await seconds(shared.clock, 3)
  await stop()
  expect((await (await liveGeneration(shared)).checkpoint())?.position).toBe((await shared.store.head()).position)
}

describe('a build', () => {
  test('that an event stops is tried again ever less often', async () => {
    const shared = servers()
    await depositInto(shared.store, 'a', poison)
    let builds = 0
    const { projector, status } = await projecting(shared, (usual) => async (...args) => {
      builds++
      return await usual(...args)
    })
    await projector.apply(heldOf(allShards))
    await seconds(shared.clock, 60)
    expect(status()?.rebuildFailure).toContain('13 is poison')
    expect(builds).toBeGreaterThan(1)
    expect(builds).toBeLessThan(7)
    expect(await shared.readStore.generations()).toEqual([])
  })

  test('that could not be swapped in for a moment is not thrown away', async () => {
    const memory = memoryReadStore()
    let refusals = 1
    const shared = servers({
      readStore: {
        ...memory,
        async makeLive(id) {
          if (refusals-- > 0) throw new UnavailableError('mongodb-unavailable', 'No primary')
          await memory.makeLive(id)
        },
      },
    })
    await depositAround(shared.store, 5)
    const ids: string[] = []
    const { projector, status } = await projecting(shared, (usual) => async (targets, ...rest) => {
      ids.push(...targets.map(({ generationId }) => generationId))
      return await usual(targets, ...rest)
    })
    await projector.apply(heldOf(allShards))
    await seconds(shared.clock, 2)
    expect(status()?.rebuildFailure).toBe('No primary')
    await seconds(shared.clock, 10)
    expect(ids).toEqual([ids[0], ids[0]])
    expect(await liveId(shared.readStore)).toBe(ids[0])
    expect(status()?.rebuildFailure).toBeUndefined()
  })

  test('is broken off when another process gets the first shard, which it has only after that', async () => {
    const shared = servers()
    await depositAround(shared.store, 5)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const building: AbortSignal[] = []
    const { projector } = await projecting(shared, () => async (_targets, _onProgress, signal) => {
      building.push(signal)
      await ended
      return []
    })
    onTestFinished(() => end())
    await projector.apply(heldOf(allShards))
    await seconds(shared.clock, 1)
    expect(building.map(({ aborted }) => aborted)).toEqual([false])
    let isLetGo = false
    const applying = projector.apply(heldOf([1, 2, 3])).then(() => {
      isLetGo = true
    })
    await settled()
    expect(building.map(({ aborted }) => aborted)).toEqual([true])
    expect(isLetGo).toBe(false)
    end()
    await applying
    await seconds(shared.clock, 3)
    expect(await liveId(shared.readStore)).toBeUndefined()
    expect(building).toHaveLength(1)
  })
})

test('a skip passes over the event that it names, however often it is asked for, and over no other', async () => {
  const shared = servers()
  const { clock, store } = shared
  await depositInto(store, 'a')
  await built(shared)
  const { projector, status } = await projecting(shared)
  await projector.apply(heldOf(allShards, 2))
  const first = await depositInto(store, 'a', poison)
  const second = await depositInto(store, 'b', poison)
  async function stoppedBy(): Promise<string | undefined> {
    await seconds(clock, 2)
    return status()?.poison?.eventId
  }
  expect(await stoppedBy()).toBe(first)
  projector.skipPoison('balances', second)
  expect(await stoppedBy()).toBe(first)
  for (let times = 0; times < 2; times++) {
    projector.skipPoison('balances', first)
    expect(await stoppedBy()).toBe(second)
  }
  projector.skipPoison('balances', second)
  await depositInto(store, 'a')
  expect(await stoppedBy()).toBeUndefined()
  expect((await (await liveGeneration(shared)).checkpoint())?.position).toBe((await store.head()).position)
  const [a] = await (await liveGeneration(shared)).read([{ collection: balances.name, id: 'a' }])
  expect(a?.body).toMatchObject({ balance: 2 })
})

test.each(['built before', 'built now'])(
  'an event that only a newer version knows is noticed, though it was there before the start: %s',
  async (when) => {
    const shared = servers()
    const { clock, store } = shared
    await depositInto(store, 'a')
    if (when === 'built before') await built(shared)
    const { position: known } = await store.head()
    await store.append('gift-1', -1, [newEvent({ type: 'GiftWrapped', data: { paper: 'red' } })])
    await depositInto(store, 'a')
    const { projector, failures } = await projecting(shared)
    await projector.apply(heldOf(allShards, 2))
    await seconds(clock, 10)
    expect(failures).toContainEqual(expect.any(NewerVersionError))
    if (when === 'built before') expect((await (await liveGeneration(shared)).checkpoint())?.position).toBe(known)
    else expect(await liveId(shared.readStore)).toBeUndefined()
  },
)

test.each(allShards)('a restored log is noticed when only shard %i has seen more than it holds', async (ahead) => {
  const shared = servers()
  const { clock, store, readStore } = shared
  await depositAround(store, 20)
  await built(shared)
  const id = (await liveId(readStore)) ?? ''
  const { position } = await store.head()
  const writing = await readStore.openGeneration(id, specOf(definition), new Map([[ahead, 2]]))
  await depositInto(store, 'a0')
  const { position: taken } = await store.head()
  expect(taken).toBeGreaterThan(position)
  await writing?.write([], { logId: store.logId, position: taken, eventId: v4() })
  const one = await projecting(shared)
  const two = await projecting(shared)
  await one.projector.apply(heldOf([0, 1], 3))
  await two.projector.apply(heldOf([2, 3], 3))
  await seconds(clock, 5)
  expect(await liveId(readStore)).not.toBe(id)
  await depositInto(store, 'a0')
  await seconds(clock, 2)
  const generation = await liveGeneration(shared)
  expect((await generation.checkpoint())?.position).toBe((await store.head()).position)
  expect((await generation.read([{ collection: balances.name, id: 'a0' }]))[0]?.body).toMatchObject({ balance: 3 })
  expect([one.status()?.error, two.status()?.error]).toEqual([undefined, undefined])
})

test('each read of the log is ended, though what was read can not be written', async () => {
  const memory = memoryEventStore()
  const readStore = memoryReadStore()
  let begun = 0
  let open = 0
  const store: EventStore = {
    ...memory,
    soleWriter: false,
    async *readAll(options) {
      begun++
      open++
      try {
        yield* memory.readAll(options)
      } finally {
        open--
      }
    },
  }
  const shared = servers({ store })
  const { clock } = shared
  await depositAround(store, 5)
  await built({ ...shared, readStore })
  await depositAround(store, 5)
  const { projector, status, stop } = await projecting({
    ...shared,
    readStore: {
      ...readStore,
      async openGeneration(...args) {
        const generation = await readStore.openGeneration(...args)
        const write = async () => {
          throw new UnavailableError('mongodb-unavailable', 'No room on the disk')
        }
        return generation && { ...generation, write }
      },
    },
  })
  begun = 0
  await projector.apply(heldOf(allShards, 2))
  await seconds(clock, 30)
  expect(status()?.error).toBe('No room on the disk')
  expect(begun).toBeGreaterThan(2)
  expect(open).toBe(0)
  await stop()
  expect(open).toBe(0)
})
