import type { EventStore } from './event-store.ts'
import type { EventRegistry } from './events.ts'
import type { ProcessManager } from './process-manager.ts'
import { streamName } from './streams.ts'

/** What a process manager hears at a place of the log, where that follows from an aggregate. */
export interface Hearing {
  /** The aggregate as it stood there. */
  readonly state: unknown
  readonly types: ReadonlySet<string>
}

/** The stream whose events change what a process manager listens to; undefined where that is always the same. */
export function heardStream({ decider, listening }: Pick<ProcessManager, 'decider' | 'listening'>): string | undefined {
  return listening && streamName(decider.category, listening.id)
}

/**
 * What a process manager hears behind a place of the log, with the events that change that. The stream is read, not its latest
 * fold: a reaction that comes late sees the same as one in time.
 * @param position of the last event that it has seen
 */
export async function hearingAt(
  store: Pick<EventStore, 'readStream'>,
  registry: Pick<EventRegistry, 'upcast'>,
  manager: Pick<ProcessManager, 'decider' | 'listening' | 'types'>,
  position: number,
): Promise<Hearing> {
  const { decider, listening, types } = manager
  const stream = heardStream(manager)
  let state = decider.initial
  if (listening === undefined || stream === undefined) return { state, types }
  for await (const events of store.readStream(stream)) {
    for (const event of events) {
      if (event.position > position) return { state, types: types.union(listening.types(state)) }
      state = decider.evolve(state, registry.upcast(event))
    }
  }
  return { state, types: types.union(listening.types(state)) }
}
