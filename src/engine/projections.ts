import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, pause } from './clock.ts'
import { NewerVersionError, PreconditionError, UnavailableError } from './errors.ts'
import type { EventBatch, EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { advance, closeFollower, type Follower, flush, followerAt, openFollower, passOver } from './follower.ts'
import { type Projection, specOf } from './projection.ts'
import { type ProjectionStatus, type Running, statusOf, stillBuilding } from './projection-status.ts'
import { PoisonEventError } from './projector.ts'
import { type Reader, readerOf } from './query.ts'
import { rate } from './rate.ts'
import type { GenerationInfo, ReadStore } from './read-store.ts'
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

const liveBatchSize = 200
/**
 * What this much time has brought is folded together, so that a document that many events touch is written once. Whoever
 * waits for an event has it folded at once.
 */
const foldEveryMs = 50
/** How long a reader who says nothing of what they wait for waits for it. */
const longestFreshenMs = 100
/** Most events that wait to be folded. One read model folds them in one turn of the event loop, which requests wait for. */
const maxUnfolded = 1_000
/** What this much time has brought is kept at once. After a crash so much is folded again. */
const flushEveryMs = 250

/** The end of the log, which not all read models have yet. */
interface Unfolded {
  /** All read models that follow have what is up to here. */
  readonly after: number
  readonly events: readonly Recorded[]
  /** The batch that the events end with. */
  readonly tip: EventBatch | undefined
}

/** Whether a generation can't be read any more, and counts as not there. */
function isDamaged(error: unknown): boolean {
  return error instanceof UnavailableError && error.code === 'generation-corrupt'
}

/** Keeps the read models: follows the log once for all of them, rebuilds them, answers how far each has come. */
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
  let feedPosition = 0
  let headPosition = 0
  let unfolded: Unfolded = { after: 0, events: [], tip: undefined }
  let following: Promise<void> = Promise.resolve()
  /** Why nothing follows the log now. */
  let feedFailure: string | undefined

  /** Batches and changes of what follows the log take turns. */
  let turns: Promise<unknown> = Promise.resolve()
  let folding: Promise<void> = Promise.resolve()
  let cancelFold: (() => void) | undefined
  let cancelFlush: (() => void) | undefined
  function exclusive<T>(run: () => Promise<T>): Promise<T> {
    const turn = turns.then(run)
    turns = turn.catch(() => undefined)
    return turn
  }

  function runningOf(name: string): Running {
    const running = all.get(name)
    if (!running) throw new Error(`There is no projection ${name}`)
    return running
  }

  /** Folds what has come into one read model. */
  async function fold(running: Running): Promise<void> {
    const { after, events, tip } = unfolded
    if (
      stopping.signal.aborted ||
      tip === undefined ||
      running.stoppedBy ||
      running.failure ||
      running.isBehind ||
      !running.live
    )
      return
    const { live } = running
    const foldedBefore = live.folded
    try {
      await advance(store.logId, running.definition, live, events, tip)
      running.folded.add(live.folded - foldedBefore)
      if (live.position >= headPosition) running.levelAtMs = clock.monotonic()
      running.waiters.reached(live.position)
    } catch (error) {
      stopRunning(running, error)
    }
    await withRetired(running, async (retired) => {
      // One that had stopped before it was replaced has gaps to fill, and stays as it was.
      if (retired.position >= after) await advance(store.logId, running.definition, retired, events, tip)
    })
    flushLater()
  }

  /** What goes wrong with the retired generation is no trouble of the live one. */
  async function withRetired(running: Running, run: (retired: Follower) => Promise<void>): Promise<void> {
    const { retired } = running
    if (!retired) return
    try {
      await run(retired)
    } catch (error) {
      onFailure(error, running.definition.name)
      dropRetired(running)
    }
  }

  function dropRetired(running: Running): void {
    const { retired } = running
    delete running.retired
    if (retired) drop(retired).catch((error: unknown) => onFailure(error, running.definition.name))
  }

  async function foldAll(): Promise<void> {
    cancelFold?.()
    cancelFold = undefined
    const { tip } = unfolded
    if (tip === undefined) return
    for (const running of all.values()) {
      await exclusive(() => fold(running))
      await nextTurn()
    }
    const events = unfolded.events.filter(({ position }) => position > tip.position)
    unfolded = { after: tip.position, events, tip: unfolded.tip === tip ? undefined : unfolded.tip }
  }

  function foldAllInTurn(): Promise<void> {
    folding = folding.then(foldAll)
    return folding
  }

  /** Takes a batch from the log, and has it folded: at once where somebody waits, else with what comes soon. */
  async function take(batch: EventBatch): Promise<void> {
    const events = [...unfolded.events, ...batch.events.map(registry.upcast)]
    unfolded = { after: unfolded.after, events, tip: batch }
    feedPosition = batch.position
    headPosition = Math.max(headPosition, batch.position)
    for (const running of all.values()) {
      if (running.waiters.areFor(feedPosition)) void exclusive(() => fold(running))
    }
    if (unfolded.events.length >= maxUnfolded) await foldAllInTurn()
    else cancelFold ??= clock.after(foldEveryMs, () => void foldAllInTurn())
  }

  /** Folds one read model, if the others leave it time. */
  async function freshened(running: Running): Promise<void> {
    const done = new AbortController()
    const folded = exclusive(() => fold(running)).finally(() => done.abort())
    await Promise.race([folded, pause(clock, longestFreshenMs, done.signal)])
  }

  function flushLater(): void {
    if (stopping.signal.aborted) return
    cancelFlush ??= clock.after(flushEveryMs, () => {
      cancelFlush = undefined
      for (const running of all.values()) void exclusive(() => flushRunning(running))
    })
  }

  async function flushRunning(running: Running): Promise<void> {
    try {
      if (running.live) await flush(running.live)
    } catch (error) {
      stopRunning(running, error)
    }
    await withRetired(running, flush)
  }

  async function follow(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        headPosition = Math.max(headPosition, (await store.head()).position)
        if (headPosition <= feedPosition) feedFailure = undefined
        for await (const batch of store.subscribe({
          after: feedPosition,
          batchSize: liveBatchSize,
          signal: stopping.signal,
        })) {
          await take(batch)
          failures = 0
          feedFailure = undefined
        }
      } catch (error) {
        feedFailure = error instanceof Error ? error.message : String(error)
        onFailure(error)
        // A newer event is no fault that time mends: another version of Daybook has to go on.
        if (error instanceof NewerVersionError) return
        failures++
        await pause(clock, Math.min(5_000, 100 * 2 ** failures), stopping.signal)
      }
    }
  }

  const { makeLive, drop, rebuildAll } = rebuilds({
    store,
    readStore,
    clock,
    builder,
    retirementMs,
    signal: stopping.signal,
    runningOf,
    headPosition: () => headPosition,
    exclusive,
    join,
    onFailure,
  })

  /** Brings a follower up to where the others are, in slices between which the others go on, and then lets it go with them. */
  async function join(running: Running, follower: Follower, attach: () => Promise<void> | void): Promise<void> {
    const joined = () =>
      exclusive(async () => {
        if (follower.position < Math.max(feedPosition, running.live?.position ?? 0)) return false
        await attach()
        return true
      })
    while (!stopping.signal.aborted && !(await joined())) {
      let place = follower.position
      for await (const batch of store.readAll({ after: place, batchSize: 500 })) {
        const isInPlace = await exclusive(async () => {
          // A flush that failed has put it back: to go on from here would leave a gap.
          if (follower.position !== place || stopping.signal.aborted) return false
          await advance(store.logId, running.definition, follower, batch.events.map(registry.upcast), batch)
          place = follower.position
          return true
        })
        if (!isInPlace || place >= feedPosition) break
      }
      flushLater()
    }
  }

  /** Brings a follower up to an event that is to be passed over: a flush that failed may have put it further back. */
  async function reach(running: Running, follower: Follower, { position }: Recorded): Promise<void> {
    for await (const batch of store.readAll({ after: follower.position, batchSize: 500 })) {
      const events = batch.events.map(registry.upcast).filter((event) => event.position < position)
      const last = events.at(-1)
      if (last) {
        const to = { ...batch, position: last.position, eventId: last.id }
        await advance(store.logId, running.definition, follower, events, to)
      }
      if (batch.position >= position) return
    }
  }

  /** Lets a projection go on from where it was, apart from the others until it is where they are. */
  function catchUp(running: Running, live: Follower, failures: number): void {
    running.isBehind = true
    const isReplaced = () => running.live !== live || stopping.signal.aborted
    join(running, live, () => {
      if (isReplaced()) return
      delete running.isBehind
      delete running.failure
      running.waiters.reached(live.position)
    }).catch((error: unknown) => {
      if (!isReplaced()) stopRunning(running, error, failures + 1)
    })
  }

  /** Lets a projection that could not write try again. */
  function recoverLater(running: Running, failures: number): void {
    clock.after(Math.min(30_000, 500 * 2 ** failures), () => {
      if (running.live && !stopping.signal.aborted) catchUp(running, running.live, failures)
    })
  }

  function readerFor(running: Running, follower: Follower): Reader {
    return readerOf(follower.generation, (error) => {
      if (isDamaged(error) && running.live === follower) stopRunning(running, error)
    })
  }

  /** @param failures tries to recover that have failed; undefined where this was none */
  function stopRunning(running: Running, error: unknown, failures?: number): void {
    const { live } = running
    const { name } = running.definition
    const isRecovering = running.failure !== undefined || running.isBehind === true
    running.waiters.reached(live?.position ?? 0)
    // Only the live generation catches up again.
    dropRetired(running)
    if (error instanceof PoisonEventError) {
      running.stoppedBy = error
      delete running.failure
      delete running.isBehind
    } else if (live && isDamaged(error)) {
      delete running.live
      delete running.failure
      delete running.isBehind
      drop(live).catch((failure: unknown) => onFailure(failure, name))
      void buildAfter(running)
    } else {
      running.failure = error instanceof Error ? error.message : String(error)
      if (failures !== undefined || !isRecovering) recoverLater(running, failures ?? 0)
    }
    onFailure(error, name)
  }

  /** Builds a read model that was lost, unless a rebuild that is under way brings another. */
  async function buildAfter(running: Running): Promise<void> {
    await running.rebuilding?.catch(() => {})
    if (!running.live && !stopping.signal.aborted) buildMissing([running.definition.name], new Map(), 0)
  }

  function isBuilt({ live, outdated }: Running): boolean {
    return live !== undefined && live !== outdated
  }

  /** The live generation of an older version that the present one can go on with. */
  async function predecessorOf(
    definition: Projection,
    known: readonly GenerationInfo[],
  ): Promise<Follower | undefined> {
    const { name, version, goesOnFrom = version } = definition
    const found = known.find(
      (info) =>
        info.projection === name && info.state === 'live' && info.version < version && info.version >= goesOnFrom,
    )
    return found && (await openFollower(store, readStore, found.id, { ...definition, version: found.version }))
  }

  /** Builds what there is nothing of yet; what fails is tried again, for its cause may be gone by then. */
  function buildMissing(names: readonly string[], unfinished: ReadonlyMap<string, string>, failures: number): void {
    rebuildAll(names, unfinished).catch((error: unknown) => {
      onFailure(error)
      clock.after(Math.min(600_000, 30_000 * 2 ** failures), () => {
        const missing = names.filter((name) => !isBuilt(runningOf(name)) && !runningOf(name).rebuilding)
        if (missing.length > 0 && !stopping.signal.aborted) buildMissing(missing, new Map(), failures + 1)
      })
    })
  }

  return {
    async start() {
      const { position: head } = await store.head()
      headPosition = head
      const known = await readStore.generations()
      const missing: string[] = []
      const unfinished = new Map<string, string>()
      for (const [name, running] of all) {
        const own = known.filter(
          ({ projection, version }) => projection === name && version === running.definition.version,
        )
        const live = own.find(({ state }) => state === 'live')
        const follower = live && (await openFollower(store, readStore, live.id, running.definition))
        const newer = known.find(
          ({ projection, version, state }) =>
            projection === name && state === 'live' && version > running.definition.version,
        )
        const predecessor = follower || newer ? undefined : await predecessorOf(running.definition, known)
        if (follower) {
          running.live = follower
          // A newer version has begun to build its own, and may have gone on with this one until then.
          const isTakenOver = known.some(
            ({ projection, version, state }) =>
              projection === name && state === 'building' && version > running.definition.version,
          )
          if (isTakenOver) {
            running.outdated = follower
            missing.push(name)
          }
        } else if (predecessor) {
          running.live = predecessor
          running.outdated = predecessor
          missing.push(name)
        } else if (newer && head > 0) {
          const { version } = running.definition
          running.failure = `Version ${newer.version} of ${name} is live, and this Daybook has version ${version}. Use a newer Daybook, or rebuild ${name} to go back.`
          onFailure(new Error(running.failure), name)
        } else if (head === 0) {
          await exclusive(async () => {
            const generation = await readStore.createGeneration(specOf(running.definition))
            await makeLive(running, followerAt(generation, 0))
          })
        } else missing.push(name)
        const building = own.find(({ state }) => state === 'building')
        if (building) unfinished.set(name, building.id)
      }
      const kept = new Set([
        ...[...all.values()].flatMap(({ live }) => (live ? [live.generation.id] : [])),
        ...unfinished.values(),
      ])
      // Those of projections that are not there now wait for them: an extension may be left out for a while.
      const stale = known.filter(
        ({ id, state, projection }) => !kept.has(id) && state !== 'live' && all.has(projection),
      )
      for (const { id } of stale) await readStore.dropGeneration(id)
      const positions = [...all.values()].flatMap(({ live }) => (live ? [live.position] : []))
      feedPosition = positions.length > 0 ? Math.max(...positions) : head
      unfolded = { after: feedPosition, events: [], tip: undefined }
      for (const running of all.values()) {
        running.waiters.reached(running.live?.position ?? 0)
        // One that is far behind, as behind a poison event, must not make the others read all that again.
        if (running.live && running.live.position < feedPosition) catchUp(running, running.live, 0)
      }
      following = follow()
      const names = [...new Set([...missing, ...unfinished.keys()])]
      if (names.length > 0) buildMissing(names, unfinished, 0)
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
      if (position <= feedPosition && (running.live?.position ?? 0) < position) void exclusive(() => fold(running))
      await reached
    },

    async freshen(name) {
      const running = runningOf(name)
      const { live, stoppedBy, failure, isBehind } = running
      if (!live || live.position >= feedPosition || stoppedBy || failure || isBehind) return
      running.freshening ??= freshened(running).finally(() => {
        delete running.freshening
      })
      await running.freshening
    },

    position: (name) => runningOf(name).live?.position ?? 0,

    status: () => [...all.values()].map((running) => statusOf(running, headPosition, feedFailure, clock.monotonic())),

    waiting: () => all.values().reduce((sum, running) => sum + running.waiters.count(), 0),

    rebuild(name) {
      return runningOf(name).rebuilding ?? rebuildAll([name], new Map())
    },

    async skipPoison(name) {
      const running = runningOf(name)
      const { stoppedBy, live } = running
      if (!stoppedBy || !live)
        throw new PreconditionError('not-stopped', `The projection ${name} is not stopped by an event.`)
      await exclusive(async () => {
        if (running.stoppedBy !== stoppedBy) return
        await reach(running, live, stoppedBy.event)
        await passOver(store.logId, live, stoppedBy.event)
      })
      await join(running, live, () => {
        delete running.stoppedBy
        running.waiters.reached(live.position)
      }).catch((error: unknown) => stopRunning(running, error))
    },

    async stop() {
      stopping.abort()
      cancelFold?.()
      cancelFlush?.()
      await following
      await folding
      await Promise.allSettled([...all.values()].flatMap(({ rebuilding }) => (rebuilding ? [rebuilding] : [])))
      await turns
      for (const { live, retired } of all.values()) {
        for (const follower of [live, retired]) {
          if (follower) await closeFollower(store, follower).catch(onFailure)
        }
      }
    },
  }
}
