import type { Random } from '../../src/cli/random.ts'
import { type Clock, pause } from '../../src/engine/clock.ts'
import { InDoubtError, UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import type { JobQueue } from '../../src/engine/job-queue.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'

/** What can happen to a process and its ports: each call may be late, fail before or after its work, or never return. */

export interface Faults {
  /** What happens: nothing any more, once this is false. */
  areOn: boolean
  readonly random: Random
}

/** A process that can die at any moment: nothing that it asked for then ever returns, and nothing of it runs any more. */
export interface MortalProcess {
  isAlive: boolean
  /** Starts another one in its place. */
  readonly onDeath: () => void
}

export function die(process: MortalProcess): void {
  if (!process.isAlive) return
  process.isAlive = false
  process.onDeath()
}

const never = new Promise<never>(() => {})
const longestDelayMs = 300

/** The ports of one process over the stores of all. */
export function faultyPorts(faults: Faults, process: MortalProcess, clock: Clock) {
  const { random } = faults
  const happens = (share: number) => faults.areOn && random.next() < share

  const ownClock: Clock = {
    now: clock.now,
    monotonic: clock.monotonic,
    after: (delayMs, run) =>
      clock.after(delayMs, () => {
        if (process.isAlive) run()
      }),
  }

  /** A moment between two steps: it may last, and it may be the last one. */
  async function moment(): Promise<void> {
    if (happens(0.2)) await pause(clock, random.between(0, longestDelayMs))
    if (happens(0.003)) die(process)
    if (!process.isAlive) await never
  }

  function unavailable(): UnavailableError {
    return new UnavailableError('log-unavailable', 'The simulated store takes nothing now.')
  }

  /** Does a piece of work that may be late and may fail; with `lost` also when it was done. */
  async function attempt<T>(run: () => Promise<T>, failing: number, lost?: () => Error): Promise<T> {
    await moment()
    if (happens(failing)) throw unavailable()
    if (lost && happens(failing)) throw lost()
    const result = await run()
    await moment()
    if (lost && happens(failing)) throw lost()
    return result
  }

  async function* batches<T>(all: AsyncIterable<T>, failing: number): AsyncIterable<T> {
    for await (const batch of all) {
      await moment()
      if (happens(failing)) throw unavailable()
      yield batch
    }
  }

  /** @param soleWriter whether no other process writes */
  function faultyStore(store: EventStore, soleWriter: boolean): EventStore {
    const smallBatches = () => ({ batchSize: random.between(1, 20) })
    return {
      ...store,
      soleWriter,
      append: (...asked) =>
        attempt(
          () => store.append(...asked),
          0.05,
          () => new InDoubtError('The simulated answer was lost.'),
        ),
      readStream: (...asked) => batches(store.readStream(...asked), 0.01),
      readAll: (asked) => batches(store.readAll({ ...asked, ...smallBatches() }), 0.01),
      subscribe: (asked) => batches(store.subscribe({ ...asked, ...smallBatches() }), 0.02),
      head: () => attempt(store.head, 0.01),
      eventAt: (position) => attempt(() => store.eventAt(position), 0.01),
      loadCheckpoint: (name) => attempt(() => store.loadCheckpoint(name), 0.01),
      // A crash may lose the latest ones.
      saveCheckpoint: (name, checkpoint) =>
        attempt(async () => (happens(0.1) ? undefined : await store.saveCheckpoint(name, checkpoint)), 0.02),
    }
  }

  function faultyGeneration(generation: Generation): Generation {
    return {
      ...generation,
      read: (keys) => attempt(() => generation.read(keys), 0.01),
      find: (asked) => attempt(() => generation.find(asked), 0.01),
      write: (...asked) => attempt(() => generation.write(...asked), 0.03),
      checkpoint: () => attempt(generation.checkpoint, 0.01),
      flush: () => attempt(generation.flush, 0.01),
      sweep: (below) => attempt(() => generation.sweep(below), 0.01),
    }
  }

  function faultyReadStore(store: ReadStore): ReadStore {
    return {
      ...store,
      generations: () => attempt(store.generations, 0.01),
      createGeneration: (spec) => attempt(async () => faultyGeneration(await store.createGeneration(spec)), 0.01),
      createGenerationToFill: (spec) =>
        attempt(async () => faultyGeneration(await store.createGenerationToFill(spec)), 0.01),
      async openGeneration(id, spec) {
        const found = await attempt(() => store.openGeneration(id, spec), 0.01)
        return found && faultyGeneration(found)
      },
      makeLive: (id) => attempt(() => store.makeLive(id), 0.01),
      dropGeneration: (id) => attempt(() => store.dropGeneration(id), 0.01),
      loadSnapshot: (stream) => attempt(() => store.loadSnapshot(stream), 0.1),
      saveSnapshot: (snapshot) => attempt(() => store.saveSnapshot(snapshot), 0.1),
    }
  }

  function faultyQueue(queue: JobQueue): JobQueue {
    return {
      ...queue,
      // What is lost the sweep puts back.
      schedule: (jobs) => attempt(async () => (happens(0.1) ? undefined : await queue.schedule(jobs)), 0.02),
      cancel: (ids) => attempt(() => queue.cancel(ids), 0.02),
      known: (ids) => attempt(() => queue.known(ids), 0.02),
    }
  }

  return { clock: ownClock, faultyStore, faultyReadStore, faultyQueue }
}
