import { describe, expect, test } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import type { Projection } from '../../src/engine/projection.ts'
import type { Projections } from '../../src/engine/projections.ts'
import type { Generation, ProjectionSpec, ReadStore } from '../../src/engine/read-store.ts'
import type { Builder } from '../../src/engine/rebuilds.ts'
import { type ManualClock, manualClock } from '../manual-clock.ts'
import { balances, balancesProjection } from './balances.ts'
import { following } from './following.ts'
import { deposit, handling } from './handling.ts'

interface Running {
  readonly readModels: Projections
  readonly clock: ManualClock
  readonly failures: unknown[]
  balance(): Promise<unknown>
}

interface Given {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly definitions?: readonly Projection[]
  /** Builds in place of the usual builder, which it is given. */
  readonly builder?: (usual: Builder) => Builder
}

async function start({ store, readStore, definitions = [balancesProjection()], builder = (usual) => usual }: Given) {
  const clock = manualClock()
  const { readModels, failures } = await following({ store, readStore, projections: definitions, clock, builder })
  const balance = async () => (await readModels.reader('balances').get(balances, ['a']))[0]
  return { readModels, clock, failures, balance } satisfies Running
}

/** A read store in memory whose generations are wrapped, however they are come by. */
function withGenerations(wrap: (generation: Generation) => Generation): ReadStore {
  const memory = memoryReadStore()
  return {
    ...memory,
    createGeneration: async (spec) => wrap(await memory.createGeneration(spec)),
    createGenerationToFill: async (spec) => wrap(await memory.createGenerationToFill(spec)),
    openGeneration: async (id, spec) => {
      const generation = await memory.openGeneration(id, spec)
      return generation && wrap(generation)
    },
  }
}

/** What fails takes back all that was written since the last flush, as the port allows. */
function takingBack(first: Generation, fails: (what: 'write' | 'flush') => boolean): Generation {
  type Write = Parameters<Generation['write']>
  let generation = first
  const flushed: Write[] = []
  let unflushed: Write[] = []

  async function failIf(what: 'write' | 'flush'): Promise<void> {
    if (!fails(what)) return
    unflushed = []
    generation = await memoryReadStore().createGeneration(first.spec)
    for (const write of flushed) await generation.write(...write)
    throw new Error(`The disk is full: ${what}`)
  }

  return {
    ...first,
    read: (keys) => generation.read(keys),
    find: (find) => generation.find(find),
    keys: (find) => generation.keys(find),
    checkpoint: () => generation.checkpoint(),
    async write(...write) {
      await failIf('write')
      unflushed.push(write)
      return await generation.write(...write)
    },
    async flush() {
      await failIf('flush')
      flushed.push(...unflushed)
      unflushed = []
    },
  }
}

test('a flush that fails while a read model catches up, and takes back what it had, loses no event', async () => {
  let failing: 'write' | 'flush' | undefined
  const memory = memoryReadStore()
  const readStore: ReadStore = {
    ...memory,
    async createGeneration(spec: ProjectionSpec) {
      const generation = await memory.createGeneration(spec)
      return spec.name === 'balances' ? takingBack(generation, (what) => what === failing) : generation
    },
  }
  const { handler, store } = handling()
  let isHeld = false
  const goOn = Promise.withResolvers<void>()
  const held: EventStore = {
    ...store,
    async *readAll(options) {
      for await (const batch of store.readAll({ ...options, batchSize: 1 })) {
        yield batch
        isHeld = true // behind the first event that is caught up with
        await goOn.promise
      }
    },
  }
  const definitions = [balancesProjection(), { ...balancesProjection(), name: 'others' }]
  const { readModels, clock, failures, balance } = await start({ store: held, readStore, definitions })

  failing = 'write'
  await handler.handle(deposit(1))
  await expect.poll(() => clock.advance(10).then(() => failures)).toHaveLength(1)
  failing = undefined
  for (let n = 0; n < 3; n++) await handler.handle(deposit(1))
  await expect.poll(() => clock.advance(10).then(() => isHeld), { interval: 1 }).toBe(true)

  failing = 'flush'
  // That the others go on has everything flushed.
  const { position } = await handler.handle(deposit(1))
  await expect.poll(() => clock.advance(10).then(() => failures), { interval: 1 }).toHaveLength(2)
  failing = undefined
  goOn.resolve()

  await expect.poll(() => readModels.position('balances')).toBe(position)
  expect(await balance()).toEqual({ balance: 5, movements: 5 })
  expect(failures).toEqual([new Error('The disk is full: write'), new Error('The disk is full: flush')])
  await expect.poll(() => readModels.status()).toMatchObject([{ status: 'live' }, { status: 'live' }])
})

describe('damage', () => {
  const damage = new UnavailableError('generation-corrupt', 'The file is damaged.', 1)

  test.each(['write', 'flush'] as const)(
    'of the retired generation, found by a %s, drops that one alone and the live one goes on',
    async (what) => {
      let damaged = ''
      const readStore = withGenerations((generation) => ({
        ...generation,
        [what]: (...args: Parameters<Generation['write']>) =>
          generation.id === damaged ? Promise.reject(damage) : generation[what](...args),
      }))
      const { handler, store } = handling()
      const { readModels, clock, failures, balance } = await start({ store, readStore })
      await readModels.waitFor('balances', (await handler.handle(deposit(1))).position, 2_000)
      const retired = readModels.reader('balances').generationId
      await readModels.rebuild('balances')
      const live = readModels.reader('balances').generationId

      damaged = retired
      await readModels.waitFor('balances', (await handler.handle(deposit(1))).position, 2_000)
      await expect.poll(() => clock.advance(50).then(() => failures)).toEqual([damage])
      expect(readModels.reader('balances').generationId).toBe(live)
      expect(await balance()).toEqual({ balance: 2, movements: 2 })
      expect(() => readModels.reader('balances', retired)).toThrow(expect.objectContaining({ code: 'cursor-expired' }))
      await readModels.waitFor('balances', (await handler.handle(deposit(1))).position, 2_000)
      expect(await balance()).toEqual({ balance: 3, movements: 3 })
    },
  )

  test('found while a rebuild runs that then fails has the read model built anew', async () => {
    let damaged = ''
    const readStore = withGenerations((generation) => ({
      ...generation,
      read: (keys) => (generation.id === damaged ? Promise.reject(damage) : generation.read(keys)),
    }))
    const { handler, store } = handling()
    const thread = Promise.withResolvers<never>()
    let builds = 0
    const builder = (usual: Builder): Builder => {
      return (...args) => (builds++ === 0 ? thread.promise : usual(...args))
    }
    const { readModels, balance } = await start({ store, readStore, builder })
    await readModels.waitFor('balances', (await handler.handle(deposit(1))).position, 2_000)

    const rebuilt = readModels.rebuild('balances')
    await expect.poll(() => builds).toBe(1)
    damaged = readModels.reader('balances').generationId
    await expect(balance()).rejects.toBe(damage)
    expect(() => readModels.reader('balances')).toThrow(expect.objectContaining({ code: 'projection-building' }))
    thread.reject(new Error('The thread died'))
    await expect(rebuilt).rejects.toThrow('The thread died')

    await expect.poll(() => readModels.status()).toMatchObject([{ status: 'live' }])
    expect(await balance()).toEqual({ balance: 1, movements: 1 })
    expect(builds).toBe(2)
  })
})
