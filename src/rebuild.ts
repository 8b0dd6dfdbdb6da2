import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { BuildFailure, BuildProgress, BuildTarget } from './engine/build.ts'
import type { Builder } from './engine/rebuilds.ts'

export interface RebuildTask {
  readonly directory: string
  readonly targets: readonly BuildTarget[]
  /** How long the worker rests after each batch, in milliseconds: written by the thread that answers requests. */
  readonly rest: SharedArrayBuffer
}

export type RebuildMessage =
  | { readonly kind: 'progress'; readonly progress: BuildProgress }
  | { readonly kind: 'built'; readonly failures: readonly BuildFailure[] }
  | { readonly kind: 'failed'; readonly message: string }

const sampleEveryMs = 50
const calmDelayMs = 5
const longestRestMs = 500

/** Lets the worker rest the longer, the later the event loop is. */
function throttle(rest: Int32Array): () => void {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const timer = setInterval(() => {
    const lateMs = delay.percentile(90) / 1e6 - 5
    delay.reset()
    Atomics.store(rest, 0, lateMs > calmDelayMs ? Math.min(longestRestMs, Math.round(lateMs * 4)) : 0)
  }, sampleEveryMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}

/** Builds generations in a worker thread with connections of its own, throttled so that the shop doesn't starve. */
export function workerBuilder(directory: string): Builder {
  return async (targets, onProgress, signal) => {
    const rest = new SharedArrayBuffer(4)
    const task: RebuildTask = { directory, targets, rest }
    const worker = new Worker(new URL('./rebuild-worker.ts', import.meta.url), { workerData: task })
    const stopThrottle = throttle(new Int32Array(rest))
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
      stopThrottle()
    }
  }
}
