import { v4 } from 'uuid'
import { expect, onTestFinished, test } from 'vitest'
import { memoryCoordination } from '../../src/adapters/memory/coordination.ts'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { PreconditionError } from '../../src/engine/errors.ts'
import { specOf } from '../../src/engine/projection.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'
import { type ShardReaders, shardReaders } from '../../src/engine/shard-readers.ts'
import { manualClock } from '../manual-clock.ts'
import { balances, balancesProjection } from './balances.ts'

const definition = balancesProjection()
const store = memoryEventStore()
const lookMs = 1_000

/** A process that reads what others write into a read store, and has been told of two generations: the live one, and the one before it. */
async function reading(
  over: (readStore: ReadStore) => ReadStore = (readStore) => readStore,
  onMade: (readers: ShardReaders) => void = () => {},
) {
  const clock = manualClock()
  const readStore = memoryReadStore()
  const readers = shardReaders({
    store,
    readStore: over(readStore),
    coordination: memoryCoordination(),
    signal: memorySignal(),
    clock,
    projections: [definition],
    members: () => [],
    newId: v4,
    retirementMs: 60_000,
    onFailure: () => {},
  })
  onTestFinished(() => readers.stop())
  onMade(readers)
  const old = await liveAt(readStore, 3)
  await readers.start()
  await moveTo(old, 6)
  const young = await liveAt(readStore, 6)
  await clock.advance(lookMs)
  return { readers, old, young, clock }
}

/** Makes a generation that has come so far, and is live. */
async function liveAt(readStore: ReadStore, position: number): Promise<Generation> {
  const generation = await readStore.createGeneration(specOf(definition))
  await moveTo(generation, position)
  await readStore.makeLive(generation.id)
  return generation
}

/** Writes as many movements as the position is. */
async function moveTo(generation: Generation, position: number): Promise<void> {
  const body = { balance: position, movements: position }
  const [before] = await generation.read([{ collection: balances.name, id: 'a' }])
  const write = { collection: balances.name, id: 'a', position, body, expectedPosition: before?.position }
  await generation.write([write], { logId: store.logId, position, eventId: v4() })
}

async function balanceIn(readers: ShardReaders, generationId?: string): Promise<number | undefined> {
  const [found] = await readers.reader('balances', generationId).get(balances, ['a'])
  return found?.balance
}

test('a cursor goes on with the generation that was replaced, as long as that is not behind the live one', async () => {
  const { readers, old, young, clock } = await reading()
  expect([await balanceIn(readers), await balanceIn(readers, old.id)]).toEqual([6, 6])
  await moveTo(young, 9)
  await clock.advance(lookMs)
  expect(await balanceIn(readers)).toBe(9)
  const expired = expect.objectContaining({ name: 'PreconditionError', code: 'cursor-expired' })
  await expect(balanceIn(readers, old.id)).rejects.toThrow(PreconditionError)
  await expect(balanceIn(readers, old.id)).rejects.toEqual(expired)
  expect(await balanceIn(readers, young.id)).toBe(9)
  await moveTo(old, 9)
  await clock.advance(lookMs)
  expect(await balanceIn(readers, old.id)).toBe(9)
})

test('a cursor goes on with the generation that was replaced while both move on between any two looks at them', async () => {
  const generations: Generation[] = []
  let position = 6
  let moves = false
  const { readers, old, young, clock } = await reading((readStore) => ({
    ...readStore,
    async openGeneration(...args) {
      const opened = await readStore.openGeneration(...args)
      async function checkpoint() {
        if (moves) {
          position += 3
          for (const generation of generations) await moveTo(generation, position)
        }
        return await opened?.checkpoint()
      }
      return opened && { ...opened, checkpoint }
    },
  }))
  generations.push(old, young)
  moves = true
  await clock.advance(lookMs)
  moves = false
  expect(position).toBeGreaterThan(6)
  expect([await balanceIn(readers), await balanceIn(readers, old.id)]).toEqual([position, position])
})

test('a generation is not taken that is behind what was shown while it was opened', async () => {
  let waitFor: ShardReaders['waitFor'] | undefined
  const opened: Generation[] = []
  let isYoungSeen = false
  const { readers, young, clock } = await reading(
    (readStore) => ({
      ...readStore,
      async openGeneration(...args) {
        const generation = await readStore.openGeneration(...args)
        if (generation === undefined) return undefined
        const isOld = opened.push(generation) === 1
        async function checkpoint() {
          const [old] = opened
          if (isOld && isYoungSeen && old && waitFor) {
            const show = waitFor
            waitFor = undefined
            await moveTo(old, 9)
            await show('balances', 9, lookMs)
          }
          isYoungSeen ||= !isOld
          return await generation?.checkpoint()
        }
        return { ...generation, checkpoint }
      },
    }),
    (made) => {
      waitFor = made.waitFor
    },
  )
  expect(waitFor).toBeUndefined()
  expect(await balanceIn(readers)).toBe(9)
  await moveTo(young, 9)
  await clock.advance(lookMs)
  expect([readers.reader('balances').generationId, await balanceIn(readers)]).toEqual([young.id, 9])
})
