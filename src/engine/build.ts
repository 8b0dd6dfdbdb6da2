import type { EventStore } from './event-store.ts'
import type { EventRegistry } from './events.ts'
import type { Projection } from './projection.ts'
import { project } from './projector.ts'
import type { Generation } from './read-store.ts'

export interface BuildProgress {
  /** Position that has been reached, and that of the log's head. */
  readonly position: number
  readonly head: number
  readonly events: number
  readonly elapsedMs: number
}

export interface BuildOptions {
  readonly store: Pick<EventStore, 'logId' | 'readAll' | 'head'>
  readonly registry: EventRegistry
  readonly targets: readonly { readonly projection: Projection; readonly generation: Generation }[]
  readonly now: () => number
  /** Called after each batch; the build goes on when it resolves, which is how it is throttled. */
  readonly onBatch: (progress: BuildProgress) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Folds the log into generations, each from its own checkpoint on, up to the head. The log is read and parsed once for all.
 * @throws PoisonEventError when a projection fails on an event
 */
export async function build({ store, registry, targets, now, onBatch, signal }: BuildOptions): Promise<void> {
  const startedAt = now()
  const places = await Promise.all(
    targets.map(async (target) => ({ ...target, position: (await target.generation.checkpoint())?.position ?? 0 })),
  )
  const types = new Set(targets.flatMap(({ projection }) => [...projection.types]))
  const after = Math.min(...places.map(({ position }) => position))
  let events = 0
  for await (const batch of store.readAll({ after, filter: { types }, batchSize: 2_000 })) {
    if (signal.aborted) return
    const upcast = batch.events.map(registry.upcast)
    for (const place of places) {
      if (batch.position <= place.position) continue
      const { position: reached, projection, generation } = place
      const matching = upcast.filter((event) => event.position > reached && projection.types.has(event.type))
      const { position, eventId } = batch
      await project(projection, generation, matching, { logId: store.logId, position, eventId })
      place.position = position
    }
    events += batch.events.length
    const { position: head } = await store.head()
    await onBatch({ position: batch.position, head, events, elapsedMs: now() - startedAt })
  }
}
