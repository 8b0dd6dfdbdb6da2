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
  run?: ProcessRun
}

/** Runs the hash shards of process managers that this process holds. */
export function processShards(options: ProcessShardsOptions): ProcessShards {
  const { managers, shards } = options
  const seats: Seat[] = managers.map((manager) => ({ manager, fences: new Map() }))

  function fencesOf(manager: ProcessManager, held: Held): Fences {
    const found = new Map<number, number>()
    for (let shard = 0; shard < shards; shard++) {
      const token = held.get(processLease(manager.name, shard))
      if (token !== undefined) found.set(shard, token)
    }
    return found
  }

  async function reseat(seat: Seat, fences: Fences): Promise<void> {
    const same =
      fences.size === seat.fences.size && [...fences].every(([shard, token]) => seat.fences.get(shard) === token)
    if (same) return
    seat.fences = fences
    await seat.run?.stop()
    delete seat.run
    if (fences.size > 0) seat.run = runProcess(options, seat.manager, { of: shards, fences })
  }

  return {
    async apply(held) {
      await Promise.all(seats.map((seat) => reseat(seat, fencesOf(seat.manager, held))))
    },
    status: (): readonly ProcessStatus[] => seats.flatMap(({ run }) => (run ? [run.status()] : [])),
    async stop() {
      await Promise.all(seats.map(({ run }) => run?.stop()))
    },
  }
}
