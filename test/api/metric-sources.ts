import type { MetricSources } from '../../src/api/metrics.ts'

/** Figures of a process that has some of everything. */
export const sources: MetricSources = {
  version: '1.2.3',
  figures: async () => ({
    projections: [
      { name: 'venues', version: 1, status: 'live', position: 7, lag: 2, lagMs: 1_500, eventsPerSecond: 2.5 },
      {
        name: 'bookings',
        version: 1,
        status: 'stopped',
        position: 3,
        lag: 6,
        error: 'poison',
        rebuild: { position: 2, head: 8, events: 2, elapsedMs: 100 },
      },
    ],
    processes: [{ name: 'fulfil', position: 5, underWay: 1, lagMs: 250, reactions: 9, error: 'down' }],
    commands: { waiting: 4, waitingBytes: 400, streams: 2, folds: { entries: 3, capacity: 10, hits: 8, misses: 2 } },
    appended: { total: 12, perSecond: 0.5 },
    backlog: { appends: 1, bytes: 100 },
    waiters: { positions: 6, outcomes: 7 },
    readCache: { entries: 30, capacityCharacters: 1_000, hits: 80, misses: 20 },
    openWork: [{ job: 'pay', open: 2, overdue: 1, oldestDueAt: '2026-01-15T09:29:00.000Z', isMore: false }],
    deadLetters: { items: [{ name: 'pay', count: 3 }], isMore: false },
    jobs: { waiting: 1, active: 2, delayed: 3, dead: 4 },
    disk: { files: [{ name: 'log', bytes: 5 }], freeBytes: 50, totalBytes: 500 },
  }),
  health: () => ({ started: true, degraded: ['bookings'] }),
  isDraining: () => false,
  clock: { now: () => Date.parse('2026-01-15T09:30:00.000Z') },
}
