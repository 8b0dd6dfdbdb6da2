import type { Held } from './ownership.ts'
import type { ProcessManager } from './process-manager.ts'
import {
  type ProcessRun,
  type ProcessRunner,
  type ProcessRunnerOptions,
  type ProcessStatus,
  runProcess,
} from './process-runner.ts'
import type { Fences } from './read-store.ts'
import { fencesOf, sameTokens } from './shards.ts'

export interface ProcessShards extends ProcessRunner {
  /** Runs the hash shards that are held from now on; resolves once the reactions of those that are lost are done or put off. */
  apply(held: Held): Promise<void>
}

export interface ProcessShardsOptions extends ProcessRunnerOptions {
  /** Hash shards of each process manager. */
  readonly shards: number
}

/** Name of the lease on a hash shard of a process manager's processes. */
export function processLease(manager: string, shard: number): string {
  return `process:${manager}/${shard}`
}

interface Seat {
  readonly manager: ProcessManager
  fences: Fences
  run?: ProcessRun & { readonly fences: Fences }
  /** One change after another. */
  turn: Promise<void>
}

/** Runs the hash shards of process managers that this process holds. */
export function processShards(options: ProcessShardsOptions): ProcessShards {
  const { managers, shards } = options
  const seats: Seat[] = managers.map((manager) => ({ manager, fences: new Map(), turn: Promise.resolve() }))

  async function reseat(seat: Seat): Promise<void> {
    const { manager, fences } = seat
    if (seat.run && sameTokens(seat.run.fences, fences)) return
    await seat.run?.stop()
    delete seat.run
    if (fences.size > 0) seat.run = { fences, ...runProcess(options, manager, { of: shards, fences }) }
  }

  return {
    async apply(held) {
      await Promise.all(
        seats.map((seat) => {
          seat.fences = fencesOf(held, shards, (shard) => processLease(seat.manager.name, shard))
          seat.turn = seat.turn.then(() => reseat(seat))
          return seat.turn
        }),
      )
    },
    status: (): readonly ProcessStatus[] => seats.flatMap(({ run }) => (run ? [run.status()] : [])),
    async stop() {
      await Promise.all(seats.map(({ turn, run }) => turn.then(() => run?.stop())))
    },
  }
}
