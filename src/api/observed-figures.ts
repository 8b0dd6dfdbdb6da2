import type { Attributes, Meter, Observable } from '@opentelemetry/api'
import type { Clock } from '../engine/clock.ts'
import type { EventLoop } from './event-loop.ts'
import type { Health } from './health.ts'
import type { SystemFigures } from './system-figures.ts'

/** The figures of a process as Prometheus takes them: looked up when somebody asks, with units in their names. */

interface Sources {
  readonly version: string
  figures(): Promise<SystemFigures>
  health(): Health
  readonly clock: Pick<Clock, 'now'>
}

type Observe = (value: number, attributes?: Attributes) => void
type Look = (figures: SystemFigures, observe: Observe, nowMs: number) => void

/** By name: its description, and what is observed of the figures. */
const gauges: Readonly<Record<string, readonly [description: string, look: Look]>> = {
  daybook_projection_position: [
    'Position that a projection has reached',
    ({ projections }, observe) => {
      for (const { name: projection, position } of projections) observe(position, { projection })
    },
  ],
  daybook_projection_lag: [
    'Positions that a projection is behind the log: events, on EventStoreDB bytes of its log',
    ({ projections }, observe) => {
      for (const { name: projection, lag } of projections) observe(lag, { projection })
    },
  ],
  daybook_projection_lag_seconds: [
    'For how long a projection has been behind the log',
    ({ projections }, observe) => {
      for (const { name: projection, lagMs = 0 } of projections) observe(lagMs / 1_000, { projection })
    },
  ],
  daybook_projection_events_per_second: [
    'Events folded into a projection in a second, over the last half minute',
    ({ projections }, observe) => {
      for (const { name: projection, eventsPerSecond = 0 } of projections) observe(eventsPerSecond, { projection })
    },
  ],
  daybook_projection_live: [
    '1 for a projection that is live, 0 for one that is built or stopped',
    ({ projections }, observe) => {
      for (const { name: projection, status } of projections) observe(status === 'live' ? 1 : 0, { projection })
    },
  ],
  daybook_projection_rebuild_ratio: [
    'How much of a rebuild is done; only while there is one',
    ({ projections }, observe) => {
      for (const { name: projection, rebuild } of projections)
        if (rebuild) observe(rebuild.head > 0 ? Math.min(1, rebuild.position / rebuild.head) : 1, { projection })
    },
  ],
  daybook_process_position: [
    'Position that a process manager has reached',
    ({ processes }, observe) => {
      for (const { name: process, position } of processes) observe(position, { process })
    },
  ],
  daybook_process_lag_seconds: [
    'For how long the oldest unfinished reaction of a process manager has been under way',
    ({ processes }, observe) => {
      for (const { name: process, lagMs } of processes) observe(lagMs / 1_000, { process })
    },
  ],
  daybook_process_reactions_under_way: [
    'Reactions of a process manager under way',
    ({ processes }, observe) => {
      for (const { name: process, underWay } of processes) observe(underWay, { process })
    },
  ],
  daybook_process_failing: [
    '1 for a process manager that can’t get on, else 0',
    ({ processes }, observe) => {
      for (const { name: process, error } of processes) observe(error === undefined ? 0 : 1, { process })
    },
  ],
  daybook_commands_waiting: ['Commands that wait for an answer', ({ commands }, observe) => observe(commands.waiting)],
  daybook_commands_waiting_bytes: ['What they take', ({ commands }, observe) => observe(commands.waitingBytes)],
  daybook_streams_waiting: ['Streams that they are for', ({ commands }, observe) => observe(commands.streams)],
  daybook_appends_waiting: [
    'Appends that wait to be written or are under way',
    ({ backlog }, observe) => backlog && observe(backlog.appends),
  ],
  daybook_appends_waiting_bytes: ['What they take', ({ backlog }, observe) => backlog && observe(backlog.bytes)],
  daybook_waiters: [
    'Requests that wait: queries for a position, commands for the outcome of a process',
    ({ waiters }, observe) => {
      observe(waiters.positions, { for: 'position' })
      observe(waiters.outcomes, { for: 'outcome' })
    },
  ],
  daybook_cache_entries: [
    'What a cache holds',
    ({ commands, readCache }, observe) => {
      observe(commands.folds.entries, { cache: 'folds' })
      if (readCache) observe(readCache.entries, { cache: 'documents' })
    },
  ],
  daybook_open_work: [
    'Work that is asked for and not settled, of each kind 1,000 at most',
    ({ openWork = [] }, observe) => {
      for (const { job, open } of openWork) observe(open, { job })
    },
  ],
  daybook_open_work_overdue: [
    'Work whose time has come, of each kind 1,000 at most',
    ({ openWork = [] }, observe) => {
      for (const { job, overdue } of openWork) observe(overdue, { job })
    },
  ],
  daybook_open_work_overdue_seconds: [
    'For how long the oldest work of each kind has been due',
    ({ openWork = [] }, observe, nowMs) => {
      for (const { job, oldestDueAt } of openWork) {
        const overdueMs = oldestDueAt === undefined ? 0 : nowMs - Date.parse(oldestDueAt)
        observe(Math.max(0, overdueMs) / 1_000, { job })
      }
    },
  ],
  daybook_dead_letters: [
    'What was set aside and waits for an operator, 1,000 at most, by the process manager or job that failed',
    ({ deadLetters, openWork = [], processes }, observe) => {
      if (!deadLetters) return
      const counts = new Map(
        [...openWork.map(({ job }) => job), ...processes.map(({ name }) => name)].map((name) => [name, 0]),
      )
      for (const { name, count } of deadLetters.items) counts.set(name, count)
      for (const [name, count] of counts) observe(count, { name })
    },
  ],
  daybook_jobs: [
    'Jobs in the queue, by their state',
    ({ jobs = {} }, observe) => {
      for (const [state, count] of Object.entries(jobs)) observe(count, { state })
    },
  ],
  daybook_disk_file_bytes: [
    'Files of the data directory, by what is in them',
    ({ disk }, observe) => {
      for (const { name: file, bytes } of disk?.files ?? []) observe(bytes, { file })
    },
  ],
  daybook_disk_free_bytes: [
    'What is left on the disk of the data directory',
    ({ disk }, observe) => disk && observe(disk.freeBytes),
  ],
  daybook_disk_size_bytes: [
    'Size of the disk of the data directory',
    ({ disk }, observe) => disk && observe(disk.totalBytes),
  ],
}

const counters: typeof gauges = {
  daybook_events_appended_total: [
    'Events that this process has appended',
    ({ appended }, observe) => observe(appended.total),
  ],
  daybook_process_reactions_total: [
    'Reactions of a process manager that were done',
    ({ processes }, observe) => {
      for (const { name: process, reactions } of processes) observe(reactions, { process })
    },
  ],
  daybook_cache_hits_total: [
    'What a cache could answer',
    ({ commands, readCache }, observe) => {
      observe(commands.folds.hits, { cache: 'folds' })
      if (readCache) observe(readCache.hits, { cache: 'documents' })
    },
  ],
  daybook_cache_misses_total: [
    'What a cache could not answer',
    ({ commands, readCache }, observe) => {
      observe(commands.folds.misses, { cache: 'folds' })
      if (readCache) observe(readCache.misses, { cache: 'documents' })
    },
  ],
}

/** Has all figures looked up once for each scrape. */
export function observeFigures(meter: Meter, sources: Sources): void {
  const made: (readonly [Observable, Look])[] = [
    ...Object.entries(gauges).map(
      ([name, [description, look]]) => [meter.createObservableGauge(name, { description }), look] as const,
    ),
    ...Object.entries(counters).map(
      ([name, [description, look]]) => [meter.createObservableCounter(name, { description }), look] as const,
    ),
  ]
  meter.addBatchObservableCallback(
    async (result) => {
      const figures = await sources.figures()
      const nowMs = sources.clock.now()
      for (const [observable, look] of made) {
        look(figures, (value, attributes) => result.observe(observable, value, attributes), nowMs)
      }
    },
    made.map(([observable]) => observable),
  )
  meter
    .createObservableGauge('daybook_degraded', { description: 'Parts that do not work as they should' })
    .addCallback((result) => result.observe(sources.health().degraded.length))
  meter
    .createObservableGauge('daybook_info', { description: 'Version of Daybook, always 1' })
    .addCallback((result) => result.observe(1, { version: sources.version }))
}

/** Observes how the process itself does. */
export function observeProcess(meter: Meter, eventLoop: EventLoop): void {
  meter
    .createObservableGauge('daybook_event_loop_delay_seconds', {
      description: 'Delay of the event loop since the last look, by quantile',
    })
    .addCallback((result) => {
      for (const quantile of [0.5, 0.99, 0.999]) result.observe(eventLoop.delaySeconds(quantile), { quantile })
      eventLoop.reset()
    })
  meter
    .createObservableGauge('daybook_memory_bytes', { description: 'Memory of the process, by kind' })
    .addCallback((result) => {
      const { heapUsed, heapTotal, rss } = process.memoryUsage()
      for (const [kind, bytes] of Object.entries({ heapUsed, heapTotal, rss })) result.observe(bytes, { kind })
    })
}
