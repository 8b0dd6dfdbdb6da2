import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { BuildFailure, BuildProgress, BuildTarget } from './engine/build.ts'
import { moduleBeside } from './engine/module-file.ts'
import type { Builder } from './engine/rebuilds.ts'
import type { ExtensionPlace } from './extension.ts'
import type { StorageSettings } from './storage.ts'
import { throttle } from './throttle.ts'

export interface RebuildTask {
  readonly settings: StorageSettings
  readonly extensions: readonly ExtensionPlace[]
  readonly targets: readonly BuildTarget[]
  /** How long the worker rests after each batch, in milliseconds: written by the thread that answers requests. */
  readonly rest: SharedArrayBuffer
}

export type RebuildMessage =
  | { readonly kind: 'progress'; readonly progress: BuildProgress }
  | { readonly kind: 'built'; readonly failures: readonly BuildFailure[] }
  | { readonly kind: 'failed'; readonly message: string }

/** Each takes memory, and all of them read the same log. */
const maxThreads = 4

/**
 * Builds generations in worker threads with connections of their own, throttled so that the shop doesn't starve. Several
 * read models are shared out among the threads: to parse the log in each costs less than to hand parsed events over.
 */
export function workerBuilder(settings: StorageSettings, extensions: readonly ExtensionPlace[] = []): Builder {
  return async (targets, onProgress, signal) => {
    const rest = new SharedArrayBuffer(4)
    const stopThrottle = throttle(new Int32Array(rest))
    const threads = Math.min(targets.length, maxThreads, availableParallelism())
    const progress = new Map<number, BuildProgress>()
    try {
      const parts = Array.from({ length: threads }, async (_, thread) => {
        const part = targets.filter((_target, place) => place % threads === thread)
        const report = (reached: BuildProgress) => {
          progress.set(thread, reached)
          if (progress.size === threads) onProgress(slowest([...progress.values()]))
        }
        // What other threads have built is good, whatever became of this one.
        return await buildInThread({ settings, extensions, targets: part, rest }, signal, report).catch(
          (error: unknown) =>
            part.map(({ generationId }) => ({ generationId, message: String(error), isPoison: false })),
        )
      })
      return (await Promise.all(parts)).flat()
    } finally {
      stopThrottle()
    }
  }
}

function slowest(all: readonly BuildProgress[]): BuildProgress {
  return all.reduce((one, other) => (one.position <= other.position ? one : other))
}

async function buildInThread(
  task: RebuildTask,
  signal: AbortSignal,
  onProgress: (progress: BuildProgress) => void,
): Promise<readonly BuildFailure[]> {
  const worker = new Worker(moduleBeside('rebuild-worker', import.meta.url), { workerData: task })
  const abort = () => worker.postMessage('stop')
  signal.addEventListener('abort', abort)
  try {
    return await new Promise<readonly BuildFailure[]>((resolve, reject) => {
      let built: readonly BuildFailure[] | undefined
      let failure: Error | undefined
      worker.on('message', (message: RebuildMessage) => {
        if (message.kind === 'progress') onProgress(message.progress)
        else if (message.kind === 'built') built = message.failures
        else failure = new Error(message.message)
      })
      worker.on('error', reject)
      worker.on('exit', (code) => {
        if (failure) reject(failure)
        else if (built) resolve(built)
        else reject(new Error(`The rebuild's thread ended with code ${code}`))
      })
    })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
