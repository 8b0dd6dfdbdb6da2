import type { EventStore } from './event-store.ts'
import { type Follower, followerAt, openFollower } from './follower.ts'
import { type Projection, specOf } from './projection.ts'
import { newerIsLive, type Running } from './projection-status.ts'
import type { GenerationInfo, ReadStore } from './read-store.ts'

/** What a start has found to be done. */
export interface Opened {
  /** Where the furthest of those is that can be read; the head where there is none. */
  readonly position: number
  /** Projections that have to be built. */
  readonly missing: readonly string[]
  /** Ids of generations, by projection, whose build was cut off and goes on. */
  readonly unfinished: ReadonlyMap<string, string>
}

export interface OpeningOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly all: ReadonlyMap<string, Running>
  /** Position of the log's last event. */
  readonly head: number
  readonly makeLive: (running: Running, follower: Follower) => Promise<void>
  readonly onFailure: (error: unknown, projection: string) => void
}

/** What the read store has of a projection. */
interface Kept {
  /** Of the version that is asked for. */
  readonly live?: GenerationInfo | undefined
  /** Its build was cut off. */
  readonly building?: GenerationInfo | undefined
  /** The live one of an older version that this one can go on with. */
  readonly predecessor?: GenerationInfo | undefined
  /** The live one of a newer version. */
  readonly newer?: GenerationInfo | undefined
  /** A newer version has begun to build its own, and may have gone on with the live one until then. */
  readonly isTakenOver: boolean
}

function keptOf({ name, version, goesOnFrom = version }: Projection, known: readonly GenerationInfo[]): Kept {
  const kept = known.filter(({ projection }) => projection === name)
  const own = kept.filter((each) => each.version === version)
  const older = kept.filter((each) => each.version < version && each.version >= goesOnFrom)
  const later = kept.filter((each) => each.version > version)
  return {
    live: own.find(({ state }) => state === 'live'),
    building: own.find(({ state }) => state === 'building'),
    predecessor: older.find(({ state }) => state === 'live'),
    newer: later.find(({ state }) => state === 'live'),
    isTakenOver: later.some(({ state }) => state === 'building'),
  }
}

/** Opens what is there of each projection, says what has to be built, and drops what is of no use any more. */
export async function openProjections(options: OpeningOptions): Promise<Opened> {
  const { store, readStore, all, head, makeLive, onFailure } = options

  /** @returns whether it has to be built */
  async function open(running: Running, { live, predecessor, newer, isTakenOver }: Kept): Promise<boolean> {
    const { definition } = running
    const follower = live && (await openFollower(store, readStore, live.id, definition))
    if (follower) {
      running.live = follower
      if (isTakenOver) running.outdated = follower
      return isTakenOver
    }
    if (predecessor && !newer) {
      const older = { ...definition, version: predecessor.version }
      const outdated = await openFollower(store, readStore, predecessor.id, older)
      if (outdated) {
        running.live = outdated
        running.outdated = outdated
        return true
      }
    }
    if (newer && head > 0) {
      running.failure = newerIsLive(definition, newer.version)
      onFailure(new Error(running.failure), definition.name)
      return false
    }
    if (head > 0) return true
    const generation = await readStore.createGeneration(specOf(definition))
    await makeLive(running, followerAt(generation, 0))
    return false
  }

  const known = await readStore.generations()
  const missing: string[] = []
  const unfinished = new Map<string, string>()
  for (const [name, running] of all) {
    const kept = keptOf(running.definition, known)
    if (await open(running, kept)) missing.push(name)
    if (kept.building) unfinished.set(name, kept.building.id)
  }
  const followers = [...all.values()].flatMap(({ live }) => live ?? [])
  const inUse = new Set([...followers.map(({ generation }) => generation.id), ...unfinished.values()])
  // Those of projections that are not there now wait for them: an extension may be left out for a while.
  const stale = known.filter(({ id, state, projection }) => !inUse.has(id) && state !== 'live' && all.has(projection))
  for (const { id } of stale) await readStore.dropGeneration(id)
  const position = followers.length > 0 ? Math.max(...followers.map((follower) => follower.position)) : head
  return { position, missing, unfinished }
}

/** The names of projections that have live documents, and are none of those that are known. */
export function unknownProjections(
  generations: readonly GenerationInfo[],
  known: readonly Projection[],
): readonly string[] {
  const names = new Set(known.map(({ name }) => name))
  const live = generations.filter(({ state, projection }) => state === 'live' && !names.has(projection))
  return [...new Set(live.map(({ projection }) => projection))]
}
