import { Worker } from 'node:worker_threads'
import type { BackupStatus, Backups } from '../api/backup-operations.ts'
import { moduleBeside } from '../engine/module-file.ts'
import { type Extension, type ExtensionPlace, placesOf } from '../extension.ts'
import type { DataFiles } from '../storage.ts'
import { throttle } from '../throttle.ts'
import type { Taken, TakeOptions, TakeProgress } from './take.ts'

export interface BackupTask extends Omit<TakeOptions, 'registry' | 'onProgress'> {
  readonly extensions: readonly ExtensionPlace[]
  /** What the thread is asked for while it works, by the places of `control`. */
  readonly shared: SharedArrayBuffer
}

/** Places in what the threads share: how long to rest after each step, and whether to stop. */
export const control = { restMs: 0, stop: 1 } as const

export type BackupMessage =
  | { readonly kind: 'progress'; readonly progress: TakeProgress }
  | { readonly kind: 'done'; readonly taken: Taken }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly message: string }

/** Backups of a data directory, each in a thread of its own. */
export interface LocalBackups extends Backups {
  /** Stops the one that is under way, and waits until nothing is left of it. */
  close(): Promise<void>
}

export interface BackupsOptions {
  readonly files: DataFiles
  /** Of Daybook. */
  readonly version: string
  /** What the shop has beside what every shop has. */
  readonly extensions: readonly Extension[]
  readonly now: () => number
}

export function backups({ files, version, extensions, now }: BackupsOptions): LocalBackups {
  let status: BackupStatus = { state: 'none' }
  let running: Promise<void> = Promise.resolve()
  let asked = new Int32Array(new SharedArrayBuffer(8))

  async function run(task: BackupTask): Promise<void> {
    const { directory } = task
    let endThrottle = () => {}
    try {
      endThrottle = throttle(asked)
      status = await inThread(task, (progress) => {
        status = { state: 'running', directory, progress }
      })
    } catch (error) {
      status = { state: 'failed', directory, error: String(error) }
    } finally {
      endThrottle()
    }
  }

  return {
    begin(directory) {
      status = { state: 'running', directory }
      const shared = new SharedArrayBuffer(8)
      asked = new Int32Array(shared)
      running = run({
        files,
        directory,
        version,
        extensions: placesOf(extensions),
        now: new Date(now()).toISOString(),
        shared,
      })
    },
    status: () => status,
    stop() {
      Atomics.store(asked, control.stop, 1)
    },
    async close() {
      Atomics.store(asked, control.stop, 1)
      await running
    },
  }
}

function summaryOf({ manifest, lostKeys }: Taken): BackupStatus['taken'] & object {
  const { log, files } = manifest
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  return {
    position: log.position,
    events: log.events,
    bytes,
    ...(lostKeys && { lostKeys: { ...lostKeys, first: [...lostKeys.first] } }),
  }
}

function inThread(task: BackupTask, onProgress: (progress: TakeProgress) => void): Promise<BackupStatus> {
  const { directory } = task
  const worker = new Worker(moduleBeside('worker', import.meta.url), { workerData: task })
  return new Promise((resolve) => {
    let ended: BackupStatus = { state: 'failed', directory, error: 'The thread of the backup ended.' }
    worker.on('message', (message: BackupMessage) => {
      if (message.kind === 'progress') onProgress(message.progress)
      else if (message.kind === 'done') ended = { state: 'done', directory, taken: summaryOf(message.taken) }
      else if (message.kind === 'stopped') ended = { state: 'stopped', directory }
      else ended = { state: 'failed', directory, error: message.message }
    })
    worker.on('error', (error) => {
      ended = { state: 'failed', directory, error: String(error) }
    })
    worker.on('exit', () => resolve(ended))
  })
}
