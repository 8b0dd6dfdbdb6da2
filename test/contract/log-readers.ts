import type {
  AppendResult,
  EventBatch,
  EventFilter,
  EventStore,
  NewEvent,
  RecordedEvent,
} from '../../src/engine/event-store.ts'

/** How the tests of event stores read. */

/** All that an iteration has. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The whole log, or what follows a position. */
export async function logOf(store: EventStore, after = 0, filter?: EventFilter): Promise<readonly RecordedEvent[]> {
  return (await collected(store.readAll({ after, ...(filter && { filter }) }))).flatMap(({ events }) => events)
}

export async function streamOf(
  store: EventStore,
  stream: string,
  fromRevision?: number,
): Promise<readonly RecordedEvent[]> {
  const options = fromRevision === undefined ? undefined : { fromRevision }
  return (await collected(store.readStream(stream, options))).flat()
}

/** What the store returns of an append. */
export function recordedOf(
  stream: string,
  expectedRevision: number,
  events: readonly NewEvent[],
  { positions }: AppendResult,
): readonly RecordedEvent[] {
  return events.map(({ id, type, data, metadata }, index) => {
    const position = positions[index] ?? Number.NaN
    return { position, stream, revision: expectedRevision + 1 + index, id, type, data, metadata }
  })
}

export interface Follower {
  readonly batches: readonly EventBatch[]
  readonly events: readonly RecordedEvent[]
  /** Resolves once everything up to a position has been delivered; rejects when the subscription ends before. */
  reached(position: number): Promise<void>
  /** Resolves when the subscription has ended, with the error that ended it. */
  readonly ended: Promise<unknown>
  /** Aborts the subscription, and waits for its end. @throws what ended it, if something else did */
  stop(): Promise<void>
}

export interface FollowOptions {
  readonly after?: number
  readonly filter?: EventFilter
  readonly batchSize?: number
  /** What it does with each batch before it takes the next. */
  readonly pace?: (batch: EventBatch) => Promise<void>
}

/** Subscribes, and keeps what comes. */
export function follow(store: EventStore, { after = 0, pace, ...options }: FollowOptions = {}): Follower {
  const stopping = new AbortController()
  const batches: EventBatch[] = []
  const events: RecordedEvent[] = []
  const waiting = new Set<{ position: number; resolve: () => void; reject: (error: unknown) => void }>()
  let position = after

  async function run(): Promise<unknown> {
    try {
      for await (const batch of store.subscribe({ after, ...options, signal: stopping.signal })) {
        batches.push(batch)
        events.push(...batch.events)
        await pace?.(batch)
        position = batch.position
        for (const waiter of waiting) if (position >= waiter.position) waiter.resolve()
      }
      for (const { reject } of waiting) reject(new Error(`The subscription ended at position ${position}`))
      return undefined
    } catch (error) {
      for (const { reject } of waiting) reject(error)
      return error
    }
  }
  const ended = run()

  return {
    batches,
    events,
    ended,
    reached(wanted) {
      return new Promise((resolve, reject) => {
        if (position >= wanted) resolve()
        else waiting.add({ position: wanted, resolve, reject })
      })
    },
    async stop() {
      stopping.abort()
      const error = await ended
      if (error !== undefined) throw error
    },
  }
}
