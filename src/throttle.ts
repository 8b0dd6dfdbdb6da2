import { monitorEventLoopDelay } from 'node:perf_hooks'

const sampleEveryMs = 50
const calmDelayMs = 5
const longestRestMs = 500

/**
 * Lets a worker thread rest the longer, the later the event loop of this thread is.
 * @param rest its first number becomes how long the worker rests after each step, in milliseconds
 * @returns what ends it
 */
export function throttle(rest: Int32Array): () => void {
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
