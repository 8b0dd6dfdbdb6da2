import { monitorEventLoopDelay } from 'node:perf_hooks'
import { z } from 'zod'
import type { Daybook } from '../src/daybook.ts'

/** How a server looks from within while it is under load. */

export const Readings = z.object({
  /** At the quantile 0.999. */
  eventLoopDelayMs: z.number(),
  /** Of the read model that was the latest, whenever it was the most behind. */
  longestLagMs: z.number(),
  /** Resident, of all threads together. */
  mostMemoryBytes: z.number(),
})
export type Readings = z.output<typeof Readings>

const delayResolutionMs = 2
const sampleEveryMs = 50

/** Position of the log's last event. */
export function headOf({ engine }: Daybook): number {
  return Math.max(...engine.projections.status().map(({ position, lag }) => position + lag))
}

/** Begins to watch. @returns what ends it */
export function startWatch(daybook: Daybook): () => Readings {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs })
  /** When the log was seen to reach a position that some read model has not reached yet. */
  let heads: { readonly atMs: number; readonly position: number }[] = []
  let seen = headOf(daybook)
  let longestLagMs = 0
  let mostMemoryBytes = 0

  function sample(): void {
    const atMs = performance.now()
    const position = headOf(daybook)
    if (position > seen) heads.push({ atMs, position })
    seen = position
    const reached = Math.min(...daybook.engine.projections.status().map((each) => each.position))
    heads = heads.filter((each) => each.position > reached)
    longestLagMs = Math.max(longestLagMs, atMs - (heads[0]?.atMs ?? atMs))
    mostMemoryBytes = Math.max(mostMemoryBytes, process.memoryUsage.rss())
  }

  const timer = setInterval(sample, sampleEveryMs)
  delay.enable()
  return () => {
    clearInterval(timer)
    delay.disable()
    sample()
    const eventLoopDelayMs = Math.max(0, delay.percentile(99.9) / 1e6 - delayResolutionMs)
    return { eventLoopDelayMs, longestLagMs, mostMemoryBytes }
  }
}

/** Waits until everything that follows from what happened has happened. @returns the position of the last event */
export async function untilRest(daybook: Daybook): Promise<number> {
  const { projections, processes } = daybook.engine
  for (;;) {
    const position = headOf(daybook)
    const isRead = projections.status().every(({ lag }) => lag === 0)
    const isReacted = processes.status().every((each) => each.position === position && each.underWay === 0)
    if (isRead && isReacted) return position
    await new Promise((resolve) => setTimeout(resolve, sampleEveryMs))
  }
}
