import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop's own timers are: what everybody waits for who wants something of this process. */
export interface EventLoop {
  /** @param share such as 0.99 @returns the delay in seconds that so many were within */
  delaySeconds(share: number): number
  /** Forgets what was seen. */
  reset(): void
  stop(): void
}

const resolutionMs = 10

/** Begins to watch. */
export function watchEventLoop(): EventLoop {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  return {
    // What is measured are the times between its own timers, which are on time with a delay of their resolution.
    delaySeconds: (share) => Math.max(0, delay.percentile(share * 100) / 1e6 - resolutionMs) / 1_000,
    reset: () => delay.reset(),
    stop: () => void delay.disable(),
  }
}
