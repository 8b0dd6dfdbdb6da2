import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { build } from '../../src/engine/build.ts'
import { systemClock } from '../../src/engine/clock.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { advance, followerAt } from '../../src/engine/follower.ts'
import { collection, projection, specOf } from '../../src/engine/projection.ts'
import type { Generation } from '../../src/engine/read-store.ts'
import { type Part, shardOf } from '../../src/engine/shards.ts'
import { idOf } from '../../src/engine/streams.ts'
import { accountEvents } from '../engine/account.ts'
import { newEvents } from './new-event.ts'
import type { ReadStoreHarness } from './read-store-harness.ts'

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

/** @param to stops there, or a little later */
async function goOn(generation: Generation, { store }: { readonly store: EventStore }, part?: Part, to = Infinity) {
  const follower = followerAt(generation, (await generation.checkpoint())?.position ?? 0, part)
  for await (const batch of store.readAll({ after: follower.position, batchSize: 300 })) {
    if (follower.position >= to) return
    await advance(store.logId, definition, follower, batch.events.map(registry.upcast), batch)
  }
}

async function idsIn(generation: Generation): Promise<readonly string[]> {
  const found = await generation.find({ collection: 'accounts', index: 'byEnd', limit: 1_000 })
  return found.map(({ id }) => id).toSorted()
}

const left = ['busy', 'late', 'open', 'reopened']

/**
 * Defines the tests of what leaves a read model long after it has ended.
 * @param harness makes an empty store
 * @param isShared whether several processes can write the shards of one generation
 */
export function expiryContract(harness: () => Promise<ReadStoreHarness>, isShared: boolean): void {
  async function emptyStore() {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made.store
  }

  describe('what has ended', () => {
    test('leaves long after, and what has not ended stays', async () => {
      const log = await sampleLog()
      const generation = await (await emptyStore()).createGeneration(specOf(definition))
      await goOn(generation, log)
      expect(await idsIn(generation)).toEqual(left)
      // What goes on after it has left is there again.
      await log.append('old-1', 'Deposited', '2026-02-06T00:00:00.000Z')
      await goOn(generation, log)
      expect(await idsIn(generation)).toEqual([...left.slice(0, 2), 'old-1', ...left.slice(2)])
    })

    test('is not in a generation that is built anew, nor a tombstone of it, which nobody would need', async () => {
      const { store } = await sampleLog()
      const readStore = await emptyStore()
      const { id } = await readStore.createGenerationToFill(specOf(definition))
      const options = { store, readStore, registry, projections: [definition], now: systemClock.now }
      const { signal } = new AbortController()
      await build({ ...options, signal, onBatch: async () => {} }, [{ projection: 'accounts', generationId: id }])
      const generation = await readStore.openGeneration(id, specOf(definition))
      if (!generation) throw new Error('The generation is not there')
      expect(await idsIn(generation)).toEqual(left)
      expect(await generation.read([{ collection: 'accounts', id: 'old-1' }])).toEqual([undefined])
    })

    test.runIf(isShared)('stays in the shards of others', async () => {
      const { store } = await sampleLog()
      const readStore = await emptyStore()
      const { id } = await readStore.createGeneration(specOf(definition), 2)
      const [first, second] = await Promise.all(
        [0, 1].map(async (shard) => {
          const part = { of: 2, fences: new Map([[shard, 1]]) }
          const generation = await readStore.openGeneration(id, specOf(definition), part.fences)
          if (!generation) throw new Error('The generation is not there')
          return { generation, part }
        }),
      )
      if (!first || !second) throw new Error('There are two shards')
      // The first stops before anything has ended long ago.
      await goOn(first.generation, { store }, first.part, 600)
      await goOn(second.generation, { store }, second.part)
      const old = (await idsIn(first.generation)).filter((each) => each.startsWith('old-'))
      expect(old.filter((each) => shardOf(`accounts/${each}`, 2) === 1)).toEqual([])
      expect(old.length).toBeGreaterThan(100)
    })
  })
}
