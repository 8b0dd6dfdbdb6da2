import { build } from './build.ts'
import { claim } from './claim.ts'
import type { Clock } from './clock.ts'
import { type CommandHandler, commandHandler } from './command-handler.ts'
import { deadLetter } from './dead-letter.ts'
import type { Decider } from './decider.ts'
import type { EventStore } from './event-store.ts'
import { type EventRegistry, eventRegistry } from './events.ts'
import { foldCache } from './folds.ts'
import type { JobDefinition } from './job.ts'
import type { JobQueue } from './job-queue.ts'
import { type JobWorker, runJobs } from './job-worker.ts'
import type { KeyVault } from './key-vault.ts'
import { openWork } from './open-work.ts'
import { type PersonalData, personalData } from './personal-data.ts'
import type { ProcessManager } from './process-manager.ts'
import { type ProcessRunner, runProcesses } from './process-runner.ts'
import type { Projection } from './projection.ts'
import { projections, type ReadModels } from './projections.ts'
import type { ReadStore } from './read-store.ts'
import type { Builder } from './rebuilds.ts'
import { type Watch, watchLog } from './watch.ts'

/** What a shop is made of, without any technology. */
export interface Definitions {
  readonly aggregates: readonly Decider[]
  readonly projections: readonly Projection[]
  readonly processes: readonly ProcessManager[]
  readonly jobs: readonly JobDefinition[]
}

export interface Ports {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly queue: JobQueue
  readonly vault: KeyVault
  readonly clock: Clock
  /** From 0 to below 1; a simulation gives its own. */
  readonly random?: () => number
}

export interface EngineLimits {
  /** Streams whose folds are kept in memory. */
  readonly cachedStreams: number
  /** Commands that may wait for their decision. */
  readonly maxWaiting: number
  readonly answerTimeoutMs: number
  /** Reactions of one process manager under way at once. */
  readonly maxReactions: number
  readonly sweepEveryMs: number
  /** How long readers can go on with the old generation of a rebuilt read model. */
  readonly retirementMs: number
}

export const defaultLimits: EngineLimits = {
  cachedStreams: 10_000,
  maxWaiting: 10_000,
  answerTimeoutMs: 10_000,
  maxReactions: 256,
  sweepEveryMs: 60_000,
  retirementMs: 60_000,
}

export interface Engine {
  readonly handler: CommandHandler
  readonly projections: ReadModels
  readonly watch: Watch
  readonly personal: PersonalData
  readonly processes: ProcessRunner
  readonly jobs: Pick<JobWorker, 'failure'>
  /** Ends all work in the order in which it depends on each other; the ports stay open. */
  stop(): Promise<void>
}

/** All events of a shop, with the engine's own. */
export function registryOf(definitions: Pick<Definitions, 'aggregates'>): EventRegistry {
  return eventRegistry([claim, deadLetter, ...definitions.aggregates].map(({ events }) => events))
}

/** All read models of a shop, with the one of its open work. */
export function projectionsOf(definitions: Pick<Definitions, 'projections' | 'jobs'>): readonly Projection[] {
  return [...definitions.projections, openWork(definitions.jobs)]
}

export interface EngineOptions {
  readonly limits: EngineLimits
  /** Builds generations outside the thread that answers requests. */
  readonly builder: Builder
  /** False for a process that only handles commands and keeps read models: what follows from events waits for another. */
  readonly works: boolean
  /** Told of every failure that the engine itself goes on from, and where it was. */
  readonly onFailure: (error: unknown, where: string) => void
}

/** What decides commands, with the events that it knows. */
export function commandSide(
  definitions: Definitions,
  { store, readStore, clock, random }: Pick<Ports, 'store' | 'readStore' | 'clock' | 'random'>,
  { cachedStreams, maxWaiting, answerTimeoutMs }: EngineLimits,
): { readonly registry: EventRegistry; readonly handler: CommandHandler } {
  const registry = registryOf(definitions)
  const folds = foldCache(store, readStore, registry, cachedStreams)
  const handler = commandHandler({ store, folds, clock, ...(random && { random }), maxWaiting, answerTimeoutMs })
  return { registry, handler }
}

/** Puts an engine together and starts it: commands can be handled and queries answered when it resolves. */
export async function startEngine(definitions: Definitions, ports: Ports, options: EngineOptions): Promise<Engine> {
  const { limits, builder, works, onFailure } = options
  const { store, readStore, queue, vault, clock } = ports
  const { registry, handler } = commandSide(definitions, ports, limits)
  const readModels = projections({
    store,
    readStore,
    registry,
    projections: projectionsOf(definitions),
    builder,
    clock,
    retirementMs: limits.retirementMs,
    onFailure: (error, name) => onFailure(error, name ?? 'projections'),
  })
  await readModels.start()
  const watch = await watchLog(store, handler, clock, (error) => onFailure(error, 'watch'))
  const processes = runProcesses({
    store,
    handler,
    registry,
    managers: works ? definitions.processes : [],
    clock,
    maxUnderWay: limits.maxReactions,
    onFailure,
  })
  const jobs: JobWorker = runJobs({
    store,
    queue,
    handler,
    registry,
    projections: readModels,
    jobs: works ? definitions.jobs : [],
    clock,
    sweepEveryMs: limits.sweepEveryMs,
    onFailure,
  })
  await jobs.setAlarm(true)
  return {
    handler,
    projections: readModels,
    watch,
    personal: personalData(vault),
    processes,
    jobs,
    async stop() {
      await jobs.stop()
      await processes.stop()
      await watch.stop()
      await readModels.stop()
    },
  }
}

/** Builds generations in this very thread: for tests, and for command lines that have nothing else to do. */
export function buildHere(
  definitions: Definitions,
  { store, readStore, clock }: Pick<Ports, 'store' | 'readStore' | 'clock'>,
): Builder {
  const projections = projectionsOf(definitions)
  const registry = registryOf(definitions)
  return (targets, onProgress, signal) =>
    build(
      {
        store,
        readStore,
        registry,
        projections,
        now: clock.now,
        onBatch: async (progress) => onProgress(progress),
        signal,
      },
      targets,
    )
}
