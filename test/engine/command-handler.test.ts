import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { pause } from '../../src/engine/clock.ts'
import { newEvents } from '../../src/engine/command.ts'
import { InDoubtError, UnavailableError } from '../../src/engine/errors.ts'
import { maxAppendBytes } from '../../src/engine/event-store.ts'
import { manualClock } from '../manual-clock.ts'
import { account } from './account.ts'
import { command, deposit, eventsOf, handling, withAppend, withdraw } from './handling.ts'

describe('a command', () => {
  test('is answered with the place of its last event', async () => {
    const { handler, store } = handling()
    const answers = [await handler.handle(deposit(5)), await handler.handle(deposit(5))]
    const events = await eventsOf(store)
    expect(events).toHaveLength(2)
    expect(answers).toEqual(events.map(({ revision, position }) => ({ id: 'a', revision, position })))
  })

  test('that breaks a rule is refused, and nothing is appended', async () => {
    const { handler, store } = handling()
    await handler.handle(deposit(5))
    await expect(handler.handle(withdraw(6))).rejects.toMatchObject({ code: 'overdrawn', details: { balance: 5 } })
    expect(await eventsOf(store)).toHaveLength(1)
  })

  test('that has nothing to do is answered with the stream as it stands', async () => {
    const { handler } = handling()
    const last = await handler.handle(deposit(5))
    expect(await handler.handle(command('Touch', {}))).toEqual(last)
  })

  test('gets the facts of other streams', async () => {
    const { handler } = handling()
    await handler.handle(deposit(7, { target: 'b' }))
    await handler.handle(command('Mirror', { other: 'b' }))
    expect((await handler.fold(account, 'a')).state).toEqual({ balance: 7 })
  })

  test('at another revision than it expects is refused', async () => {
    const { handler } = handling()
    await handler.handle(deposit(5))
    await expect(handler.handle(deposit(5, { expectedRevision: 3 }))).rejects.toMatchObject({
      code: 'revision-mismatch',
    })
    await handler.handle(deposit(5, { expectedRevision: 0 }))
  })

  test('that is too large is refused', async () => {
    const { handler } = handling()
    const large = deposit(5, { correlationId: 'x'.repeat(maxAppendBytes) })
    await expect(handler.handle(large)).rejects.toMatchObject({ code: 'command-too-large' })
  })
})

describe('a command that is sent again', () => {
  test('gets its first answer and takes effect once', async () => {
    const { handler, store } = handling()
    const first = deposit(5)
    const answer = await handler.handle(first)
    await handler.handle(deposit(1))
    expect(await handler.handle(first)).toEqual(answer)
    expect(await eventsOf(store)).toHaveLength(2)
  })

  test('gets its first answer from another process, also where several were appended together', async () => {
    const { handler, store } = handling()
    const commands = [deposit(1), deposit(2), deposit(3)]
    const answers = await Promise.all(commands.map((each) => handler.handle(each)))
    const other = handling({ store })
    expect(await Promise.all(commands.map((each) => other.handler.handle(each)))).toEqual(answers)
  })

  test('at the same time is the same command', async () => {
    const { handler, store } = handling()
    const twice = deposit(5)
    const [one, two] = await Promise.all([handler.handle(twice), handler.handle(twice)])
    expect(one).toEqual(two)
    expect(await eventsOf(store)).toHaveLength(1)
  })

  test('with other content is refused, be it later or at the same time', async () => {
    const { handler } = handling()
    const first = deposit(5)
    const other = deposit(6, { id: first.id })
    const both = await Promise.allSettled([handler.handle(first), handler.handle(other)])
    expect(both).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'idempotency-key-reused' } }])
    await expect(handler.handle(other)).rejects.toMatchObject({ code: 'idempotency-key-reused' })
  })

  test('after a rejection is decided anew', async () => {
    const { handler } = handling()
    const early = withdraw(5)
    await expect(handler.handle(early)).rejects.toMatchObject({ code: 'overdrawn' })
    await handler.handle(deposit(5))
    expect(await handler.handle(early)).toMatchObject({ revision: 1 })
  })

  test('is known from a snapshot', async () => {
    const { handler, store, readStore } = handling()
    const first = deposit(1)
    const answer = await handler.handle(first)
    for (let n = 0; n < 30; n++) await handler.handle(deposit(1))
    expect(await readStore.loadSnapshot('account-a')).toMatchObject({ logId: store.logId, stateVersion: 1 })
    const other = handling({ store, readStore })
    expect(await other.handler.handle(first)).toEqual(answer)
    expect((await other.handler.fold(account, 'a')).state).toEqual({ balance: 31 })
  })
})

test('a snapshot that fails is tried again only after as many events as usual', async () => {
  const tried: number[] = []
  const readStore = {
    ...memoryReadStore(),
    async saveSnapshot({ revision }: { revision: number }) {
      tried.push(revision)
      throw new Error('the disk is full')
    },
  }
  const { handler } = handling({ readStore })
  for (let n = 0; n < 35; n++) await handler.handle(deposit(1))
  expect(tried).toEqual([9, 19, 29])
})

test('a snapshot of what a restored log does not hold is not believed', async () => {
  const today = handling()
  for (let n = 0; n < 30; n++) await today.handler.handle(deposit(1))
  const restored = handling({ store: { ...memoryEventStore(), logId: today.store.logId }, readStore: today.readStore })
  await restored.handler.handle(deposit(5))
  expect((await restored.handler.fold(account, 'a')).state).toEqual({ balance: 5 })
  const longer = handling({ store: { ...memoryEventStore(), logId: today.store.logId } })
  for (let n = 0; n < 40; n++) await longer.handler.handle(deposit(2))
  const again = handling({ store: longer.store, readStore: today.readStore })
  expect((await again.handler.fold(account, 'a')).state).toEqual({ balance: 80 })
})

describe('the mailbox', () => {
  test('appends what arrives during an append in one append', async () => {
    const sizes: number[] = []
    const store = withAppend(memoryEventStore(), (append, stream, revision, events) => {
      sizes.push(events.length)
      return append(stream, revision, events)
    })
    const { handler } = handling({ store })
    await Promise.all(Array.from({ length: 100 }, () => handler.handle(deposit(1))))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100)
    expect(sizes.length).toBeLessThanOrEqual(3)
  })

  test('answers nobody before the append has resolved, not even with a rejection', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = withAppend(memoryEventStore(), async (append, ...args) => {
      await held
      return await append(...args)
    })
    const { handler } = handling({ store })
    const settled: string[] = []
    const note = (name: string) => () => void settled.push(name)
    const answers = [
      handler.handle(deposit(5)).then(note('deposit')),
      handler.handle(withdraw(9)).catch(note('rejection')),
      handler.handle(command('Touch', {})).then(note('touch')),
    ]
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toEqual([])
    release()
    await Promise.all(answers)
    expect(new Set(settled)).toEqual(new Set(['deposit', 'rejection', 'touch']))
  })

  test('fails the rejected with the append that their decision rested on', async () => {
    const store = withAppend(memoryEventStore(), () =>
      Promise.reject(new UnavailableError('log-unavailable', 'Disk full')),
    )
    const { handler } = handling({ store })
    const answers = await Promise.allSettled([handler.handle(deposit(5)), handler.handle(withdraw(9))])
    expect(answers).toMatchObject([{ reason: { code: 'log-unavailable' } }, { reason: { code: 'log-unavailable' } }])
  })

  test('repeats an append in doubt unchanged, and takes effect once', async () => {
    const seen: string[][] = []
    const store = withAppend(memoryEventStore(), async (append, stream, revision, events) => {
      seen.push(events.map(({ id }) => id))
      const result = await append(stream, revision, events)
      if (seen.length === 1) throw new InDoubtError('The answer was lost')
      return result
    })
    const { handler } = handling({ store })
    await handler.handle(deposit(5))
    expect(seen).toHaveLength(2)
    expect(seen[0]).toEqual(seen[1])
    expect(await eventsOf(store)).toHaveLength(1)
  })

  test('does not take a refused repetition for the outcome of an append in doubt', async () => {
    let tries = 0
    const store = withAppend(memoryEventStore(), async (append, stream, revision, events) => {
      tries++
      if (tries === 2) throw new UnavailableError('log-busy', 'Too many appends wait')
      const result = await append(stream, revision, events)
      if (tries === 1) throw new InDoubtError('The answer was lost')
      return result
    })
    const { handler } = handling({ store })
    const first = handler.handle(deposit(5))
    await expect.poll(() => tries).toBeGreaterThan(0)
    await expect(handler.handle(withdraw(5))).resolves.toMatchObject({ revision: 1 })
    await expect(first).resolves.toMatchObject({ revision: 0 })
    expect(await eventsOf(store)).toHaveLength(2)
  })

  test('decides again after a conflict with another process', async () => {
    const store = { ...memoryEventStore(), soleWriter: false }
    const one = handling({ store })
    const two = handling({ store })
    await one.handler.handle(deposit(5))
    await two.handler.handle(withdraw(5))
    await expect(one.handler.handle(withdraw(1))).rejects.toMatchObject({ code: 'overdrawn', details: { balance: 0 } })
  })

  test('gives up after a bounded number of conflicts', async () => {
    const memory = memoryEventStore()
    const store = withAppend(memory, async (append, stream, revision, events) => {
      await append(
        stream,
        revision,
        newEvents(deposit(1), [{ type: 'Deposited', data: { amount: 1 } }], '2026-01-01T00:00:00.000Z'),
      )
      return await append(stream, revision, events)
    })
    const { handler } = handling({ store })
    await expect(handler.handle(deposit(5))).rejects.toMatchObject({ code: 'contention' })
  })

  test('refuses what passes its bound in bytes, until there is room again', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = withAppend(memoryEventStore(), async (append, ...args) => {
      await held
      return await append(...args)
    })
    const { handler } = handling({ store, maxWaitingBytes: 30 })
    const first = [handler.handle(deposit(5)), handler.handle(deposit(5))]
    await expect(handler.handle(deposit(5))).rejects.toMatchObject({ code: 'busy' })
    release()
    await Promise.all(first)
    await handler.handle(deposit(5))
  })

  test('refuses what passes its bound, and tells nobody that an unknown outcome failed', async () => {
    const never = withAppend(memoryEventStore(), () => new Promise(() => {}))
    const { handler } = handling({ store: never, maxWaiting: 1, answerTimeoutMs: 10 })
    const first = handler.handle(deposit(5))
    await expect(handler.handle(deposit(5))).rejects.toMatchObject({ code: 'busy' })
    await expect(first).rejects.toMatchObject({ code: 'outcome-unknown' })
  })
})

test('who reads a state behind an append that does not come back is told to try again', async () => {
  const never = withAppend(memoryEventStore(), () => new Promise(() => {}))
  const { handler } = handling({ store: never, answerTimeoutMs: 10 })
  const stuck = handler.handle(deposit(5)).catch(() => undefined)
  await new Promise((resolve) => setImmediate(resolve))
  await expect(handler.fold(account, 'a')).rejects.toMatchObject({ code: 'busy' })
  await stuck
})

test('whatever several processes do at once, no account is overdrawn and each command takes effect once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: -20, max: 20 }), fc.boolean()), {
        maxLength: 60,
      }),
      async (steps) => {
        const store = { ...memoryEventStore(), soleWriter: false }
        const processes = [handling({ store }), handling({ store }), handling({ store })]
        await Promise.allSettled(
          steps.flatMap(([process, amount, twice]) => {
            const sent = amount < 0 ? withdraw(-amount) : deposit(amount)
            const handler = processes[process]?.handler
            const other = processes[(process + 1) % 3]?.handler
            return [handler?.handle(sent), ...(twice ? [other?.handle(sent)] : [])]
          }),
        )
        const events = await eventsOf(store)
        expect(new Set(events.map(({ metadata }) => metadata.commandId)).size).toBe(events.length)
        let balance = 0
        for (const { type, data } of events) {
          balance += type === 'Deposited' ? Number(data.amount) : -Number(data.amount)
          expect(balance).toBeGreaterThanOrEqual(0)
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('processes that write to one stream without pause take turns', async () => {
  const clock = manualClock()
  const memory = { ...memoryEventStore(), soleWriter: false }
  /** A store that is as far away as a server is. */
  const distant: typeof memory = {
    ...memory,
    async append(...args) {
      await pause(clock, 2)
      const result = await memory.append(...args)
      await pause(clock, 2)
      return result
    },
    async *readStream(...args) {
      const there = await Array.fromAsync(memory.readStream(...args))
      await pause(clock, 4)
      yield* there
    },
  }
  const answered = await Promise.all([
    ...[1, 2, 3, 4].map(async () => {
      const { handler } = handling({ store: distant, clock, answerTimeoutMs: 60_000 })
      let count = 0
      const endMs = clock.monotonic() + 4_000
      while (clock.monotonic() < endMs) {
        await handler.handle(deposit(1))
        count++
      }
      return count
    }),
    clock.advance(10_000).then(() => Number.POSITIVE_INFINITY),
  ])
  expect(Math.min(...answered)).toBeGreaterThan(60)
})

test('where others write too, a command does not rest on a read that began before it', async () => {
  const memory = { ...memoryEventStore(), soleWriter: false }
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let reads = 0
  const slow: typeof memory = {
    ...memory,
    async *readStream(stream, options) {
      const isFirst = reads++ === 0
      yield* memory.readStream(stream, options)
      if (isFirst) await held
    },
  }
  const one = handling({ store: slow })
  const two = handling({ store: memory })
  await two.handler.handle(deposit(1))
  const early = one.handler.fold(account, 'a')
  await expect.poll(() => reads).toBe(1)
  await two.handler.handle(deposit(5))
  const late = one.handler.handle(withdraw(6))
  await new Promise((resolve) => setImmediate(resolve))
  release()
  await expect(late).resolves.toMatchObject({ revision: 2 })
  expect((await early).state).toEqual({ balance: 1 })
})
