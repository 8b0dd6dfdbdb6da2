import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { ask } from '../../src/engine/command.ts'
import { deadLetter, deadLetterEvents } from '../../src/engine/dead-letter.ts'
import { buildHere, type Definitions, defaultLimits, startEngine } from '../../src/engine/engine.ts'
import { job } from '../../src/engine/job.ts'
import type { JobQueue } from '../../src/engine/job-queue.ts'
import { idOf } from '../../src/engine/streams.ts'
import { manualClock } from '../manual-clock.ts'
import { account, accountEvents } from './account.ts'
import { command, deposit, handling } from './handling.ts'

/** What becomes of jobs that were set aside, whatever becomes of the queue. */

/** A shop whose one job empties accounts, and fails while it is broken; each start is a process over the same stores. */
function bank(options: { readonly mustBeDone?: true } = {}) {
  const given = handling()
  const clock = manualClock(Date.parse('2026-01-15T09:30:00.000Z'))
  const state = { isBroken: true, tries: 0 }
  const empty = job({
    name: 'empty',
    of: account,
    from: [accountEvents],
    opens: { Deposited: ({ stream, metadata }) => ({ target: idOf(stream), key: '', dueAt: metadata.recordedAt }) },
    settles: { Withdrawn: ({ stream }) => ({ target: idOf(stream), key: '' }) },
    isOpen: ({ balance }) => balance > 0,
    async run({ balance }, { target }) {
      state.tries++
      if (state.isBroken) throw new Error('The outside is down')
      return [ask(account, target, 'Withdraw', { amount: balance })]
    },
    work: { maxAttempts: 1 },
    ...options,
  })
  const definitions: Definitions = { aggregates: [account], projections: [], processes: [], jobs: [empty] }
  const queue = memoryJobQueue({ clock })

  async function open(ofQueue: JobQueue = queue) {
    const ports = { ...given, queue: ofQueue, vault: memoryKeyVault(), clock }
    const failures: unknown[] = []
    const engine = await startEngine(definitions, ports, {
      limits: defaultLimits,
      builder: buildHere(definitions, ports),
      works: true,
      onFailure: (error) => failures.push(error),
    })
    onTestFinished(() => engine.stop())
    return engine
  }
  type Open = Awaited<ReturnType<typeof open>>

  async function letters() {
    const found: string[] = []
    for await (const { events } of given.store.readAll({ after: 0 })) {
      for (const { type, stream } of events) if (type === 'DeadLetterRaised') found.push(idOf(stream))
    }
    return found
  }

  /** An account that could not be emptied. @returns the dead letter's id */
  async function setAside(engine: Open): Promise<string> {
    await engine.handler.handle(deposit(5))
    await expect.poll(async () => (await queue.dead(10)).length).toBe(1)
    return (await letters())[0] ?? ''
  }

  const toLetter = (target: string, type: string, data = {}) => ({
    ...command(type, data),
    decider: deadLetter,
    target,
  })
  const balance = async (engine: Open) => (await engine.handler.fold(account, 'a')).state.balance
  return { ...given, clock, state, queue, open, letters, setAside, toLetter, balance }
}

/** A queue to which one function is lost, as in a crash before it. */
function without(name: 'revive' | 'cancel', queue: JobQueue): JobQueue {
  return { ...queue, [name]: async () => false }
}

describe('a job that was set aside', () => {
  test('is done when it is retried, though the process died before the queue was told', async () => {
    const { open, queue, setAside, toLetter, state, balance, clock } = bank()
    const first = await open(without('revive', queue))
    const letter = await setAside(first)
    state.isBroken = false
    await first.handler.handle(toLetter(letter, 'RetryDeadLetter'))
    await first.stop()
    expect(await queue.dead(10)).toHaveLength(1)
    const second = await open()
    await expect
      .poll(async () => {
        await clock.advance(60_000)
        return await balance(second)
      })
      .toBe(0)
  })

  test('is not tried again by itself, though the queue has lost it', async () => {
    const { open, setAside, state, clock, store } = bank()
    const first = await open()
    await setAside(first)
    await first.projections.waitFor('open-work', (await store.head()).position, 2_000)
    await first.stop()
    state.tries = 0
    const second = await open(memoryJobQueue({ clock }))
    await second.projections.waitFor('open-work', (await store.head()).position, 2_000)
    for (let minutes = 0; minutes < 5; minutes++) await clock.advance(60_000)
    expect(state.tries).toBe(0)
  })

  test('is tried no more once it is discarded, in no queue, and who and why is kept', async () => {
    const { open, queue, setAside, toLetter, state, clock, store, letters } = bank()
    const first = await open(without('cancel', queue))
    const letter = await setAside(first)
    const actor = { kind: 'staff', id: 'ada' } as const
    await first.handler.handle({ ...toLetter(letter, 'DiscardDeadLetter', { reason: 'Paid by hand' }), actor })
    await first.stop()
    state.isBroken = false
    state.tries = 0
    const second = await open(memoryJobQueue({ clock }))
    await second.projections.waitFor('open-work', (await store.head()).position, 2_000)
    for (let minutes = 0; minutes < 5; minutes++) await clock.advance(60_000)
    expect(state.tries).toBe(0)
    expect(await letters()).toHaveLength(1)
    const discarded = []
    for await (const events of store.readStream(`deadLetter-${letter}`)) discarded.push(...events)
    expect(discarded.at(-1)).toMatchObject({
      type: 'DeadLetterDiscarded',
      data: {
        work: { source: 'job', name: 'empty', subject: 'empty:a', dueAt: expect.any(String) },
        reason: 'Paid by hand',
      },
      metadata: { actor },
    })
  })

  test('leaves the queue when it is discarded', async () => {
    const { open, queue, setAside, toLetter } = bank()
    const engine = await open()
    const letter = await setAside(engine)
    await engine.handler.handle(toLetter(letter, 'DiscardDeadLetter', { reason: 'Paid by hand' }))
    await expect.poll(() => queue.dead(10)).toEqual([])
  })

  test('is discarded once, not while it is tried again, and not tried again afterwards', async () => {
    const { open, setAside, toLetter, clock } = bank()
    const engine = await open()
    const letter = await setAside(engine)
    await clock.advance(1_000)
    const discard = () => engine.handler.handle(toLetter(letter, 'DiscardDeadLetter', { reason: 'Paid by hand' }))
    await engine.handler.handle(toLetter(letter, 'RetryDeadLetter'))
    await expect.poll(async () => (await engine.handler.fold(deadLetter, letter)).state.status).toBe('open')
    const first = await discard()
    expect(await discard()).toEqual(first)
    await expect(engine.handler.handle(toLetter(letter, 'RetryDeadLetter'))).rejects.toThrow('was discarded')
  })
})

test('A letter that is retried can’t be discarded before it is set aside again', () => {
  const decide = (type: string) => deadLetter.decisions.get(type)
  const data = { source: 'job', name: 'empty', subject: 'empty:a', position: 0, reason: 'Down' } as const
  const raised = deadLetter.evolve(deadLetter.initial, { type: 'DeadLetterRaised', data })
  const retried = deadLetter.evolve(raised, { type: 'DeadLetterRetried', data })
  const context = { id: 'letter', at: '', actor: { kind: 'staff', id: 'ada' }, imported: false, facts: {} } as const
  expect(() => decide('DiscardDeadLetter')?.decide({ reason: 'Why not' }, retried, context)).toThrow('tried again')
})

test('A letter of what has to be done can be retried, and is not discarded', async () => {
  const { open, setAside, toLetter, state, balance } = bank({ mustBeDone: true })
  const engine = await open()
  const letter = await setAside(engine)
  const discard = engine.handler.handle(toLetter(letter, 'DiscardDeadLetter', { reason: 'Why not' }))
  await expect(discard).rejects.toMatchObject({ code: 'dead-letter-must-be-done' })
  state.isBroken = false
  await engine.handler.handle(toLetter(letter, 'RetryDeadLetter'))
  await expect.poll(() => balance(engine)).toBe(0)
})

test('What was discarded before reasons were kept can still be read', () => {
  expect(deadLetterEvents.schemas.DeadLetterDiscarded.parse({})).toEqual({})
})
