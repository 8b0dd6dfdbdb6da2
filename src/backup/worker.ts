import { parentPort, workerData } from 'node:worker_threads'
import { registryOf } from '../engine/engine.ts'
import type { EventRegistry } from '../engine/events.ts'
import { loadExtensions } from '../extension.ts'
import { forReading } from '../shop.ts'
import { type BackupMessage, type BackupTask, control } from './backups.ts'
import { type TakeProgress, takeBackup } from './take.ts'

/** The thread that takes a backup, by connections of its own. */

class StoppedBackupError extends Error {
  override readonly name = 'StoppedBackupError'
}

const { shared, extensions, ...task }: BackupTask = workerData
const asked = new Int32Array(shared)
const never = new Int32Array(new SharedArrayBuffer(4))
const tellEveryMs = 100
let toldAt = 0

function tell(message: BackupMessage): void {
  parentPort?.postMessage(message)
}

function onProgress(progress: TakeProgress): void {
  if (Atomics.load(asked, control.stop) !== 0) throw new StoppedBackupError('The backup was stopped.')
  const restMs = Atomics.load(asked, control.restMs)
  if (restMs > 0) Atomics.wait(never, 0, 0, restMs)
  const now = performance.now()
  if (now - toldAt < tellEveryMs) return
  toldAt = now
  tell({ kind: 'progress', progress })
}

/** @returns undefined where an extension can't be loaded: a backup needs none of the shop's own code */
async function registryWith(places: BackupTask['extensions']): Promise<EventRegistry | undefined> {
  try {
    return registryOf(forReading(await loadExtensions(places)))
  } catch {
    return undefined
  }
}

try {
  const registry = await registryWith(extensions)
  tell({ kind: 'done', taken: await takeBackup({ ...task, ...(registry && { registry }), onProgress }) })
} catch (error) {
  if (error instanceof StoppedBackupError) tell({ kind: 'stopped' })
  else tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}
