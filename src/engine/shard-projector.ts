import type { BuildProgress } from './build.ts'
import type { Clock } from './clock.ts'
import type { ShardStatus } from './cluster-member.ts'
import { FencedError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import type { Feed } from './feed.ts'
import type { Held } from './ownership.ts'
import type { Projection } from './projection.ts'
import { newerIsLive } from './projection-status.ts'
import { PoisonEventError } from './projector.ts'
import type { Fences, GenerationInfo, ReadStore } from './read-store.ts'
import type { Builder } from './rebuilds.ts'
import { type BuildOrder, shardBuilds } from './shard-builds.ts'
import { runShards, type ShardRun } from './shard-run.ts'
import { fencesOf, sameTokens } from './shards.ts'
import type { Signal } from './signal.ts'

export interface ShardProjector {
  /** Runs what is held from now on, and nothing else; resolves once what is lost is let go of. */
  apply(held: Held): Promise<void>
  /** Builds a new generation, if this process holds the projection's first shard. @returns false if it does not */
  rebuild(name: string): boolean
  /** Lets what an event has stopped here go on behind it; nothing happens where another event has. */
  skipPoison(name: string, eventId: string): void
  /** Looks whether other processes have swapped a generation. */
  look(): void
  status(): readonly ShardStatus[]
  stop(): Promise<void>
}

export interface ShardProjectorOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly feed: Feed
  readonly signal: Signal
  readonly clock: Clock
  readonly projections: readonly Projection[]
  readonly builder: Builder
  /** Hash shards of each projection. */
  readonly shards: number
  /** How long readers of the old generation of a rebuilt projection can go on. */
  readonly retirementMs: number
  /** Whether some process answers queries with a version of a projection. */
  readonly isServed: (generation: Pick<GenerationInfo, 'projection' | 'version'>) => boolean
  /** Told when another process turns out to hold a shard. */
  readonly onFenced: (lease: string) => void
  readonly onFailure: (error: unknown, projection: string) => void
}

/** Name of the lease on a shard of a projection: each version is shared out for itself, so that several can run side by side. */
export function projectionLease({ name, version }: Pick<Projection, 'name' | 'version'>, shard: number): string {
  return `projection:${name}@${version}/${shard}`
}

/** Sent when a generation was swapped. */
export const swapSignal = '*'

const lookEveryMs = 1_000
const buildRestMs = 5_000
const longestBuildRestMs = 600_000
const lowerVersionsKeptMs = 3_600_000

interface Seat {
  readonly definition: Projection
  fences: Fences
  /** By generation. */
  readonly runs: Map<string, ShardRun>
  /** Since when a generation is not the live one any more. */
  readonly retiredSince: Map<string, number>
  readonly skipped: Set<string>
  /** Generations that were made from another log, or with other collections. */
  readonly unusable: Set<string>
  stoppedBy?: PoisonEventError
  failure?: string
  rebuild?: BuildProgress
  rebuildFailure?: string
  isAsked: boolean
  /** Builds in a row that failed, and until when the next one waits. */
  failedBuilds: number
  nextBuildAtMs: number
}

/** The generation that a version of a projection is read from. */
export function currentOf(
  generations: readonly GenerationInfo[],
  { name, version }: Pick<Projection, 'name' | 'version'>,
): GenerationInfo | undefined {
  const own = generations.filter((each) => each.projection === name && each.version === version)
  return own.find(({ state }) => state === 'live') ?? own.findLast(({ state }) => state === 'retired')
}

function failureOf(runs: ReadonlyMap<string, ShardRun>): string | undefined {
  return [...runs.values()].map((run) => run.failure()).find((failure) => failure !== undefined)
}

/** Folds the hash shards of read models that this process holds; whoever holds the first one builds and swaps generations. */
export function shardProjector(options: ShardProjectorOptions): ShardProjector {
  const { store, readStore, feed, signal, clock, builder, shards, retirementMs, isServed, onFenced, onFailure } =
    options
  const seats = new Map<string, Seat>(
    options.projections.map((definition) => [
      definition.name,
      {
        definition,
        fences: new Map(),
        runs: new Map(),
        retiredSince: new Map(),
        skipped: new Set(),
        unusable: new Set(),
        isAsked: false,
        failedBuilds: 0,
        nextBuildAtMs: 0,
      },
    ]),
  )
  const stopping = new AbortController()
  let looking: Promise<void> = Promise.resolve()
  let building: { readonly seats: readonly Seat[]; readonly stopping: AbortController; done: Promise<void> } | undefined
  let cancelLook = () => {}
  const buildAll = shardBuilds({
    store,
    readStore,
    feed,
    builder,
    shards,
    onSwapped() {
      signal.send([swapSignal])
      void look()
    },
  })

  function startRun(seat: Seat, id: string): void {
    const { definition, fences, skipped } = seat
    const run = runShards({
      store,
      readStore,
      feed,
      clock,
      definition,
      generationId: id,
      part: { of: shards, fences },
      skipped,
      onSaved: () => signal.send([definition.name]),
      onFailure(error) {
        onFailure(error, definition.name)
        if (error instanceof PoisonEventError) seat.stoppedBy = error
        if (error instanceof FencedError)
          for (const shard of fences.keys()) onFenced(projectionLease(definition, shard))
      },
      onUnusable() {
        seat.unusable.add(id)
      },
    })
    seat.runs.set(id, run)
    seat.failedBuilds = 0
    delete seat.stoppedBy
    delete seat.failure
  }

  async function endRun(seat: Seat, id: string): Promise<void> {
    const run = seat.runs.get(id)
    await run?.stop()
    if (seat.runs.get(id) === run) seat.runs.delete(id)
  }

  /** Generations that this process is to write: the current one, and the one before it for a while. */
  function wanted(seat: Seat, generations: readonly GenerationInfo[]): ReadonlySet<string> {
    const current = currentOf(generations, seat.definition)
    const ids = new Set(current ? [current.id] : [])
    for (const id of seat.runs.keys()) {
      if (id === current?.id || seat.unusable.has(id) || !generations.some((each) => each.id === id)) continue
      const since = seat.retiredSince.get(id) ?? clock.monotonic()
      seat.retiredSince.set(id, since)
      if (clock.monotonic() - since < retirementMs) ids.add(id)
    }
    return ids
  }

  async function attend(seat: Seat, generations: readonly GenerationInfo[]): Promise<void> {
    const ids = wanted(seat, generations)
    // One that can't be opened is tried again, until whoever holds the first shard has built another.
    for (const id of [...seat.runs.keys()].filter((each) => seat.unusable.has(each))) await endRun(seat, id)
    for (const [id, run] of seat.runs) {
      const isCurrent = ids.has(id) && sameTokens(run.part.fences, seat.fences)
      if (!isCurrent) await endRun(seat, id)
    }
    if (seat.fences.size === 0 || stopping.signal.aborted) return
    for (const id of ids) if (!seat.runs.has(id)) startRun(seat, id)
    if (seat.fences.has(0)) await dropOld(seat, generations, ids)
  }

  /** How long a generation is kept that nobody is to read any more; undefined for one that somebody is. */
  function keptForMs({ definition }: Seat, info: GenerationInfo): number | undefined {
    if (info.projection !== definition.name || info.state === 'live') return undefined
    if (info.version === definition.version) return info.state === 'retired' ? retirementMs : undefined
    return info.version < definition.version && !isServed(info) ? lowerVersionsKeptMs : undefined
  }

  /** Drops what nobody reads any more. A lower version is kept for long, for those who go back to it. */
  async function dropOld(seat: Seat, generations: readonly GenerationInfo[], kept: ReadonlySet<string>): Promise<void> {
    for (const info of generations) {
      const { id } = info
      const forMs = kept.has(id) ? undefined : keptForMs(seat, info)
      if (forMs === undefined) continue
      const since = seat.retiredSince.get(id) ?? clock.monotonic()
      seat.retiredSince.set(id, since)
      if (clock.monotonic() - since < forMs) continue
      await readStore.dropGeneration(id)
      seat.retiredSince.delete(id)
    }
  }

  /** What has to be built: what was asked for, and what there is nothing of, unless a higher version is there. */
  function isToBuild(seat: Seat, generations: readonly GenerationInfo[]): boolean {
    if (!seat.fences.has(0)) return false
    if (seat.isAsked) return true
    if (clock.monotonic() < seat.nextBuildAtMs) return false
    const { name, version } = seat.definition
    const current = currentOf(generations, seat.definition)
    if (current && !seat.unusable.has(current.id)) return false
    const newer = generations.find(
      (each) => each.projection === name && each.version > version && each.state === 'live',
    )
    if (newer) seat.failure = newerIsLive(seat.definition, newer.version)
    return newer === undefined
  }

  function buildMissing(generations: readonly GenerationInfo[]): void {
    if (building !== undefined) return
    const asked = [...seats.values()].filter((seat) => isToBuild(seat, generations))
    if (asked.length === 0) return
    for (const seat of asked) {
      seat.isAsked = false
      seat.rebuild = { position: 0, head: feed.position(), events: 0, elapsedMs: 0 }
      delete seat.rebuildFailure
    }
    const own = new AbortController()
    const done = buildAll(asked.map(orderOf), generations, AbortSignal.any([stopping.signal, own.signal])).finally(
      () => {
        for (const seat of asked) delete seat.rebuild
        building = undefined
      },
    )
    building = { seats: asked, stopping: own, done }
  }

  function orderOf(seat: Seat): BuildOrder {
    const { definition } = seat
    return {
      definition,
      onProgress(progress) {
        seat.rebuild = progress
      },
      onFailure(error) {
        seat.rebuildFailure = error instanceof Error ? error.message : String(error)
        seat.nextBuildAtMs = clock.monotonic() + Math.min(longestBuildRestMs, buildRestMs * 2 ** seat.failedBuilds++)
        onFailure(error, definition.name)
      },
    }
  }

  async function lookOnce(): Promise<void> {
    if (stopping.signal.aborted) return
    const generations = await readStore.generations()
    await Promise.all([...seats.values()].map((seat) => attend(seat, generations)))
    buildMissing(generations)
  }

  function look(): Promise<void> {
    cancelLook()
    looking = looking
      .then(lookOnce)
      .catch((error: unknown) => onFailure(error, 'projections'))
      .then(() => {
        if (!stopping.signal.aborted) cancelLook = clock.after(lookEveryMs, () => void look())
      })
    return looking
  }

  return {
    async apply(held) {
      const fences = ({ definition }: Seat) => fencesOf(held, shards, (shard) => projectionLease(definition, shard))
      const changed = [...seats.values()].filter((seat) => !sameTokens(seat.fences, fences(seat)))
      for (const seat of changed) {
        seat.fences = fences(seat)
        delete seat.stoppedBy
        delete seat.failure
      }
      // Whoever holds the first shard now goes on with what is built.
      const handedOver = building?.seats.some((seat) => !seat.fences.has(0)) ? building : undefined
      handedOver?.stopping.abort()
      void look()
      await Promise.all([
        handedOver?.done,
        ...changed.flatMap((seat) => [...seat.runs.keys()].map((id) => endRun(seat, id))),
      ])
    },

    rebuild(name) {
      const seat = seats.get(name)
      if (!seat?.fences.has(0)) return false
      seat.isAsked = true
      void look()
      return true
    },

    skipPoison(name, eventId) {
      const seat = seats.get(name)
      if (seat?.stoppedBy?.event.id !== eventId) return
      seat.skipped.add(eventId)
      delete seat.stoppedBy
      void Promise.all([...seat.runs.keys()].map((id) => endRun(seat, id))).then(look)
    },

    look: () => void look(),

    status: () =>
      [...seats.values()].flatMap((seat) => {
        const { definition, fences, runs, stoppedBy, rebuild, rebuildFailure } = seat
        if (fences.size === 0) return []
        const error = stoppedBy?.message ?? seat.failure ?? failureOf(runs) ?? feed.failure()
        const current = [...runs.values()].reduce<ShardRun | undefined>(
          (one, other) => (one && one.position() > other.position() ? one : other),
          undefined,
        )
        return [
          {
            name: definition.name,
            version: definition.version,
            shards: [...fences.keys()],
            position: current?.position() ?? 0,
            lagMs: current?.lagMs() ?? 0,
            eventsPerSecond: current?.eventsPerSecond() ?? 0,
            ...(error !== undefined && { error }),
            ...(stoppedBy && {
              poison: { position: stoppedBy.event.position, eventId: stoppedBy.event.id, type: stoppedBy.event.type },
            }),
            ...(rebuild && { rebuild }),
            ...(rebuildFailure !== undefined && { rebuildFailure }),
          },
        ]
      }),

    async stop() {
      stopping.abort()
      cancelLook()
      await looking
      await building?.done
      for (const seat of seats.values()) for (const id of [...seat.runs.keys()]) await endRun(seat, id)
    },
  }
}
