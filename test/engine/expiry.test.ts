import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { openSqliteReadStore } from '../../src/adapters/sqlite/read-store.ts'
import { build } from '../../src/engine/build.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { advance, followerAt } from '../../src/engine/follower.ts'
import { collection, projection, specOf } from '../../src/engine/projection.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'
import { type Part, shardOf } from '../../src/engine/shards.ts'
import { idOf } from '../../src/engine/streams.ts'
import { newEvents } from '../contract/new-event.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { accountEvents } from './account.ts'

const registry = eventRegistry([accountEvents])

/** Accounts, and when they were emptied; thirty days later they go. */
const accounts = collection(
  'accounts',
  z.object({ endedAt: z.string().nullable() }),
  { byEnd: ['endedAt'] },
  { index: 'byEnd', forMs: 30 * 86_400_000 },
)
const definition = projection({
  name: 'accounts',
  version: 1,
  collections: [accounts],
  from: [accountEvents],
  on: {
    Deposited: ({ stream }) => accounts.change(idOf(stream), () => ({ endedAt: null })),
    Withdrawn: ({ stream, metadata }) =>
      accounts.change(idOf(stream), () => ({ endedAt: new Date(metadata.recordedAt).toISOString() })),
  },
})

/** A log of accounts that were opened and emptied on days of January and February. */
async function sampleLog() {
  const store = memoryEventStore()
  const revisions = new Map<string, number>()
  const append = async (account: string, type: 'Deposited' | 'Withdrawn', recordedAt: string, count = 1) => {
    const revision = revisions.get(account) ?? -1
    const given = { type, data: { amount: 1 }, metadata: { recordedAt } }
    await store.append(`account-${account}`, revision, newEvents(count, given))
    revisions.set(account, revision + count)
  }
  await append('open', 'Deposited', '2026-01-01T00:00:00.000Z')
  await append('reopened', 'Withdrawn', '2026-01-01T00:00:00.000Z')
  for (let number = 0; number < 600; number++) await append(`old-${number}`, 'Withdrawn', '2026-01-01T00:00:00.000Z')
  await append('reopened', 'Deposited', '2026-01-02T00:00:00.000Z')
  await append('late', 'Withdrawn', '2026-01-20T00:00:00.000Z')
  await append('busy', 'Deposited', '2026-02-05T00:00:00.000Z', 1_000)
  return { store, append }
}

async function goOn(generation: Generation, { store }: Awaited<ReturnType<typeof sampleLog>>, part?: Part) {
  const follower = followerAt(generation, (await generation.checkpoint())?.position ?? 0, part)
  for await (const batch of store.readAll({ after: follower.position, batchSize: 500 })) {
    await advance(store.logId, definition, follower, batch.events.map(registry.upcast), batch)
  }
}

async function idsIn(generation: Generation): Promise<readonly string[]> {
  const found = await generation.find({ collection: 'accounts', index: 'byEnd', limit: 1_000 })
  return found.map(({ id }) => id).toSorted()
}

function sqlite(): ReadStore {
  const { path, remove } = temporaryDirectory()
  const readStore = openSqliteReadStore({ directory: path })
  onTestFinished(async () => {
    await readStore.close()
    remove()
  })
  return readStore
}

const left = ['busy', 'late', 'open', 'reopened']

test.each([
  { name: 'memory', open: memoryReadStore },
  { name: 'SQLite', open: sqlite },
])('what ended long ago leaves a read model in $name, and what has not ended stays', async ({ open }) => {
  const log = await sampleLog()
  const readStore = open()
  const generation = await readStore.createGeneration(specOf(definition))
  onTestFinished(generation.close)
  await goOn(generation, log)
  expect(await idsIn(generation)).toEqual(left)
  // What goes on after it has left is there again.
  await log.append('old-1', 'Deposited', '2026-02-06T00:00:00.000Z')
  await goOn(generation, log)
  expect(await idsIn(generation)).toEqual([...left.slice(0, 2), 'old-1', ...left.slice(2)])
})

test('a generation that is built anew has no more', async () => {
  const { store } = await sampleLog()
  const readStore = memoryReadStore()
  const generation = await readStore.createGenerationToFill(specOf(definition))
  const options = { store, readStore, registry, projections: [definition], now: systemClock.now }
  const { signal } = new AbortController()
  await build({ ...options, signal, onBatch: async () => {} }, [
    { projection: 'accounts', generationId: generation.id },
  ])
  expect(await idsIn(generation)).toEqual(left)
  // Nor a tombstone, which nobody would need.
  expect(await generation.read([{ collection: 'accounts', id: 'old-1' }])).toEqual([undefined])
})

test('who writes some of the shards removes nothing of the others', async () => {
  const log = await sampleLog()
  const readStore = memoryReadStore()
  const { id } = await readStore.createGeneration(specOf(definition), 2)
  const ofFirst = (name: string) => shardOf(`accounts/${name}`, 2) === 0
  const generations: Generation[] = []
  for (const shard of [0, 1]) {
    const part = { of: 2, fences: new Map([[shard, 1]]) }
    const generation = await readStore.openGeneration(id, specOf(definition), part.fences)
    if (!generation) throw new Error('The generation is not there')
    generations.push(generation)
    // The first stops before anything has ended long ago.
    if (shard === 1) await goOn(generation, log, part)
    else {
      const follower = followerAt(generation, 0, part)
      for await (const batch of log.store.readAll({ after: 0, batchSize: 600 })) {
        await advance(log.store.logId, definition, follower, batch.events.map(registry.upcast), batch)
        break
      }
    }
  }
  const [generation] = generations
  if (!generation) throw new Error('There is no generation')
  const ids = await idsIn(generation)
  expect(ids.filter((each) => each.startsWith('old-') && !ofFirst(each))).toEqual([])
  expect(ids.filter((each) => each.startsWith('old-') && ofFirst(each)).length).toBeGreaterThan(200)
})
