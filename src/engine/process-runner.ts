import { type Clock, pause } from './clock.ts'
import type { CommandHandler } from './command-handler.ts'
import { deadLetter } from './dead-letter.ts'
import { letterIdOf, reactionOf } from './dead-letter-reaction.ts'
import { NewerVersionError, PreconditionError, Rejection } from './errors.ts'
import type { Checkpoint, EventFilter, EventStore, RecordedEvent } from './event-store.ts'
import type { EventRegistry } from './events.ts'
import { type Hearing, heardStream, hearingAt } from './hearing.ts'
import type { ProcessManager } from './process-manager.ts'
import { type Part, shardOf } from './shards.ts'
import { derivedId } from './streams.ts'
import { consuming, traced, traceOf } from './tracing.ts'

export interface ProcessStatus {
  readonly name: string
  /** Everything up to here has been reacted to, or set aside. */
  readonly position: number
  /** Reactions under way. */
  readonly underWay: number
  /** For how long the oldest of them has been, 0 where there is none. */
  readonly lagMs: number
  /** Reactions that were done since the start. */
  readonly reactions: number
  /** Why a reaction has failed again and again, or the log can't be followed; the process waits there. */
  readonly error?: string
}

export interface ProcessRunner {
  status(): readonly ProcessStatus[]
  /** Takes no new events, and waits for the reactions under way. */
  stop(): Promise<void>
}

/** One process manager that runs. */
export interface ProcessRun {
  status(): ProcessStatus
  stop(): Promise<void>
}

export interface ProcessRunnerOptions {
  readonly store: EventStore
  readonly handler: CommandHandler
  readonly registry: EventRegistry
  readonly managers: readonly ProcessManager[]
  readonly clock: Clock
  /** Most reactions of one manager that are under way. */
  readonly maxUnderWay: number
  /** Told when the log can't be followed, a reaction has to be repeated or is set aside. */
  readonly onFailure: (error: unknown, manager: string) => void
}

const failuresBeforeError = 3

interface Reacting {
  readonly checkpoint: Checkpoint
  readonly takenAtMs: number
  done: boolean
}

/** Where the place of a process manager is kept: of all of it, or of one hash shard of its processes. */
export function checkpointName(manager: string, shard?: number): string {
  return shard === undefined ? manager : `${manager}/${shard}`
}

/** Runs process managers: processes concurrently, each one's events in order, each reaction at least once. */
export function runProcesses(options: ProcessRunnerOptions): ProcessRunner {
  const runs = options.managers.map((manager) => runProcess(options, manager))
  return {
    status: () => runs.map((run) => run.status()),
    stop: async () => {
      await Promise.all(runs.map((run) => run.stop()))
    },
  }
}

/**
 * Runs one process manager.
 * @param part the hash shards of processes that it runs here; all if absent
 */
export function runProcess(
  options: Omit<ProcessRunnerOptions, 'managers'>,
  manager: ProcessManager,
  part?: Part,
): ProcessRun {
  const { store, handler, registry, clock, maxUnderWay, onFailure } = options
  const stopping = new AbortController()
  const changesHearing = heardStream(manager)
  const places = part
    ? [...part.fences].map(([shard, fence]) => ({ name: checkpointName(manager.name, shard), fence }))
    : [{ name: checkpointName(manager.name), fence: 0 }]
  /** Where each of them was kept as this began. */
  const kept = new Map<string, number>()
  const lanes = new Map<string, Promise<void>>()
  /** In log order; the checkpoint moves over the finished ones at its front. */
  const reacting: Reacting[] = []
  let position = 0
  let reactions = 0
  /** Up to here events have been taken; undefined before the first start. */
  let taken: number | undefined
  let wake: (() => void) | undefined
  /** Of the reactions that fail again and again, by event id. */
  const errors = new Map<string, string>()
  /** Why nothing follows the log now, and how often in a row that has failed. */
  let feedFailure: string | undefined
  let failures = 0

  /** Whether an event is another process's to react to, or was reacted to before this began. */
  function isDone({ position: at }: RecordedEvent, shard: number): boolean {
    return !part?.fences.has(shard) || at <= (kept.get(checkpointName(manager.name, shard)) ?? 0)
  }

  function finish(entry: Reacting): void {
    entry.done = true
    let last: Checkpoint | undefined
    while (reacting[0]?.done) last = reacting.shift()?.checkpoint
    if (last) moveTo(last)
    wake?.()
  }

  function moveTo(checkpoint: Checkpoint): void {
    position = checkpoint.position
    for (const { name, fence } of places) {
      // A shard that another process had brought further must not be reacted to again.
      if (checkpoint.position < (kept.get(name) ?? 0)) continue
      store.saveCheckpoint(name, checkpoint, fence).catch((error: unknown) => onFailure(error, manager.name))
    }
  }

  /** The event to react to: itself, or for a dead letter that is to be retried the one that it was raised for. */
  async function meantBy(event: RecordedEvent): Promise<RecordedEvent | undefined> {
    return event.type === 'DeadLetterRetried' ? await reactionOf(store, manager, event) : event
  }

  /** All but what is of no interest here: an event that this version does not know may be one that a newer version reacts to. */
  function filterFor({ types }: Hearing): EventFilter {
    const isHeard = (type: string) => types.has(type) || type === 'DeadLetterRetried'
    return { exceptTypes: new Set([...registry.byType.keys()].filter((type) => !isHeard(type))) }
  }

  async function reactTo(stored: RecordedEvent, hearing: Hearing): Promise<void> {
    const found = await meantBy(stored)
    const event = found && registry.upcast(found)
    const id = event && manager.route(event)
    if (event === undefined || id === undefined) return
    const { state } = manager.listening ? hearing : await handler.fold(manager.decider, id)
    const cause = {
      actor: { kind: 'process', id: manager.name } as const,
      correlationId: event.metadata.correlationId,
      causationId: event.id,
    }
    for (const [step, asked] of manager.react(event, state).entries()) {
      try {
        // The type counts: reacting again on a later state can ask for something else in the same step.
        await handler.handle({ ...asked, ...cause, id: derivedId(event.id, manager.name, step, asked.type) })
      } catch (error) {
        // Neither changes by itself: a broken rule, or a command that can't be taken as it is.
        if (!(error instanceof Rejection || error instanceof PreconditionError)) throw error
        onFailure(error, manager.name)
        const { position, stream, revision } = event
        const data = {
          source: 'reaction',
          name: manager.name,
          subject: id,
          position,
          event: { stream, revision },
          reason: `${error.code}: ${error.message}`.slice(0, 1_000),
        }
        await handler.handle({
          ...cause,
          decider: deadLetter,
          target: letterIdOf(event, manager),
          type: 'RaiseDeadLetter',
          data,
          id: derivedId(stored.id, manager.name, step, 'set-aside'),
        })
        return
      }
    }
  }

  /** Whatever the error is, only a stop ends the tries. @returns false when it was stopped before it was done */
  async function reactSurely(event: RecordedEvent, hearing: Hearing): Promise<boolean> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        await traced(
          `process ${manager.name}`,
          () => ({
            kind: 'consumer',
            parent: traceOf(event.metadata.correlationId),
            attributes: consuming(manager.name, event),
          }),
          () => reactTo(event, hearing),
        )
        errors.delete(event.id)
        reactions++
        return true
      } catch (error) {
        onFailure(error, manager.name)
        if (failures >= failuresBeforeError)
          errors.set(event.id, error instanceof Error ? error.message : String(error))
        await pause(clock, Math.min(30_000, 100 * 2 ** failures), stopping.signal)
      }
    }
    return false
  }

  function laneOf(event: RecordedEvent): string {
    if (event.type === 'DeadLetterRetried') return event.stream
    try {
      return manager.route(registry.upcast(event)) ?? event.stream
    } catch {
      // The reaction fails on it too, and says so.
      return event.stream
    }
  }

  function react(event: RecordedEvent, hearing: Hearing, lane: string, entry: Reacting): void {
    const before = lanes.get(lane) ?? Promise.resolve()
    const turn = before
      .then(() => reactSurely(event, hearing))
      // The checkpoint stays before what was not done.
      .then((isDone) => (isDone ? finish(entry) : wake?.()))
      .finally(() => {
        if (lanes.get(lane) === turn) lanes.delete(lane)
      })
    lanes.set(lane, turn)
  }

  async function follow(): Promise<void> {
    // What was taken before the feed failed goes on in its lanes, however long it takes.
    if (taken === undefined) {
      taken = await startingPosition()
      position = taken
    }
    const after = taken
    const hearing = await hearingAt(store, registry, manager, after)
    if ((await store.head()).position <= after) feedFailure = undefined
    for await (const batch of store.subscribe({ after, filter: filterFor(hearing), signal: stopping.signal })) {
      for (const event of batch.events) {
        registry.upcast(event)
        if (event.stream === changesHearing) {
          taken = event.position
          // From here on other events are heard, so that the log is followed anew.
          return
        }
        if (event.metadata.imported) continue
        const lane = laneOf(event)
        if (part && isDone(event, shardOf(lane, part.of))) continue
        while (reacting.length >= maxUnderWay && !stopping.signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        if (stopping.signal.aborted) return
        const entry = {
          checkpoint: { logId: store.logId, position: event.position, eventId: event.id },
          takenAtMs: clock.monotonic(),
          done: false,
        }
        reacting.push(entry)
        react(event, hearing, lane, entry)
        taken = event.position
      }
      taken = batch.position
      feedFailure = undefined
      failures = 0
      // What is finished at the end needs no place of its own, or a reaction that does not end would let places pile up.
      if (reacting.at(-1)?.done) reacting.pop()
      const entry = {
        checkpoint: { logId: store.logId, position: batch.position, eventId: batch.eventId },
        takenAtMs: clock.monotonic(),
        done: false,
      }
      reacting.push(entry)
      finish(entry)
    }
  }

  async function startingPosition(): Promise<number> {
    for (const { name } of places) {
      const place = await store.loadCheckpoint(name)
      kept.set(name, place?.logId === store.logId ? place.position : 0)
    }
    return Math.min(...kept.values())
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await follow()
      } catch (error) {
        feedFailure = error instanceof Error ? error.message : String(error)
        onFailure(error, manager.name)
        // No time mends that: another version of Daybook has to go on from here.
        if (error instanceof NewerVersionError) return
        await pause(clock, Math.min(30_000, 100 * 2 ** failures++), stopping.signal)
      }
    }
  }

  const running = run()
  return {
    status(): ProcessStatus {
      const error = feedFailure ?? errors.values().next().value
      const unfinished = reacting.filter(({ done }) => !done)
      const [oldest] = unfinished
      const lagMs = oldest ? Math.round(clock.monotonic() - oldest.takenAtMs) : 0
      return {
        name: manager.name,
        position,
        underWay: unfinished.length,
        lagMs,
        reactions,
        ...(error !== undefined && { error }),
      }
    },
    async stop() {
      stopping.abort()
      wake?.()
      await running
      await Promise.allSettled(lanes.values())
    },
  }
}
