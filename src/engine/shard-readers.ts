import { type Clock, pause } from './clock.ts'
import type { MemberInfo, ShardStatus } from './cluster-member.ts'
import type { Coordination } from './coordination.ts'
import { PreconditionError, UnavailableError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import { type Projection, specOf } from './projection.ts'
import type { ProjectionStatus } from './projection-status.ts'
import type { ReadModels } from './projections.ts'
import { readerOf } from './query.ts'
import type { Generation, ReadStore } from './read-store.ts'
import { currentOf, swapSignal } from './shard-projector.ts'
import type { Signal } from './signal.ts'
import { type Waiters, waiters } from './waiters.ts'

export interface ShardReaders extends ReadModels {
  /** Opens what there is to read. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface ShardReadersOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly coordination: Pick<Coordination, 'ask'>
  readonly signal: Signal
  readonly clock: Clock
  readonly projections: readonly Projection[]
  /** What the processes of the cluster say of themselves. */
  readonly members: () => readonly MemberInfo[]
  readonly newId: () => string
  /** How long a generation that was replaced can still be read. */
  readonly retirementMs: number
  readonly onFailure: (error: unknown, where: string) => void
}

const lookEveryMs = 1_000
/** How often somebody who waits looks by himself, should a signal be lost. */
const lookWaitingMs = 200

/** A generation, and how far it is as far as this process knows. */
interface Opened {
  readonly generation: Generation
  position: number
}

interface Shelf {
  readonly definition: Projection
  readonly waiters: Waiters
  current?: Opened
  /** One that was replaced, for cursors that were made on it. */
  before?: Opened
  looking?: Promise<void>
  lookAgain?: boolean
}

/** Reads read models that other processes write: waits by signal, and believes only what the read store says. */
export function shardReaders(options: ShardReadersOptions): ShardReaders {
  const { store, readStore, coordination, signal, clock, members, newId, retirementMs, onFailure } = options
  const shelves = new Map<string, Shelf>(
    options.projections.map((definition) => [
      definition.name,
      { definition, waiters: waiters(clock, `The projection ${definition.name}`) },
    ]),
  )
  const stopping = new AbortController()
  /** Rebuilds that were asked for and have not begun. */
  const asked = new Set<string>()
  let head = 0
  let reported: ReadonlyMap<string, readonly ShardStatus[]> = new Map()
  let cancelLook = () => {}
  let looking: Promise<void> = Promise.resolve()

  function shelfOf(name: string): Shelf {
    const shelf = shelves.get(name)
    if (!shelf) throw new Error(`There is no projection ${name}`)
    return shelf
  }

  /** How far a generation is by now. */
  async function positionOf({ generation, position }: Opened): Promise<number> {
    const checkpoint = await generation.checkpoint()
    return checkpoint?.logId === store.logId ? Math.max(position, checkpoint.position) : position
  }

  async function readPositions(shelf: Shelf): Promise<void> {
    const { current, before } = shelf
    const reached = current && (await positionOf(current))
    // The replaced one after it: it counts only where it is not behind the other, and both move on meanwhile.
    const reachedBefore = before && (await positionOf(before).catch(() => before.position))
    if (before && reachedBefore !== undefined) before.position = reachedBefore
    if (!current || reached === undefined) return
    current.position = reached
    if (shelf.current === current) shelf.waiters.reached(current.position)
  }

  /** Looks how far a projection is; whoever asks meanwhile has it looked once more. */
  function lookAt(shelf: Shelf): Promise<void> {
    if (shelf.looking !== undefined) {
      shelf.lookAgain = true
      return shelf.looking
    }
    const look = readPositions(shelf)
      .catch((error: unknown) => onFailure(error, shelf.definition.name))
      .finally(() => {
        delete shelf.looking
        if (!shelf.lookAgain) return
        delete shelf.lookAgain
        void lookAt(shelf)
      })
    shelf.looking = look
    return look
  }

  async function openCurrent(shelf: Shelf, id: string): Promise<void> {
    const generation = await readStore.openGeneration(id, specOf(shelf.definition))
    const checkpoint = await generation?.checkpoint()
    if (!generation) return
    const position = checkpoint?.position ?? 0
    const isOfOtherLog = checkpoint !== undefined && checkpoint.logId !== store.logId
    const old = shelf.before
    const replaced = shelf.current
    const reached = replaced && (await positionOf(replaced).catch(() => replaced.position))
    // One that is behind what was already shown, also meanwhile, would take back what readers have seen.
    if (isOfOtherLog || position < (replaced?.position ?? 0)) return await generation.close()
    if (replaced && reached !== undefined) replaced.position = reached
    shelf.current = { generation, position }
    shelf.waiters.reached(position)
    await old?.generation.close()
    if (!replaced) return
    shelf.before = replaced
    clock.after(retirementMs, () => {
      if (shelf.before !== replaced) return
      delete shelf.before
      replaced.generation.close().catch((error: unknown) => onFailure(error, shelf.definition.name))
    })
  }

  async function lookOnce(): Promise<void> {
    const [generations, newest] = await Promise.all([readStore.generations(), store.head()])
    head = newest.position
    const statuses = members().flatMap(({ projections }) => projections)
    reported = new Map([...shelves.keys()].map((name) => [name, statuses.filter((each) => each.name === name)]))
    for (const [name, shelf] of shelves) {
      if (reported.get(name)?.some(({ rebuild }) => rebuild)) asked.delete(name)
      const info = currentOf(generations, shelf.definition)
      if (info && info.id !== shelf.current?.generation.id) await openCurrent(shelf, info.id)
      else await lookAt(shelf)
    }
  }

  function look(): Promise<void> {
    cancelLook()
    looking = looking
      .then(async () => {
        if (!stopping.signal.aborted) await lookOnce()
      })
      .catch((error: unknown) => onFailure(error, 'read models'))
      .then(() => {
        cancelLook()
        if (!stopping.signal.aborted) cancelLook = clock.after(lookEveryMs, () => void look())
      })
    return looking
  }

  const endListening = signal.listen(
    (names) => {
      if (names.includes(swapSignal)) void look()
      for (const name of names) {
        const shelf = shelves.get(name)
        if (shelf?.waiters.areFor(Number.MAX_SAFE_INTEGER)) void lookAt(shelf)
      }
    },
    () => {
      for (const shelf of shelves.values()) if (shelf.waiters.areFor(Number.MAX_SAFE_INTEGER)) void lookAt(shelf)
    },
  )

  function mergedStatus({ definition, current }: Shelf): ProjectionStatus {
    const { name, version } = definition
    const own = (reported.get(name) ?? []).filter((each) => each.version === version)
    const position = current?.position ?? 0
    const of = <Key extends keyof ShardStatus>(key: Key) => own.find((each) => each[key] !== undefined)?.[key]
    const [error, poison, rebuildFailure] = [of('error'), of('poison'), of('rebuildFailure')]
    const begun = asked.has(name) ? { position: 0, head, events: 0, elapsedMs: 0 } : undefined
    const rebuild = of('rebuild') ?? begun
    return {
      name,
      version,
      status: error !== undefined ? 'stopped' : current ? 'live' : 'building',
      position,
      lag: Math.max(0, head - position),
      lagMs: Math.max(0, ...own.map(({ lagMs }) => lagMs)),
      eventsPerSecond: own.reduce((sum, { eventsPerSecond = 0 }) => sum + eventsPerSecond, 0),
      ...(error !== undefined && { error }),
      ...(poison && { poison }),
      ...(rebuild && { rebuild }),
      ...(rebuildFailure !== undefined && { rebuildFailure }),
    }
  }

  return {
    start: look,

    reader(name, generationId) {
      const { current, before, definition } = shelfOf(name)
      if (generationId !== undefined && current) {
        const isFresh = before !== undefined && before.position >= current.position
        const found = [current, isFresh ? before : undefined].find((opened) => opened?.generation.id === generationId)
        if (found) return readerOf(found.generation)
        throw new PreconditionError(
          'cursor-expired',
          'The read model was rebuilt since this cursor was made. Begin again at the first page.',
        )
      }
      if (current) return readerOf(current.generation)
      throw new UnavailableError(
        'projection-building',
        `The read model ${definition.name} is being built. Try again.`,
        5,
      )
    },

    async waitFor(name, position, timeoutMs) {
      const shelf = shelfOf(name)
      const done = new AbortController()
      const reached = shelf.waiters.until(position, timeoutMs).finally(() => done.abort())
      async function lookMeanwhile(): Promise<void> {
        while (!done.signal.aborted) {
          await lookAt(shelf)
          await pause(clock, lookWaitingMs, done.signal)
        }
      }
      if ((shelf.current?.position ?? 0) < position) void lookMeanwhile()
      await reached
    },

    async freshen() {},

    position: (name) => shelfOf(name).current?.position ?? 0,

    status: () => [...shelves.values()].map(mergedStatus),

    waiting: () => shelves.values().reduce((sum, shelf) => sum + shelf.waiters.count(), 0),

    async rebuild(name) {
      shelfOf(name)
      asked.add(name)
      await coordination.ask({ id: newId(), action: 'rebuild', projection: name })
    },

    async skipPoison(name) {
      shelfOf(name)
      const stopped = (reported.get(name) ?? []).flatMap(({ poison }) => (poison ? [poison.eventId] : []))
      if (stopped.length === 0)
        throw new PreconditionError('not-stopped', `The projection ${name} is not stopped by an event.`)
      // Its shards may have been stopped by different ones: the status names the first.
      const [eventId = ''] = stopped
      await coordination.ask({ id: newId(), action: 'skip', projection: name, eventId })
    },

    async stop() {
      stopping.abort()
      cancelLook()
      endListening()
      await looking
      for (const { current, before, looking: last } of shelves.values()) {
        await last
        for (const opened of [current, before]) await opened?.generation.close()
      }
    },
  }
}
