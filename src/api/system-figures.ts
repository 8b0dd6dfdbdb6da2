import { type Clock, inTime } from '../engine/clock.ts'
import type { HandlerStatus } from '../engine/command-handler.ts'
import type { AppendBacklog } from '../engine/event-store.ts'
import type { JobCounts, JobQueue } from '../engine/job-queue.ts'
import type { ProcessStatus } from '../engine/process-runner.ts'
import type { ProjectionStatus } from '../engine/projection-status.ts'
import type { ReadModels } from '../engine/projections.ts'
import type { Rate } from '../engine/rate.ts'
import type { ReadCacheStatus } from '../engine/read-store.ts'
import { type LetterFigures, letterFigures, type WorkFigures, workFigures } from './work-figures.ts'

/** What a process knows of itself: all of it is counted as it happens, or looked up for next to nothing. */

/** Files of this process; absent where it keeps none. */
export interface DiskFigures {
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  readonly freeBytes: number
  readonly totalBytes: number
}

export interface SystemSources {
  readonly projections: Pick<ReadModels, 'status' | 'waiting' | 'reader'>
  /** Of this process. */
  processes(): readonly ProcessStatus[]
  commands(): HandlerStatus
  readonly appended: Pick<Rate, 'total' | 'perSecond'>
  /** Absent where the log queues nothing. */
  backlog?(): AppendBacklog
  /** Requests that wait for the outcome of a process. */
  waitingForOutcome(): number
  /** Absent where nothing that was read is kept in memory. */
  readCache?(): ReadCacheStatus
  readonly queue: Pick<JobQueue, 'counts'>
  disk?(): Promise<DiskFigures>
  /** Names of all kinds of jobs. */
  readonly jobs: readonly string[]
  readonly clock: Pick<Clock, 'now' | 'after'>
}

/** What had to be looked up is undefined where it can't be known now. */
export interface SystemFigures {
  readonly projections: readonly ProjectionStatus[]
  readonly processes: readonly ProcessStatus[]
  readonly commands: HandlerStatus
  readonly appended: { readonly total: number; readonly perSecond: number }
  readonly backlog: AppendBacklog | undefined
  readonly waiters: { readonly positions: number; readonly outcomes: number }
  readonly readCache: ReadCacheStatus | undefined
  readonly openWork: readonly WorkFigures[] | undefined
  readonly deadLetters: { readonly items: readonly LetterFigures[]; readonly isMore: boolean } | undefined
  readonly jobs: JobCounts | undefined
  readonly disk: DiskFigures | undefined
}

/** Who scrapes figures waits for ten seconds in all; a server that is frozen would take more. */
const longestLookMs = 2_000

/**
 * Looks something up that must not keep the rest from being seen.
 * @returns undefined where that fails, or takes more than 2 s
 */
export async function ifKnown<Result>(
  clock: Pick<Clock, 'after'>,
  look: () => Promise<Result> | undefined,
): Promise<Result | undefined> {
  try {
    return await inTime(clock, longestLookMs, Promise.resolve(look()))
  } catch {
    return undefined
  }
}

/** Looks at all figures, for 2 s at most. It never fails, and reads nothing of the log. */
export async function systemFigures(sources: SystemSources): Promise<SystemFigures> {
  const { projections, clock } = sources
  const now = new Date(clock.now()).toISOString()
  const [openWork, deadLetters, jobs, disk] = await Promise.all([
    ifKnown(clock, () => workFigures(projections, sources.jobs, now)),
    ifKnown(clock, () => letterFigures(projections)),
    ifKnown(clock, () => sources.queue.counts()),
    ifKnown(clock, () => sources.disk?.()),
  ])
  return {
    projections: projections.status(),
    processes: sources.processes(),
    commands: sources.commands(),
    appended: { total: sources.appended.total(), perSecond: sources.appended.perSecond() },
    backlog: sources.backlog?.(),
    waiters: { positions: projections.waiting(), outcomes: sources.waitingForOutcome() },
    readCache: sources.readCache?.(),
    openWork,
    deadLetters,
    jobs,
    disk,
  }
}
