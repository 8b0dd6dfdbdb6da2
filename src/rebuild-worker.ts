import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { build } from './engine/build.ts'
import { systemClock } from './engine/clock.ts'
import { projectionsOf, registryOf } from './engine/engine.ts'
import { loadExtensions } from './extension.ts'
import type { RebuildMessage, RebuildTask } from './rebuild.ts'
import { forReading } from './shop.ts'
import { openBuildStorage } from './storage.ts'

/** The thread that builds generations: it reads the log and writes the new files, and knows no requests. */

const task: RebuildTask = workerData
const rest = new Int32Array(task.rest)
const stopping = new AbortController()
parentPort?.on('message', () => stopping.abort())
parentPort?.unref()

function tell(message: RebuildMessage): void {
  parentPort?.postMessage(message)
}

const definitions = forReading(await loadExtensions(task.extensions))
const { store, readStore, close } = await openBuildStorage(task.settings, systemClock)
try {
  const failures = await build(
    {
      store,
      readStore,
      registry: registryOf(definitions),
      projections: projectionsOf(definitions),
      now: systemClock.now,
      signal: stopping.signal,
      async onBatch(progress) {
        tell({ kind: 'progress', progress })
        await sleep(Atomics.load(rest, 0))
      },
    },
    task.targets,
  )
  tell({ kind: 'built', failures })
} catch (error) {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
} finally {
  await close()
}
