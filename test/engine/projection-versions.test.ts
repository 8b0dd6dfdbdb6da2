import { describe, expect, test } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { collection, type Projection } from '../../src/engine/projection.ts'
import type { Projections } from '../../src/engine/projections.ts'
import type { Builder } from '../../src/engine/rebuilds.ts'
import { balances, balancesProjection } from './balances.ts'
import { following } from './following.ts'
import { deposit, handling } from './handling.ts'

/** A builder that waits until it may go on, and can be told to fail. */
function gated() {
  let open: (error?: Error) => void = () => {}
  const opened = new Promise<Error | undefined>((resolve) => {
    open = resolve
  })
  return {
    open: (error?: Error) => open(error),
    builder:
      (usual: Builder): Builder =>
      async (targets, onProgress, signal) => {
        onProgress({ position: 1, head: 4, events: 1, elapsedMs: 1_000 })
        signal.addEventListener('abort', () => open())
        const error = await opened
        if (error) throw error
        return await usual(targets, onProgress, signal)
      },
  }
}

function version(number: number, goesOnFrom?: number): Projection {
  return { ...balancesProjection(undefined, number), ...(goesOnFrom !== undefined && { goesOnFrom }) }
}

async function scene() {
  const readStore = memoryReadStore()
  const { handler, store } = handling()
  const start = (definition: Projection, builder?: (usual: Builder) => Builder) =>
    following({ store, readStore, projections: [definition], clock: systemClock, ...(builder && { builder }) })
  const put = async (readModels: Projections, amount: number) => {
    const { position } = await handler.handle(deposit(amount))
    await readModels.waitFor('balances', position, 2_000)
  }
  const old = await start(version(1))
  await put(old.readModels, 5)
  await old.readModels.stop()
  const balanceOf = async (readModels: Projections) =>
    (await readModels.reader('balances').get(balances, ['a']))[0]?.balance
  const live = async () => (await readStore.generations()).filter(({ state }) => state === 'live')
  return { readStore, start, put, balanceOf, live, handler }
}

describe('a new version of a read model', () => {
  test('is built while it says how far it is, and everything else goes on', async () => {
    const { start, balanceOf, live } = await scene()
    const gate = gated()
    const { readModels } = await start(version(2), gate.builder)
    await expect.poll(() => readModels.status()).toMatchObject([{ status: 'building', rebuild: { position: 1 } }])
    expect(() => readModels.reader('balances')).toThrow(
      expect.objectContaining({
        code: 'projection-building',
        message: expect.stringContaining('25 %'),
        retryAfterSeconds: 3,
      }),
    )
    expect(await live(), 'the old one stays until then').toMatchObject([{ version: 1 }])
    gate.open()
    await expect.poll(() => readModels.status()).toMatchObject([{ status: 'live', version: 2 }])
    expect(await balanceOf(readModels)).toBe(5)
    expect(await live()).toMatchObject([{ version: 2 }])
  })

  test('answers with the documents of one that it goes on from, and reads what is written, until its own are built', async () => {
    const { start, put, balanceOf, live } = await scene()
    const gate = gated()
    const { readModels } = await start(version(3, 1), gate.builder)
    expect(await balanceOf(readModels)).toBe(5)
    await put(readModels, 2)
    expect(await balanceOf(readModels)).toBe(7)
    await expect
      .poll(() => readModels.status())
      .toMatchObject([{ status: 'live', version: 3, rebuild: { position: 1 } }])
    expect(await live()).toMatchObject([{ version: 1 }])
    gate.open()
    await expect.poll(live).toMatchObject([{ version: 3 }])
    await put(readModels, 1)
    expect(await balanceOf(readModels)).toBe(8)
  })

  test('goes on from none that is older than it says, or has other indexes', async () => {
    for (const definition of [
      version(3, 2),
      { ...version(2, 1), collections: [collection('balances', balances.schema, { byMovements: ['movements'] })] },
    ]) {
      const { start } = await scene()
      const { readModels } = await start(definition, gated().builder)
      expect(() => readModels.reader('balances')).toThrow(expect.objectContaining({ code: 'projection-building' }))
    }
  })

  test('goes on with the documents of the one before when its own could not be built, and says why', async () => {
    const { start, put, balanceOf } = await scene()
    const gate = gated()
    const { readModels } = await start(version(2, 1), gate.builder)
    gate.open(new Error('no room'))
    await expect.poll(() => readModels.status()).toMatchObject([{ status: 'live', rebuildFailure: 'no room' }])
    await put(readModels, 2)
    expect(await balanceOf(readModels)).toBe(7)
  })

  test('that went away before its own were built leaves none of its writing to the one before', async () => {
    const { start, put, balanceOf, live } = await scene()
    const newer = await start(version(2, 1), gated().builder)
    await put(newer.readModels, 2)
    const [before] = await live()
    await newer.readModels.stop()
    const older = await start(version(1))
    expect(await balanceOf(older.readModels)).toBe(7)
    await expect.poll(async () => (await live())[0]?.id).not.toBe(before?.id)
    expect(await live()).toMatchObject([{ version: 1 }])
    expect(await balanceOf(older.readModels)).toBe(7)
  })
})
