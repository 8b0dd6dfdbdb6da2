import { LRUCache } from 'lru-cache'
import type { Decider } from './decider.ts'
import { CorruptLogError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import { noStream } from './event-store.ts'
import type { EventRegistry } from './events.ts'
import type { ReadStore } from './read-store.ts'
import { type RecentCommands, recentCommands, remember, type SavedCommands } from './recent-commands.ts'
import { streamName } from './streams.ts'

/** What a stream has come to. */
export interface Fold<State = unknown> {
  readonly state: State
  readonly revision: number
  /** Position of its last event, 0 for a stream that does not exist. */
  readonly position: number
}

/** A fold with the memory that makes commands idempotent; the state is never changed in place, the memory only by who appends. */
export interface StreamFold extends Fold {
  /** Id of its last event, empty for a stream that does not exist. */
  readonly eventId: string
  readonly recent: RecentCommands
}

export interface Folds {
  /** The latest known fold of a stream, read from the store if it is not in the cache. */
  load(decider: Decider, id: string): Promise<StreamFold>
  /** The fold if it is in the cache. */
  cached(stream: string): StreamFold | undefined
  /** Reads what is new in a stream and folds it on. */
  refresh(decider: Decider, id: string): Promise<StreamFold>
  /** Keeps a fold that rests on appended events only. */
  keep(decider: Decider, stream: string, fold: StreamFold): void
  status(): CacheStatus
}

/** How a cache does. */
export interface CacheStatus {
  readonly entries: number
  readonly capacity: number
  /** Since the start. */
  readonly hits: number
  readonly misses: number
}

/** What a snapshot saves is not to be outweighed by what it costs. */
const entriesPerEvent = 4

interface SavedState {
  readonly state: unknown
  readonly eventId: string
  readonly recent: SavedCommands
}

function isSavedState(value: unknown): value is SavedState {
  return typeof value === 'object' && value !== null && 'state' in value && 'eventId' in value && 'recent' in value
}

/**
 * The folds of recent streams in a bounded cache; long streams begin at a snapshot.
 * @param cacheSize number of streams
 */
export function foldCache(
  store: EventStore,
  snapshots: Pick<ReadStore, 'loadSnapshot' | 'saveSnapshot'>,
  registry: EventRegistry,
  cacheSize: number,
): Folds {
  const cache = new LRUCache<string, StreamFold>({ max: cacheSize })
  const loading = new Map<string, Promise<StreamFold>>()
  const refreshing = new Map<string, Promise<StreamFold>>()
  const snapshotRevisions = new LRUCache<string, number>({ max: cacheSize })
  let hits = 0
  let misses = 0

  function lookUp(stream: string): StreamFold | undefined {
    const found = cache.get(stream)
    if (found === undefined) misses++
    else hits++
    return found
  }

  function nothing(decider: Decider): StreamFold {
    return { state: decider.initial, revision: noStream, position: 0, eventId: '', recent: recentCommands() }
  }

  async function beginning(decider: Decider, stream: string): Promise<StreamFold> {
    const format = decider.snapshot
    const found = format && (await snapshots.loadSnapshot(stream).catch(() => undefined))
    if (!format || !found || found.logId !== store.logId || found.stateVersion !== format.version)
      return nothing(decider)
    const { revision, position, state: saved } = found
    if (!isSavedState(saved) || !(await holds(stream, revision, saved.eventId))) return nothing(decider)
    snapshotRevisions.set(stream, revision)
    const recent = recentCommands(saved.recent)
    return { state: format.load(saved.state), revision, position, eventId: saved.eventId, recent }
  }

  /** A log that was restored from a backup has the same id, but may not hold what a snapshot was made of. */
  async function holds(stream: string, revision: number, eventId: string): Promise<boolean> {
    for await (const [event] of store.readStream(stream, { fromRevision: revision })) return event?.id === eventId
    return false
  }

  async function foldOn(decider: Decider, stream: string, from: StreamFold): Promise<StreamFold> {
    let { state, revision, position, eventId } = from
    for await (const events of store.readStream(stream, { fromRevision: from.revision + 1 })) {
      for (const stored of events) {
        if (stored.revision !== revision + 1) {
          throw new CorruptLogError(
            `Stream ${stream} has revision ${stored.revision} after ${revision}. Restore the log from a backup.`,
          )
        }
        const event = registry.upcast(stored)
        state = decider.evolve(state, event)
        revision = event.revision
        position = event.position
        eventId = event.id
        remember(from.recent, event)
      }
    }
    return { state, revision, position, eventId, recent: from.recent }
  }

  function newest(stream: string, fold: StreamFold): StreamFold {
    const known = cache.peek(stream)
    if (known !== undefined && known.revision > fold.revision) return known
    cache.set(stream, fold)
    return fold
  }

  /** One read of a stream at a time: whoever asks meanwhile gets the same. */
  function once(stream: string, read: () => Promise<StreamFold>): Promise<StreamFold> {
    const running = loading.get(stream)
    if (running !== undefined) return running
    const started = read().finally(() => loading.delete(stream))
    loading.set(stream, started)
    return started
  }

  function saveSnapshot(decider: Decider, stream: string, fold: StreamFold): void {
    const format = decider.snapshot
    if (!format) return
    const events = fold.revision - (snapshotRevisions.get(stream) ?? noStream)
    if (events < format.every || events < format.entries(fold.state) / entriesPerEvent) return
    snapshotRevisions.set(stream, fold.revision)
    const { revision, position } = fold
    async function save(stateVersion: number): Promise<void> {
      const state: SavedState = { state: format?.save(fold.state), eventId: fold.eventId, recent: fold.recent.save() }
      await snapshots.saveSnapshot({ stream, logId: store.logId, stateVersion, revision, position, state })
    }
    // A snapshot only saves time, and a large state is dear to save: after one that failed the next comes when it would have come.
    save(format.version).catch(() => undefined)
  }

  return {
    async load(decider, id) {
      const stream = streamName(decider.category, id)
      return (
        lookUp(stream) ??
        (await once(stream, async () =>
          newest(stream, await foldOn(decider, stream, await beginning(decider, stream))),
        ))
      )
    },
    cached: (stream) => cache.get(stream),
    async refresh(decider, id) {
      const stream = streamName(decider.category, id)
      const running = loading.get(stream)
      const read = () =>
        once(stream, async () => {
          const known = lookUp(stream) ?? (await beginning(decider, stream))
          return newest(stream, await foldOn(decider, stream, known))
        })
      if (running === undefined) return read()
      // A read that is under way may have passed what is asked for now: the next one is for all who ask meanwhile.
      const next =
        refreshing.get(stream) ??
        running
          .catch(() => undefined)
          .then(() => {
            refreshing.delete(stream)
            return read()
          })
      refreshing.set(stream, next)
      return next
    },
    keep(decider, stream, fold) {
      cache.set(stream, fold)
      saveSnapshot(decider, stream, fold)
    },
    status: () => ({ entries: cache.size, capacity: cacheSize, hits, misses }),
  }
}
