import type { Checkpoint, EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { type Projection, specOf } from './projection.ts'
import { PoisonEventError, project } from './projector.ts'
import type { Generation, ReadStore } from './read-store.ts'

export interface BuildProgress {
  /** Position that has been reached, and that of the log's head. */
  readonly position: number
  readonly head: number
  readonly events: number
  readonly elapsedMs: number
}

/** A generation that is to be built. */
export interface BuildTarget {
  readonly projection: string
  readonly generationId: string
}

export interface BuildOptions {
  readonly store: Pick<EventStore, 'logId' | 'readAll' | 'head'>
  readonly readStore: Pick<ReadStore, 'openGeneration'>
  readonly registry: EventRegistry
  readonly projections: readonly Projection[]
  readonly now: () => number
  /** Called after each batch that was read; the build goes on when it resolves, which is how it is throttled. */
  readonly onBatch: (progress: BuildProgress) => Promise<void>
  readonly signal: AbortSignal
}

/** Events that are folded together: a document that many of them touch is read and written once. */
const foldedAtOnce = 8_000

interface Place {
  readonly projection: Projection
  readonly generation: Generation
  position: number
  failure?: PoisonEventError
}

/** Why a generation could not be built. */
export interface BuildFailure {
  readonly generationId: string
  readonly message: string
  /** True for an event that it fails on; else another try may go on from where it was. */
  readonly isPoison: boolean
}

/**
 * Folds the log into generations, each from its own checkpoint on, up to the head. The log is read and parsed once for all.
 * @returns those that an event could not be folded into; the others are built all the same
 * @throws NewerVersionError for an event that this version does not know
 */
export async function build(options: BuildOptions, targets: readonly BuildTarget[]): Promise<readonly BuildFailure[]> {
  const places = await Promise.all(targets.map((target) => openPlace(options, target)))
  try {
    await foldLog(options, places)
    return places.flatMap(({ generation, failure }) =>
      failure ? [{ generationId: generation.id, message: failure.message, isPoison: true }] : [],
    )
  } finally {
    for (const { generation } of places) await generation.close()
  }
}

async function openPlace({ readStore, projections }: BuildOptions, target: BuildTarget): Promise<Place> {
  const projection = projections.find(({ name }) => name === target.projection)
  const generation = projection && (await readStore.openGeneration(target.generationId, specOf(projection)))
  if (!projection || !generation) throw new Error(`The new generation of ${target.projection} can't be opened`)
  return { projection, generation, position: (await generation.checkpoint())?.position ?? 0 }
}

async function foldLog(
  { store, registry, now, onBatch, signal }: BuildOptions,
  places: readonly Place[],
): Promise<void> {
  const startedAt = now()
  const types = new Set(places.flatMap(({ projection }) => [...projection.types]))
  /** An event that this version does not know may be one that a newer version folds. */
  const filter = { exceptTypes: new Set([...registry.byType.keys()].filter((type) => !types.has(type))) }
  const after = Math.min(...places.map(({ position }) => position))
  let events = 0
  let unfolded: Recorded[] = []
  let last: Checkpoint | undefined
  for await (const { events: read, position, eventId } of store.readAll({
    after,
    filter,
    batchSize: 2_000,
  })) {
    if (signal.aborted) return
    for (const event of read) unfolded.push(registry.upcast(event))
    last = { logId: store.logId, position, eventId }
    if (unfolded.length >= foldedAtOnce) {
      for (const place of places) await foldInto(place, unfolded, last)
      unfolded = []
    }
    events += read.length
    const { position: head } = await store.head()
    await onBatch({ position, head, events, elapsedMs: now() - startedAt })
  }
  for (const place of places) {
    if (last) await foldInto(place, unfolded, last)
    // Whoever follows from here on is past all tombstones: swept here, they are no work for the thread that does.
    if (place.failure) continue
    await place.generation.sweep(place.position)
    await place.generation.makeIndexes()
  }
}

async function foldInto(place: Place, events: readonly Recorded[], checkpoint: Checkpoint): Promise<void> {
  const { position: reached, projection, generation, failure } = place
  if (failure || checkpoint.position <= reached) return
  const matching = events.filter((event) => event.position > reached && projection.types.has(event.type))
  try {
    await project(projection, generation, matching, checkpoint)
    await generation.flush()
    place.position = checkpoint.position
  } catch (error) {
    if (!(error instanceof PoisonEventError)) throw error
    place.failure = error
  }
}
