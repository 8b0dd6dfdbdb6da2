import { expect, onTestFinished, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { job } from '../../src/engine/job.ts'
import { runJobs } from '../../src/engine/job-worker.ts'
import { openWork } from '../../src/engine/open-work.ts'
import { idOf } from '../../src/engine/streams.ts'
import { newEvent } from '../contract/new-event.ts'
import { manualClock, settled } from '../manual-clock.ts'
import { account, accountEvents } from './account.ts'
import { following } from './following.ts'
import { handling } from './handling.ts'

/**
 * A worker that thanks for each deposit, and whose alarm is off.
 * @param logs the log as the worker sees it, and as the read model of open work does
 */
async function working(logs: { readonly worker: EventStore; readonly readModel: EventStore }) {
  const clock = manualClock(Date.UTC(2026, 1, 1)) // all of these deposits were recorded before
  const thanked: string[] = []
  const thank = job({
    name: 'thank',
    of: account,
    from: [accountEvents],
    opens: { Deposited: ({ stream, metadata }) => ({ target: idOf(stream), key: '', dueAt: metadata.recordedAt }) },
    settles: {},
    isOpen: () => true,
    async run(_state, { target }) {
      thanked.push(target)
      return []
    },
  })
  const { readStore, handler } = handling({ store: logs.worker, clock })
  const { readModels } = await following({ store: logs.readModel, readStore, projections: [openWork([thank])], clock })
  const failures: unknown[] = []
  const worker = runJobs({
    store: logs.worker,
    queue: memoryJobQueue({ clock }),
    handler,
    registry: eventRegistry([accountEvents]),
    projections: readModels,
    jobs: [thank],
    clock,
    sweepEveryMs: 60_000,
    onFailure: (error) => failures.push(error),
  })
  onTestFinished(() => worker.stop())
  return { worker, thanked, failures, clock }
}

async function depositInto(store: EventStore, account: string): Promise<void> {
  await store.append(`account-${account}`, -1, [newEvent({ type: 'Deposited', data: { amount: 1 } })])
}

test('an alarm that is set while the log is away rings as soon as it is back', async () => {
  const store = memoryEventStore()
  let isAway = true
  const failing: EventStore = {
    ...store,
    async head() {
      if (isAway) throw new UnavailableError('log-unavailable', 'The log is away')
      return await store.head()
    },
  }
  const { worker, thanked, failures, clock } = await working({ worker: failing, readModel: store })
  await worker.setAlarm(true)
  await depositInto(store, 'meanwhile')
  await clock.advance(2_000)
  expect([thanked, failures.length > 0]).toEqual([[], true])
  isAway = false
  await clock.advance(2_000)
  await depositInto(store, 'later')
  await clock.advance(2_000)
  expect([...thanked].sort()).toEqual(['later', 'meanwhile'])
})

test('an alarm is off at once, though the read model of open work has not come to where it began', async () => {
  const store = memoryEventStore()
  const { promise: mayFollow, resolve: follow } = Promise.withResolvers<void>()
  const stalled: EventStore = {
    ...store,
    async *subscribe(options) {
      await mayFollow
      yield* store.subscribe(options)
    },
  }
  const { worker, thanked, clock } = await working({ worker: store, readModel: stalled })
  onTestFinished(() => follow())
  await clock.advance(1_000)
  await depositInto(store, 'a')
  await worker.setAlarm(true)
  await clock.advance(1_000)
  let isOff = false
  const off = worker.setAlarm(false).then(() => {
    isOff = true
  })
  await settled()
  expect(isOff).toBe(true)
  await off
  await depositInto(store, 'b')
  await clock.advance(1_000)
  expect(thanked).toEqual([])
})
