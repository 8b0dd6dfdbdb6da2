import { expect, test } from 'vitest'
import type { z } from 'zod'
import type { System } from '../../src/api/system-operation.ts'
import { problemsOf } from '../../src/cli/status.ts'

type Status = z.output<typeof System>

const now = '2026-01-15T09:30:00.000Z'
const well: Status = {
  version: '1.2.3',
  startedAt: now,
  uptimeMs: 1_000,
  roles: ['api', 'projector', 'worker'],
  status: 'ready',
  degraded: [],
  profile: { log: 'sqlite', readModels: 'sqlite', jobs: 'sqlite' },
  log: { unit: 'events', appended: 1, eventsPerSecond: 0 },
  projections: [{ name: 'orders', version: 1, status: 'live', position: 7, lag: 0 }],
  processes: [{ name: 'fulfil-order', position: 7, lagMs: 0, underWay: 0 }],
  openWork: [{ job: 'expire-order', open: 3, overdue: 0, oldestDueAt: '2026-01-15T10:00:00.000Z', isMore: false }],
  deadLetters: { count: 0, isMore: false, items: [] },
  commands: { waiting: 0, waitingBytes: 0, streams: 0 },
  waiters: { positions: 0, outcomes: 0 },
  foldCache: { entries: 1, capacity: 10, hits: 1, misses: 1, hitRatio: 0.5 },
  eventLoop: { delayP99Ms: 1 },
  memory: { rssBytes: 1, heapUsedBytes: 1, heapTotalBytes: 1 },
  disk: { files: [], freeBytes: 50, totalBytes: 100 },
}

const told = (change: Partial<Status>) =>
  problemsOf({ ...well, ...change }, Date.parse(now)).map(({ what, todo }) => `${what} ${todo}`)

test('Nothing is said of a shop that does well', () => {
  expect(told({})).toEqual([])
  expect(
    told({ openWork: [{ job: 'pay', open: 1, overdue: 1, oldestDueAt: '2026-01-15T09:29:00.000Z', isMore: false }] }),
  ).toEqual([])
})

test.each<[string, Partial<Status>, RegExp]>([
  [
    'a poisoned read model',
    {
      degraded: ['orders'],
      projections: [
        {
          name: 'orders',
          version: 1,
          status: 'stopped',
          position: 3,
          lag: 4,
          error: 'fails',
          poison: { position: 4, eventId: 'e', type: 'OrderPlaced' },
        },
      ],
    },
    /orders is stopped by OrderPlaced .*daybook projections skip orders/,
  ],
  [
    'a read model that could not be built',
    { projections: [{ name: 'orders', version: 1, status: 'live', position: 7, lag: 0, rebuildFailure: 'disk full' }] },
    /disk full.*daybook projections rebuild orders/,
  ],
  [
    'a process that waits',
    { processes: [{ name: 'fulfil-order', position: 7, lagMs: 9_000, underWay: 1, error: 'The log is away' }] },
    /fulfil-order waits: The log is away/,
  ],
  [
    'a cluster without workers',
    {
      degraded: ['fulfil-order', 'jobs'],
      unattended: [
        { name: 'fulfil-order', role: 'worker' },
        { name: 'jobs', role: 'worker' },
      ],
    },
    /^No process runs fulfil-order, jobs\. .*daybook serve --role worker/,
  ],
  [
    'dead letters',
    { deadLetters: { count: 2, isMore: false, items: [{ name: 'pay', count: 2 }] } },
    /2 set aside: 2 × pay\. .*daybook dead-letters/,
  ],
  [
    'work that nobody does',
    { openWork: [{ job: 'pay', open: 9, overdue: 4, oldestDueAt: '2026-01-15T09:20:00.000Z', isMore: false }] },
    /4 × pay should have been done .*worker/,
  ],
  [
    'a disk that is nearly full',
    { disk: { files: [], freeBytes: 9e9, totalBytes: 1e11 } },
    /nearly full: 9\.0 GB left/,
  ],
  ['a log that takes nothing', { degraded: ['log'] }, /log does not work as it should\. .*disk has room/],
])('%s is told once, with what to do', (_what, change, expected) => {
  const lines = told(change)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(expected)
})
