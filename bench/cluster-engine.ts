import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../src/config.ts'
import { systemClock } from '../src/engine/clock.ts'
import { type Cluster, startCluster } from '../src/engine/cluster.ts'
import { defaultLimits } from '../src/engine/engine.ts'
import type { ReadStore } from '../src/engine/read-store.ts'
import { workerBuilder } from '../src/rebuild.ts'
import { forReading } from '../src/shop.ts'
import { openStorage } from '../src/storage.ts'
import { answerParent } from './child.ts'
import { awaited, ClusterEngineQuestion, type Moments } from './cluster-engine-job.ts'
import { openCart } from './open-cart.ts'

/** The engine of one process of a cluster without HTTP, which notes when a place was written and when a waiter was woken. */

type Question<Kind extends ClusterEngineQuestion['kind']> = Extract<ClusterEngineQuestion, { kind: Kind }>

const waitTimeoutMs = 10_000

let opened: Cluster | undefined
let close = async () => {}
let written: Moments = []

/** A clock that all processes of a machine share. */
function commonMs(): number {
  return performance.timeOrigin + performance.now()
}

function fail(error: unknown): void {
  throw error
}

/** Notes when the server has acknowledged a place of the read model that is waited for. */
function noting(readStore: ReadStore): ReadStore {
  return {
    ...readStore,
    async openGeneration(id, spec, fences) {
      const generation = await readStore.openGeneration(id, spec, fences)
      if (generation === undefined || fences === undefined || spec.name !== awaited) return generation
      return {
        ...generation,
        async write(writes, checkpoint) {
          const missed = await generation.write(writes, checkpoint)
          if (missed.length === 0) written.push({ position: checkpoint.position, atMs: commonMs() })
          return missed
        },
      }
    },
  }
}

async function open({ role }: Question<'open'>): Promise<void> {
  const config = readConfig()
  const storage = await openStorage(config, systemClock, fail)
  if (storage.shared === undefined) throw new Error('It needs the servers of a cluster')
  const ports = { ...storage, ...storage.shared, readStore: noting(storage.readStore) }
  const cluster = await startCluster(forReading([]), ports, {
    limits: defaultLimits,
    builder: workerBuilder(config),
    onFailure: fail,
    roles: new Set([role]),
    name: config.DAYBOOK_MEMBER,
    version: 'bench',
    leaseMs: config.DAYBOOK_LEASE_MS,
    awaited: new Set(),
    newId: randomUUID,
  })
  opened = cluster
  close = () => cluster.stop().then(storage.close)
}

async function wait({ handler, projections }: Cluster, { perSecond, durationMs }: Question<'wait'>): Promise<Moments> {
  const woken: Moments = []
  const waiting: Promise<void>[] = []
  async function once(): Promise<void> {
    const { position } = await handler.handle(openCart())
    await projections.waitFor(awaited, position, waitTimeoutMs)
    woken.push({ position, atMs: commonMs() })
  }
  const total = (perSecond * durationMs) / 1_000
  for (const beganMs = performance.now(); waiting.length < total; ) {
    const restMs = beganMs + (waiting.length * 1_000) / perSecond - performance.now()
    if (restMs > 0) await sleep(restMs)
    waiting.push(once())
  }
  await Promise.all(waiting)
  return woken
}

answerParent(
  async (question) => {
    const asked = ClusterEngineQuestion.parse(question)
    if (asked.kind === 'open') return await open(asked)
    if (opened === undefined) throw new Error('Open it first')
    if (asked.kind === 'wait') return await wait(opened, asked)
    const noted = written
    written = []
    return noted
  },
  () => close(),
)
