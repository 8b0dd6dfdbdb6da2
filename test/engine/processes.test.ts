import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { type Ask, ask } from '../../src/engine/command.ts'
import { deadLetter } from '../../src/engine/dead-letter.ts'
import { buildHere, type Definitions, defaultLimits, startEngine } from '../../src/engine/engine.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { job, type WorkInHand } from '../../src/engine/job.ts'
import type { JobQueue } from '../../src/engine/job-queue.ts'
import { openWorkItems } from '../../src/engine/open-work.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import { derivedId, idOf } from '../../src/engine/streams.ts'
import { newEvent } from '../contract/new-event.ts'
import { manualClock, settled } from '../manual-clock.ts'
import { type Account, account, accountEvents } from './account.ts'
import { balancesProjection } from './balances.ts'
import { command, deposit, eventsOf, handling, withAppend, withdraw } from './handling.ts'

/** Whatever a customer deposits is moved on to the savings: withdrawn here, deposited there. */
const save = processManager({
  name: 'save',
  of: account,
  from: [accountEvents],
  route: ({ stream, metadata }) => (metadata.actor.kind === 'customer' ? idOf(stream) : undefined),
  on: {
    Deposited: ({ stream, data: { amount } }) => [
      ask(account, idOf(stream), 'Withdraw', { amount }),
      ask(account, 'savings', 'Deposit', { amount }),
    ],
  },
})

type Given = ReturnType<typeof handling> & { readonly queue?: (queue: JobQueue) => JobQueue }

async function start(definitions: Partial<Definitions>, given: Given = handling(), clock = manualClock()) {
  const { store, readStore } = given
  const all: Definitions = {
    aggregates: [account],
    projections: [balancesProjection()],
    processes: [],
    jobs: [],
    ...definitions,
  }
  const failures: unknown[] = []
  const queue = memoryJobQueue({ clock })
  const ports = { store, readStore, queue: given.queue?.(queue) ?? queue, vault: memoryKeyVault(), clock }
  const onFailure = (error: unknown) => failures.push(error)
  const engine = await startEngine(all, ports, {
    limits: defaultLimits,
    builder: buildHere(all, ports),
    works: true,
    onFailure,
  })
  onTestFinished(() => engine.stop())
  const balance = async (id: string) => (await engine.handler.fold(account, id)).state.balance
  return { ...given, engine, failures, clock, balance, queue: ports.queue }
}

describe('a process manager', () => {
  test('asks for what follows from an event', async () => {
    const { engine, balance } = await start({ processes: [save] })
    await engine.handler.handle(deposit(5))
    await expect.poll(() => balance('savings')).toBe(5)
    expect(await balance('a')).toBe(0)
  })

  test('takes effect once, though it reacts again after a crash', async () => {
    const given = handling()
    const first = await start({ processes: [save] }, given)
    await first.engine.handler.handle(deposit(5))
    await expect.poll(() => first.balance('savings')).toBe(5)
    await first.engine.stop()
    await given.store.saveCheckpoint('save', { logId: given.store.logId, position: 0, eventId: '' })
    const second = await start({ processes: [save] }, given)
    await expect.poll(() => second.engine.processes.status()[0]?.position).toBe((await given.store.head()).position)
    expect(await second.balance('savings')).toBe(5)
  })

  test('is not started by what was imported', async () => {
    const { engine, balance } = await start({ processes: [save] })
    await engine.handler.handle(deposit(5, { imported: true, occurredAt: '2010-12-01T00:00:00.000Z' }))
    await engine.handler.handle(deposit(2))
    await expect.poll(() => balance('savings')).toBe(2)
    expect(await balance('a')).toBe(5)
  })

  test('keeps its checkpoint before a reaction that is not done', async () => {
    const given = handling()
    const blocked = await start(
      { processes: [save] },
      {
        ...given,
        store: {
          ...given.store,
          append: async (stream, ...rest) => {
            if (stream === 'account-savings') throw new UnavailableError('log-unavailable', 'Disk full')
            return await given.store.append(stream, ...rest)
          },
        },
      },
    )
    await blocked.engine.handler.handle(deposit(5))
    await expect.poll(() => blocked.failures.length).toBeGreaterThan(0)
    await blocked.engine.stop()
    expect((await given.store.loadCheckpoint('save'))?.position ?? 0).toBe(0)
    const { balance } = await start({ processes: [save] }, given)
    await expect.poll(() => balance('savings')).toBe(5)
    expect(await balance('a')).toBe(0)
  })

  test('reacts again after a mistake of its own, and does not forget the event', async () => {
    let mistakes = 1
    const stumbling = processManager({
      name: 'stumble',
      of: account,
      from: [accountEvents],
      route: ({ stream, metadata }) => (metadata.actor.kind === 'customer' ? idOf(stream) : undefined),
      on: {
        Deposited: ({ data: { amount } }) => {
          if (mistakes-- > 0) throw new TypeError('Cannot read properties of undefined')
          return [ask(account, 'savings', 'Deposit', { amount })]
        },
      },
    })
    const { engine, balance, clock, failures } = await start({ processes: [stumbling] })
    await engine.handler.handle(deposit(5))
    await expect.poll(() => failures).toHaveLength(1)
    await clock.advance(1_000)
    await expect.poll(() => balance('savings')).toBe(5)
  })

  test('that reacts again on a later state asks for what that needs', async () => {
    const given = handling()
    const level = processManager({
      name: 'level',
      of: account,
      from: [accountEvents],
      route: ({ stream, metadata }) => (metadata.actor.kind === 'customer' ? idOf(stream) : undefined),
      on: {
        Deposited: ({ stream }, { balance }) =>
          balance > 10
            ? [ask(account, idOf(stream), 'Withdraw', { amount: balance - 10 })]
            : [ask(account, idOf(stream), 'Deposit', { amount: 10 - balance })],
      },
    })
    const first = await start({ processes: [level] }, given)
    await first.engine.handler.handle(deposit(4))
    await expect.poll(() => first.balance('a')).toBe(10)
    await first.engine.stop()
    await given.handler.handle(deposit(7, { actor: { kind: 'staff', id: 's' } }))
    await given.store.saveCheckpoint('level', { logId: given.store.logId, position: 0, eventId: '' })
    const second = await start({ processes: [level] }, given)
    await expect.poll(() => second.balance('a')).toBe(10)
  })

  test('that is stuck keeps no more than its bound, however much else happens', async () => {
    const stuck = processManager({
      name: 'stuck',
      of: account,
      from: [accountEvents],
      route: ({ stream }) => idOf(stream),
      on: {
        Withdrawn: () => {
          throw new UnavailableError('elsewhere', 'Not now')
        },
      },
    })
    const { engine, failures, store } = await start({ processes: [stuck] })
    await engine.handler.handle(deposit(500))
    await engine.handler.handle(withdraw(1))
    await expect.poll(() => failures).toHaveLength(1)
    for (let n = 0; n < 300; n++) await engine.handler.handle(deposit(1))
    await engine.watch.until(account, 'a', () => true, 1)
    expect((await store.head()).position).toBeGreaterThan(300)
    expect(engine.processes.status()[0]?.underWay).toBeLessThanOrEqual(3)
  })

  test('sees what an event has done, though the append that wrote it has not come back yet', async () => {
    const balances: number[] = []
    const looking = processManager({
      name: 'look',
      of: account,
      from: [accountEvents],
      route: ({ stream }) => idOf(stream),
      on: {
        Deposited: (_event, { balance }) => {
          balances.push(balance)
          return []
        },
      },
    })
    const { store } = handling()
    const late = withAppend(store, async (append, ...args) => {
      const result = await append(...args)
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
      return result
    })
    const { engine } = await start({ processes: [looking] }, handling({ store: late }))
    await engine.handler.handle(deposit(5))
    await engine.handler.handle(deposit(5))
    await expect.poll(() => balances).toEqual([5, 10])
  })

  test('that comes to an event of a newer version stays before it, and says so', async () => {
    const given = handling()
    const { engine, balance, clock, failures } = await start({ processes: [save] }, given)
    await engine.handler.handle(deposit(5))
    await expect.poll(() => balance('savings')).toBe(5)
    const { position } = await given.store.head()
    await given.store.append('account-z', -1, [newEvent({ type: 'InterestPaid' })])
    await engine.handler.handle(deposit(7))
    await expect.poll(() => engine.processes.status()[0]?.error).toContain('InterestPaid is not known')
    const told = failures.length
    await clock.advance(600_000)
    expect(failures).toHaveLength(told)
    expect(await balance('savings')).toBe(5)
    expect((await given.store.loadCheckpoint('save'))?.position).toBeLessThanOrEqual(position)
  })

  test('that could follow the log again tries at once when it can’t once more', async () => {
    const given = handling()
    let isBroken = true
    const { engine, balance, clock, failures } = await start(
      { processes: [save] },
      {
        ...given,
        store: {
          ...given.store,
          async *subscribe(options) {
            for await (const batch of given.store.subscribe(options)) {
              if (isBroken) throw new UnavailableError('log-unavailable', 'Disk full')
              yield batch
            }
          },
        },
      },
    )
    await engine.handler.handle(deposit(5))
    for (let tries = 0; tries < 8; tries++) await clock.advance(30_000)
    isBroken = false
    await clock.advance(30_000)
    await expect.poll(() => balance('savings')).toBe(5)
    isBroken = true
    const told = failures.length
    await engine.handler.handle(deposit(7))
    await expect.poll(() => failures.length).toBeGreaterThan(told)
    isBroken = false
    await clock.advance(5_000)
    await expect.poll(() => balance('savings')).toBe(12)
  })

  test('follows the log again while one reaction fails for ever, and keeps its checkpoint before that one', async () => {
    const given = handling()
    let hiccups = 0
    const store: EventStore = {
      ...given.store,
      async *subscribe(options) {
        const hiccupsBefore = hiccups // each fails every subscription of its time
        for await (const batch of given.store.subscribe(options)) {
          if (hiccups > hiccupsBefore) throw new UnavailableError('log-unavailable', 'Disk full')
          yield batch
        }
      },
    }
    const reactions: string[] = []
    const picky = processManager({
      name: 'picky',
      of: account,
      from: [accountEvents],
      route: ({ stream }) => idOf(stream),
      on: {
        Deposited: ({ stream }) => {
          reactions.push(idOf(stream))
          if (idOf(stream) === 'bad') throw new TypeError('x is not a function')
          return []
        },
      },
    })
    const { engine, clock } = await start({ processes: [picky] }, { ...given, store })
    const others = () => reactions.filter((id) => id !== 'bad')
    await engine.handler.handle(deposit(1, { target: 'before' }))
    await expect.poll(others).toEqual(['before'])
    const bad = await engine.handler.handle(deposit(1, { target: 'bad' }))
    await engine.handler.handle(deposit(1, { target: 'good' }))
    await expect.poll(others).toEqual(['before', 'good'])
    hiccups++
    await engine.handler.handle(deposit(1, { target: 'later' }))
    await expect
      .poll(async () => {
        await clock.advance(1_000)
        return others()
      })
      .toEqual(['before', 'good', 'later'])
    await engine.stop()
    expect((await given.store.loadCheckpoint('picky'))?.position).toBeLessThan(bad.position)
  })

  test('that fails again and again says so, and says no more of it once it is done', async () => {
    let isBroken = true
    const fragile = processManager({
      name: 'fragile',
      of: account,
      from: [accountEvents],
      route: ({ stream }) => idOf(stream),
      on: {
        Deposited: () => {
          if (isBroken) throw new TypeError('x is not a function')
          return []
        },
      },
    })
    const { engine, clock } = await start({ processes: [fragile] })
    await engine.handler.handle(deposit(5))
    const status = async () => {
      await clock.advance(30_000)
      return engine.processes.status()[0]
    }
    await expect.poll(status).toMatchObject({ error: 'x is not a function', underWay: 1 })
    isBroken = false
    await expect
      .poll(status)
      .toEqual({ name: 'fragile', position: expect.any(Number), underWay: 0, lagMs: 0, reactions: 1 })
  })

  test('sets aside what is rejected, goes on, and does it when it is retried', async () => {
    const spend = processManager({
      name: 'spend',
      of: account,
      from: [accountEvents],
      route: ({ stream }) => (idOf(stream) === 'a' ? 'a' : undefined),
      on: { Deposited: ({ data: { amount } }) => [ask(account, 'b', 'Withdraw', { amount })] },
    })
    const { engine, balance, store } = await start({ processes: [spend] })
    await engine.handler.handle(deposit(5))
    const [event] = await eventsOf(store)
    const letter = derivedId(event?.id ?? '', 'spend')
    const status = async () => (await engine.handler.fold(deadLetter, letter)).state.status
    await expect.poll(status).toBe('open')
    await engine.handler.handle(deposit(7, { target: 'b' }))
    await engine.handler.handle({ ...command('RetryDeadLetter', {}), decider: deadLetter, target: letter })
    await expect.poll(() => balance('b')).toBe(2)
  })
})

/** An account with money in it is emptied a minute after its first deposit. @param run how, and what follows from it */
function emptyingBy(run: (state: Account, work: WorkInHand) => Promise<readonly Ask[]>) {
  return job({
    name: 'empty',
    of: account,
    from: [accountEvents],
    opens: {
      Deposited: ({ stream, metadata }) => {
        const dueAt = new Date(Date.parse(metadata.recordedAt) + 60_000).toISOString()
        return { target: idOf(stream), key: '', dueAt }
      },
    },
    settles: { Withdrawn: ({ stream }) => ({ target: idOf(stream), key: '' }) },
    isOpen: ({ balance }) => balance > 0,
    run,
    work: { maxAttempts: 3, backoffMs: 1_000 },
  })
}

/** @param call to the outside, for each try */
function emptying(call: (attempt: number) => Promise<void>) {
  return emptyingBy(async ({ balance }, { target, attempt }) => {
    await call(attempt)
    return [ask(account, target, 'Withdraw', { amount: balance })]
  })
}

describe('a job', () => {
  const now = () => new Date().toISOString()
  async function openWork(engine: Awaited<ReturnType<typeof start>>['engine'], position: number) {
    await engine.projections.waitFor('open-work', position, 2_000)
    const found = await engine.projections.reader('open-work').find(openWorkItems, { index: 'byDue', limit: 10 })
    return found.map(({ id }) => id)
  }

  test('is done when it is due, and is listed as open until then', async () => {
    const clock = manualClock(Date.parse(now()))
    const { engine, balance } = await start({ jobs: [emptying(async () => {})] }, handling(), clock)
    const { position } = await engine.handler.handle(deposit(5))
    expect(await openWork(engine, position)).toEqual(['empty:a'])
    await clock.advance(59_000)
    expect(await balance('a')).toBe(5)
    await expect
      .poll(async () => {
        await clock.advance(1_000)
        return await balance('a')
      })
      .toBe(0)
    expect(await openWork(engine, position + 1)).toEqual([])
  })

  test('is tried again when it fails, and is set aside in the log after the last try', async () => {
    const attempts: number[] = []
    const clock = manualClock(Date.parse(now()))
    const failing = emptying(async (attempt) => {
      attempts.push(attempt)
      throw new Error('The outside is down')
    })
    const { engine, store, queue } = await start({ jobs: [failing] }, handling(), clock)
    await engine.handler.handle(deposit(5))
    await expect
      .poll(async () => {
        await clock.advance(30_000)
        return (await queue.dead(10)).length
      })
      .toBe(1)
    expect(attempts).toEqual([1, 2, 3])
    const types: string[] = []
    for await (const { events } of store.readAll({ after: 0 })) types.push(...events.map(({ type }) => type))
    expect(types).toEqual(['Deposited', 'DeadLetterRaised'])
  })

  test('whose outcome breaks a rule is set aside at once, and done when it is retried', async () => {
    let calls = 0
    const clock = manualClock(Date.parse(now()))
    const overdrawing = emptyingBy(async (_state, { target }) => {
      calls++
      return [ask(account, target, 'Withdraw', { amount: 9 })]
    })
    const { engine, store, queue, balance } = await start({ jobs: [overdrawing] }, handling(), clock)
    await engine.handler.handle(deposit(5))
    await expect
      .poll(async () => {
        await clock.advance(60_000)
        return (await queue.dead(10)).length
      })
      .toBe(1)
    await clock.advance(600_000)
    expect(calls).toBe(1)
    await engine.handler.handle(deposit(4))
    const letters: string[] = []
    for await (const { events } of store.readAll({ after: 0 })) {
      letters.push(...events.filter(({ type }) => type === 'DeadLetterRaised').map(({ stream }) => idOf(stream)))
    }
    expect(letters).toHaveLength(1)
    await engine.handler.handle({ ...command('RetryDeadLetter', {}), decider: deadLetter, target: letters[0] ?? '' })
    await expect
      .poll(async () => {
        await clock.advance(60_000)
        return await balance('a')
      })
      .toBe(0)
  })

  test('that the queue has lost is put back by the sweep', async () => {
    const given = handling()
    const first = await start({ jobs: [emptying(async () => {})] }, given)
    await first.engine.handler.handle(deposit(5))
    await first.engine.stop()
    const { balance } = await start({ jobs: [emptying(async () => {})] }, given, manualClock(Date.now() + 3_600_000))
    await expect.poll(() => balance('a')).toBe(0)
  })

  test('that was settled meanwhile is not done', async () => {
    let calls = 0
    const clock = manualClock(Date.parse(now()))
    const counting = emptying(async () => {
      calls++
    })
    const { engine, queue } = await start({ jobs: [counting] }, handling(), clock)
    await engine.handler.handle(deposit(5))
    await expect.poll(async () => (await queue.known(['empty:a'])).size).toBe(1)
    await engine.handler.handle(withdraw(5))
    await expect.poll(async () => (await queue.known(['empty:a'])).size).toBe(0)
    await clock.advance(120_000)
    expect(calls).toBe(0)
  })

  test('that a newer version asks for are left to it, and not set aside', async () => {
    const given = handling()
    const clock = manualClock(Date.parse(now()))
    const { engine, failures } = await start({ jobs: [emptying(async () => {})] }, given, clock)
    await engine.handler.handle(deposit(5))
    const { revision } = await engine.handler.fold(account, 'a')
    await given.store.append('account-a', revision, [newEvent({ type: 'Deposited', metadata: { version: 2 } })])
    await expect.poll(() => engine.jobs.failure()).toContain('Deposited has version 2')
    const told = failures.length
    for (let minutes = 0; minutes < 100; minutes++) await clock.advance(60_000)
    expect(failures).toHaveLength(told)
    for await (const { events } of given.store.readAll({ after: 0 })) {
      expect(events.map(({ type }) => type)).not.toContain('DeadLetterRaised')
    }
  })

  test('that are due on what a newer version has written are left to it, too', async () => {
    const given = handling()
    const clock = manualClock(Date.parse(now()))
    await given.handler.handle(deposit(5))
    await given.store.append('account-a', 0, [newEvent({ type: 'Deposited', metadata: { version: 2 } })])
    const dueAt = new Date(clock.now()).toISOString()
    const { engine, queue } = await start({ jobs: [emptying(async () => {})] }, given, clock)
    // As a queue that outlived the restart has it.
    await queue.schedule([{ id: 'empty:a', name: 'empty', data: { target: 'a', key: '', dueAt }, dueAt: clock.now() }])
    await expect.poll(() => engine.jobs.failure()).toContain('Deposited has version 2')
    for (let minutes = 0; minutes < 100; minutes++) await clock.advance(60_000)
    expect(await queue.dead(10)).toEqual([])
  })

  test('whose last try failed before it could run is set aside in the log, too', async () => {
    const given = handling()
    await given.handler.handle(deposit(5))
    const store: EventStore = {
      ...given.store,
      readStream(stream, ...rest) {
        if (stream === 'account-a') throw new UnavailableError('log-unavailable', 'Disk full')
        return given.store.readStream(stream, ...rest)
      },
    }
    const clock = manualClock(Date.now() + 3_600_000)
    const { queue } = await start({ jobs: [emptying(async () => {})] }, { ...given, store }, clock)
    await expect
      .poll(async () => {
        await clock.advance(30_000)
        return (await queue.dead(10)).length
      })
      .toBe(1)
    const types: string[] = []
    for await (const { events } of given.store.readAll({ after: 0 })) types.push(...events.map(({ type }) => type))
    expect(types).toEqual(['Deposited', 'DeadLetterRaised'])
  })

  test('that finds what a newer version has written only in its last try is left to it, too', async () => {
    const given = handling()
    const clock = manualClock(Date.parse(now()))
    await given.handler.handle(deposit(5))
    await given.store.append('account-a', 0, [newEvent({ type: 'Deposited', metadata: { version: 2 } })])
    let tries = 0
    const store: EventStore = {
      ...given.store,
      readStream(stream, ...rest) {
        if (stream === 'account-a' && ++tries < 3) throw new UnavailableError('log-unavailable', 'Disk full')
        return given.store.readStream(stream, ...rest)
      },
    }
    const { engine, queue } = await start({ jobs: [emptying(async () => {})] }, { ...given, store }, clock)
    const dueAt = new Date(clock.now()).toISOString()
    await queue.schedule([{ id: 'empty:a', name: 'empty', data: { target: 'a', key: '', dueAt }, dueAt: clock.now() }])
    await expect
      .poll(async () => {
        await clock.advance(5_000)
        return engine.jobs.failure()
      })
      .toContain('Deposited has version 2')
    expect(tries).toBe(3)
    await clock.advance(60_000)
    expect(await queue.dead(10)).toEqual([])
    expect(await queue.known(['empty:a'])).toEqual(new Set(['empty:a']))
  })

  test('that could not be set aside before a stop is not dead, for nobody would look for it', async () => {
    const given = handling()
    const clock = manualClock(Date.parse(now()))
    const store = withAppend(given.store, async (append, stream, ...rest) => {
      if (!stream.startsWith('account-')) throw new UnavailableError('log-unavailable', 'Disk full')
      return await append(stream, ...rest)
    })
    const failing = emptying(async () => {
      throw new Error('The outside is down')
    })
    const { engine, failures, queue } = await start({ jobs: [failing] }, handling({ ...given, store }), clock)
    await engine.handler.handle(deposit(5))
    await expect
      .poll(async () => {
        await clock.advance(5_000)
        return failures.filter((error) => error instanceof UnavailableError).length
      })
      .toBeGreaterThan(0)
    await engine.stop()
    expect(await queue.dead(10)).toEqual([])
  })

  test('are swept to the end before the engine has stopped', async () => {
    let isAsked = false
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const { engine, clock } = await start(
      { jobs: [emptying(async () => {})] },
      {
        ...handling(),
        queue: (queue) => ({
          ...queue,
          async known(ids) {
            isAsked = true
            await answered
            return await queue.known(ids)
          },
        }),
      },
    )
    await expect
      .poll(async () => {
        await clock.advance(60_000)
        return isAsked
      })
      .toBe(true)
    let hasStopped = false
    const stopping = engine.stop().then(() => {
      hasStopped = true
    })
    await settled()
    expect(hasStopped).toBe(false)
    answer()
    await stopping
  })
})

test('who waits for an outcome is woken by it, and told when the time is up', async () => {
  const clock = manualClock()
  const { engine } = await start({}, handling(), clock)
  const reached = engine.watch.until(account, 'a', ({ balance }) => balance >= 5, 1_000)
  await engine.handler.handle(deposit(5))
  expect(await reached).toMatchObject({ state: { balance: 5 } })
  const never = engine.watch.until(account, 'a', ({ balance }) => balance >= 50, 1_000)
  await expect
    .poll(async () => {
      await clock.advance(1_000)
      return await Promise.race([
        never.then(() => 'told'),
        new Promise((resolve) => setImmediate(() => resolve('waiting'))),
      ])
    })
    .toBe('told')
  expect(await never).toBeUndefined()
})
