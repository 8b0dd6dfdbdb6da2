import { expect, test } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { eventRegistry, type Recorded } from '../../src/engine/events.ts'
import { specOf } from '../../src/engine/projection.ts'
import { project } from '../../src/engine/projector.ts'
import type { Generation } from '../../src/engine/read-store.ts'
import { accountEvents } from './account.ts'
import { balancesProjection } from './balances.ts'
import { deposit, handling, withdraw } from './handling.ts'

const { upcast } = eventRegistry([accountEvents])
const definition = balancesProjection()
const accounts = ['a', 'b', 'c']
const batchSize = 2

/** Folds what is behind a generation's checkpoint, in small batches. */
async function goOn(store: EventStore, generation: Generation): Promise<void> {
  const after = (await generation.checkpoint())?.position ?? 0
  for await (const { events, position, eventId } of store.readAll({ after, batchSize })) {
    const upcasted: readonly Recorded[] = events.map(upcast)
    await project(definition, generation, upcasted, { logId: store.logId, position, eventId })
  }
}

/** @param writes after so many nothing is written any more, as when a process dies */
function dying(generation: Generation, writes: number): Generation {
  let left = writes
  return {
    ...generation,
    async write(...asked) {
      if (left-- <= 0) throw new UnavailableError('dead', 'The process has died')
      return await generation.write(...asked)
    },
  }
}

/** All balances, and the documents that are computed from them. */
async function documentsOf(generation: Generation) {
  return await generation.read([
    ...accounts.map((id) => ({ collection: 'balances', id })),
    ...accounts.map((id) => ({ collection: 'rich', id: `rich-${id}` })),
  ])
}

test('whatever write a projector dies at, the next one folds each event once and misses none', async () => {
  const { store, handler } = handling()
  for (const target of [...accounts, ...accounts]) await handler.handle(deposit(7, { target }))
  await handler.handle(withdraw(9, { target: 'b' }))
  const readStore = memoryReadStore()
  const whole = await readStore.createGeneration(specOf(definition))
  await goOn(store, whole)

  let deaths = 0
  for (let survived = false; !survived; ) {
    const generation = await readStore.createGeneration(specOf(definition))
    survived = await goOn(store, dying(generation, deaths)).then(
      () => true,
      () => false,
    )
    await goOn(store, generation)
    expect(await documentsOf(generation), `died at write ${deaths}`).toEqual(await documentsOf(whole))
    if (!survived) deaths++
  }
  expect(deaths).toBeGreaterThan(2)
})

test('a computed document whose source was never written is brought in line with it', async () => {
  const { store, handler } = handling()
  for (const amount of [12, 30]) await handler.handle(deposit(amount))
  const generation = await memoryReadStore().createGeneration(specOf(definition))
  // A store without transactions has kept what a dead projector made of the first event, and nothing else.
  const entry = { collection: 'rich', id: 'rich-a', expectedPosition: undefined, position: 1 }
  const nothingYet = { logId: store.logId, position: 0, eventId: '' }
  await generation.write([{ ...entry, body: { account: 'a', balance: 12 } }], nothingYet)
  await goOn(store, generation)
  expect(await documentsOf(generation)).toMatchObject([
    { id: 'a', body: { balance: 42 } },
    undefined,
    undefined,
    { id: 'rich-a', body: { balance: 42 } },
    undefined,
    undefined,
  ])
})
