import type { BuildFailure, BuildProgress, BuildTarget } from './build.ts'
import type { Clock } from './clock.ts'
import type { EventStore } from './event-store.ts'
import { closeFollower, type Follower, openFollower } from './follower.ts'
import type { Joining } from './joining.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import { specOf } from './projection.ts'
import type { Running } from './projection-status.ts'
import type { ReadStore } from './read-store.ts'

/**
 * Builds generations up to about the head of the log, elsewhere: the thread that answers requests does no long work.
 * It resolves with those that could not be built.
 */
export type Builder = (
  targets: readonly BuildTarget[],
  onProgress: (progress: BuildProgress) => void,
  signal: AbortSignal,
) => Promise<readonly BuildFailure[]>

interface RebuildsOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly clock: Clock
  readonly builder: Builder
  /** How long readers that hold the old generation can go on. */
  readonly retirementMs: number
  readonly signal: AbortSignal
  readonly runningOf: (name: string) => Running
  readonly headPosition: () => number
  /** Runs while nothing is folded. */
  readonly exclusive: OneAtATime['run']
  readonly join: Joining['join']
  readonly onFailure: (error: unknown, projection?: string) => void
}

export interface Rebuilds {
  /** Lets queries read a generation from now on; the one before it is kept for a while. */
  makeLive(running: Running, follower: Follower): Promise<void>
  drop(follower: Follower): Promise<void>
  /**
   * Builds new generations and swaps them in, one build of a projection at a time.
   * @param unfinished ids of generations, by projection, whose build was cut off and goes on
   */
  rebuildAll(names: readonly string[], unfinished: ReadonlyMap<string, string>): Promise<void>
  /** Builds what there is nothing of yet, as `rebuildAll`; what fails is tried again, for its cause may be gone by then. */
  buildMissing(names: readonly string[], unfinished: ReadonlyMap<string, string>): void
}

const shortestRestMs = 30_000
const longestRestMs = 600_000

function isBuilt({ live, outdated }: Running): boolean {
  return live !== undefined && live !== outdated
}

/** New generations of read models: built elsewhere, joined with those that follow the log, swapped in, and the old ones dropped. */
export function rebuilds(options: RebuildsOptions): Rebuilds {
  const {
    store,
    readStore,
    clock,
    builder,
    retirementMs,
    signal,
    runningOf,
    headPosition,
    exclusive,
    join,
    onFailure,
  } = options

  async function makeLive(running: Running, follower: Follower): Promise<void> {
    const old = running.live
    await readStore.makeLive(follower.generation.id)
    running.live = follower
    delete running.outdated
    delete running.stoppedBy
    delete running.failure
    delete running.isBehind
    running.waiters.reached(follower.position)
    if (!old) return
    const before = running.retired
    running.retired = old
    // The new one is live, whatever becomes of the others; the next start drops what is left.
    if (before) await drop(before).catch((error: unknown) => onFailure(error, running.definition.name))
    clock.after(retirementMs, () => {
      if (signal.aborted) return
      exclusive(async () => {
        if (running.retired !== old) return
        delete running.retired
        await drop(old)
      }).catch((error: unknown) => onFailure(error, running.definition.name))
    })
  }

  async function drop({ generation }: Follower): Promise<void> {
    await generation.close()
    await readStore.dropGeneration(generation.id)
  }

  async function buildAndSwap(names: readonly string[], unfinished: ReadonlyMap<string, string>): Promise<void> {
    const targets: BuildTarget[] = []
    for (const projection of names) {
      const { definition } = runningOf(projection)
      const found = unfinished.get(projection)
      const follower = found === undefined ? undefined : await openFollower(store, readStore, found, definition)
      const generation = follower?.generation ?? (await readStore.createGenerationToFill(specOf(definition)))
      // The builder opens it for itself: one thread writes at a time.
      await generation.close()
      targets.push({ projection, generationId: generation.id })
    }
    const report = (progress: BuildProgress) => {
      for (const name of names) runningOf(name).rebuild = progress
    }
    try {
      if (signal.aborted) return
      const failures = await builder(targets, report, signal)
      if (signal.aborted) return
      const messages = failures.map(({ message }) => message)
      for (const { projection, generationId } of targets) {
        if (failures.some((failure) => failure.generationId === generationId)) continue
        // What else was built is good, whatever becomes of this one.
        await swapIn(projection, generationId).catch((error: unknown) => messages.push(String(error)))
      }
      if (messages.length > 0) throw new Error(messages.join('\n'))
    } finally {
      for (const { projection, generationId } of targets) {
        const { live } = runningOf(projection)
        // What a stop interrupts goes on after the next start.
        if (live?.generation.id !== generationId && !signal.aborted) await readStore.dropGeneration(generationId)
      }
    }
  }

  async function swapIn(name: string, generationId: string): Promise<void> {
    const running = runningOf(name)
    const follower = await openFollower(store, readStore, generationId, running.definition)
    if (!follower) throw new Error(`The new generation of ${name} can't be opened`)
    await join(running, follower, () => makeLive(running, follower))
    if (running.live !== follower) await closeFollower(store, follower)
  }

  /** One build of a projection at a time; who asks meanwhile waits for that. */
  function rebuildAll(names: readonly string[], unfinished: ReadonlyMap<string, string>): Promise<void> {
    for (const name of names) {
      const running = runningOf(name)
      running.rebuild = { position: 0, head: headPosition(), events: 0, elapsedMs: 0 }
      delete running.rebuildFailure
    }
    const build = buildAndSwap(names, unfinished)
      .catch((error: unknown) => {
        for (const name of names)
          runningOf(name).rebuildFailure = error instanceof Error ? error.message : String(error)
        throw error
      })
      .finally(() => {
        for (const name of names) {
          delete runningOf(name).rebuilding
          delete runningOf(name).rebuild
        }
      })
    for (const name of names) runningOf(name).rebuilding = build
    return build
  }

  function buildMissing(names: readonly string[], unfinished: ReadonlyMap<string, string>, failures: number): void {
    rebuildAll(names, unfinished).catch((error: unknown) => {
      onFailure(error)
      clock.after(Math.min(longestRestMs, shortestRestMs * 2 ** failures), () => {
        const missing = names.filter((name) => !isBuilt(runningOf(name)) && !runningOf(name).rebuilding)
        if (missing.length > 0 && !signal.aborted) buildMissing(missing, new Map(), failures + 1)
      })
    })
  }

  return {
    makeLive,
    drop,
    rebuildAll,
    buildMissing: (names, unfinished) => buildMissing(names, unfinished, 0),
  }
}
