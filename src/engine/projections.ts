import type { Clock } from './clock.ts'
import { PreconditionError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import type { EventRegistry } from './events.ts'
import { closeFollower, type Follower } from './follower.ts'
import { joining } from './joining.ts'
import { liveFolding } from './live-folding.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { Projection } from './projection.ts'
import { openProjections } from './projection-opening.ts'
import { isDamaged, projectionRecovery } from './projection-recovery.ts'
import { type ProjectionStatus, type Running, statusOf, stillBuilding } from './projection-status.ts'
import { type Reader, readerOf } from './query.ts'
import { rate } from './rate.ts'
import type { ReadStore } from './read-store.ts'
import { type Builder, rebuilds } from './rebuilds.ts'
import { waiters } from './waiters.ts'

/** The read models as those who ask for them see them. */
export interface ReadModels {
  /**
   * Reads a projection's live documents, or those of the generation that a cursor was made on.
   * @throws UnavailableError while it is built for the first time
   * @throws PreconditionError when the cursor's generation is gone
   */
  reader(name: string, generationId?: string): Reader
  /** Resolves once the projection has seen a position. @throws UnavailableError when that takes too long */
  waitFor(name: string, position: number, timeoutMs: number): Promise<void>
  /** Folds what has come already: for readers who don't say what they wait for. */
  freshen(name: string): Promise<void>
  /** How far a projection has come: what is read after this has seen at least so much. */
  position(name: string): number
  status(): readonly ProjectionStatus[]
  /** How many wait for a position. */
  waiting(): number
  /** Builds a new generation in the background and swaps it in; resolves when it is live, or where others build it, when they were asked. */
  rebuild(name: string): Promise<void>
  /** Lets a stopped projection go on behind the event that stopped it. */
  skipPoison(name: string): Promise<void>
}

export interface Projections extends ReadModels {
  /** Opens what is there, builds what is missing in the background, and follows the log. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface ProjectionsOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly registry: EventRegistry
  readonly projections: readonly Projection[]
  readonly builder: Builder
  readonly clock: Clock
  /** How long readers that hold the old generation of a rebuilt projection can go on. */
  readonly retirementMs: number
  /** Told when a projection stops, a rebuild fails, or the log can't be followed. */
  readonly onFailure: (error: unknown, projection?: string) => void
}

/**
 * Keeps the read models, and answers how far each has come. All that is changed of them takes turns: `liveFolding` folds what
 * comes into those that follow the log, `joining` brings others up to them, `rebuilds` makes new generations and swaps them
 * in, `projectionRecovery` brings back what could not go on.
 */
export function projections(options: ProjectionsOptions): Projections {
  const { store, readStore, registry, clock, retirementMs, builder, onFailure } = options
  const all = new Map<string, Running>(
    options.projections.map((definition) => [
      definition.name,
      {
        definition,
        waiters: waiters(clock, `The projection ${definition.name}`),
        folded: rate(clock),
        levelAtMs: clock.monotonic(),
      },
    ]),
  )
  const stopping = new AbortController()
  const { signal } = stopping
  const { run: exclusive, ended } = oneAtATime()

  function runningOf(name: string): Running {
    const running = all.get(name)
    if (!running) throw new Error(`There is no projection ${name}`)
    return running
  }

  const folding = liveFolding({
    store,
    registry,
    clock,
    all,
    signal,
    exclusive,
    onStopped: (running, error) => recovery.stop(running, error),
    withRetired: (running, run) => recovery.withRetired(running, run),
    onFailure,
  })
  const { position, head, flushLater } = folding
  const { join, reach } = joining({ store, registry, signal, exclusive, position, flushLater })
  const { makeLive, drop, rebuildAll, buildMissing } = rebuilds({
    store,
    readStore,
    clock,
    builder,
    retirementMs,
    signal,
    runningOf,
    headPosition: head,
    exclusive,
    join,
    onFailure,
  })
  const recovery = projectionRecovery({
    logId: store.logId,
    clock,
    signal,
    exclusive,
    join,
    reach,
    drop,
    buildMissing,
    onFailure,
  })

  function readerFor(running: Running, follower: Follower): Reader {
    return readerOf(follower.generation, (error) => {
      if (isDamaged(error) && running.live === follower) recovery.stop(running, error)
    })
  }

  return {
    async start() {
      folding.sawHead((await store.head()).position)
      const opened = await openProjections({ store, readStore, all, head: head(), makeLive, onFailure })
      const { missing, unfinished } = opened
      folding.follow(opened.position)
      for (const running of all.values()) {
        running.waiters.reached(running.live?.position ?? 0)
        // One that is far behind, as behind a poison event, must not make the others read all that again.
        if (running.live && running.live.position < position()) recovery.catchUp(running, running.live)
      }
      const names = [...new Set([...missing, ...unfinished.keys()])]
      if (names.length > 0) buildMissing(names, unfinished)
    },

    reader(name, generationId) {
      const { live, retired } = runningOf(name)
      if (generationId !== undefined) {
        const found = [live, retired].find((follower) => follower?.generation.id === generationId)
        if (found) return readerFor(runningOf(name), found)
        if (live)
          throw new PreconditionError(
            'cursor-expired',
            'The read model was rebuilt since this cursor was made. Begin again at the first page.',
          )
      }
      if (live) return readerFor(runningOf(name), live)
      throw stillBuilding(runningOf(name))
    },

    async waitFor(name, position, timeoutMs) {
      const running = runningOf(name)
      const reached = running.waiters.until(position, timeoutMs)
      if (position <= folding.position() && (running.live?.position ?? 0) < position) void folding.fold(running)
      await reached
    },

    freshen: async (name) => folding.freshen(runningOf(name)),

    position: (name) => runningOf(name).live?.position ?? 0,

    status: () => [...all.values()].map((running) => statusOf(running, head(), folding.failure(), clock.monotonic())),

    waiting: () => all.values().reduce((sum, running) => sum + running.waiters.count(), 0),

    rebuild(name) {
      return runningOf(name).rebuilding ?? rebuildAll([name], new Map())
    },

    skipPoison: async (name) => recovery.skipPoison(runningOf(name)),

    async stop() {
      stopping.abort()
      await folding.stop()
      await Promise.allSettled([...all.values()].flatMap(({ rebuilding }) => (rebuilding ? [rebuilding] : [])))
      await ended()
      for (const { live, retired } of all.values()) {
        for (const follower of [live, retired]) {
          if (follower) await closeFollower(store, follower).catch(onFailure)
        }
      }
    },
  }
}
