import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../src/engine/clock.ts'
import type { Lease } from '../src/engine/coordination.ts'
import { projectionsOf } from '../src/engine/engine.ts'
import { type Projection, specOf } from '../src/engine/projection.ts'
import type { Generation } from '../src/engine/read-store.ts'
import { currentOf } from '../src/engine/shard-projector.ts'
import { openDocumentServer, openLogServer } from '../src/servers.ts'
import { forReading } from '../src/shop.ts'
import type { ServerUrls } from './cluster-servers.ts'

/** Looks at a cluster from outside: at its servers, and not at what its processes say, which may be a second old. */
export interface ClusterWatch {
  leases(): Promise<readonly Lease[]>
  /** Waits until all read models have what is in the log now. @returns the position of the last event */
  rest(): Promise<number>
  /** Looks again and again from now on. */
  sample(): Sampling
  close(): Promise<void>
}

export interface Sampling {
  /** For how long the log had what the latest read model lacked, whenever that was looked at. */
  end(): Promise<readonly Sample[]>
}

export interface Sample {
  /** As of `performance.now()`. */
  readonly atMs: number
  readonly lagMs: number
}

const sampleEveryMs = 100

function fail(error: unknown): void {
  throw error
}

/** @throws ServerUnreachableError */
export async function watchCluster(urls: ServerUrls): Promise<ClusterWatch> {
  const log = await openLogServer(urls.EVENTSTOREDB_URL, systemClock, fail)
  const documents = await openDocumentServer(urls.MONGODB_URL, {}, fail)
  const opened = new Map<string, Generation>()
  const samplings: AbortController[] = []

  async function open(projection: Projection): Promise<Generation | undefined> {
    const known = opened.get(projection.name)
    if (known) return known
    const current = currentOf(await documents.readStore.generations(), projection)
    const generation = current && (await documents.readStore.openGeneration(current.id, specOf(projection)))
    if (generation) opened.set(projection.name, generation)
    return generation
  }

  /** How far the latest read model is. */
  async function reached(): Promise<number> {
    const positions = projectionsOf(forReading([])).map(async (projection) => {
      const checkpoint = await (await open(projection))?.checkpoint()
      return checkpoint?.position ?? 0
    })
    return Math.min(...(await Promise.all(positions)))
  }

  async function sampleUntil(signal: AbortSignal): Promise<readonly Sample[]> {
    const samples: Sample[] = []
    /** When the log was seen to reach a position that some read model has not reached yet. */
    let heads: { readonly atMs: number; readonly position: number }[] = []
    while (!signal.aborted) {
      const [{ position }, least] = await Promise.all([log.head(), reached()])
      const atMs = performance.now()
      if (position > (heads.at(-1)?.position ?? 0)) heads.push({ atMs, position })
      heads = heads.filter((head) => head.position > least)
      samples.push({ atMs, lagMs: atMs - (heads[0]?.atMs ?? atMs) })
      await sleep(sampleEveryMs)
    }
    return samples
  }

  return {
    leases: documents.coordination.leases,
    async rest() {
      const { position } = await log.head()
      while ((await reached()) < position) await sleep(sampleEveryMs)
      return position
    },
    sample() {
      const ending = new AbortController()
      const samples = sampleUntil(ending.signal)
      // Whoever fails on something else does not end it.
      samples.catch(() => {})
      samplings.push(ending)
      return {
        end() {
          ending.abort()
          return samples
        },
      }
    },
    async close() {
      for (const each of samplings) each.abort()
      for (const generation of opened.values()) await generation.close()
      await documents.close()
      await log.close()
    },
  }
}
