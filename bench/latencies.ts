import { createHistogram } from 'node:perf_hooks'

/** How long things took, to the microsecond. */
export interface Latencies {
  add(milliseconds: number): void
  /** @returns milliseconds */
  quantile(quantile: number): number
}

export function latencies(): Latencies {
  const histogram = createHistogram()
  return {
    add: (milliseconds) => histogram.record(Math.max(1, Math.round(milliseconds * 1_000))),
    quantile: (quantile) => histogram.percentile(quantile * 100) / 1_000,
  }
}
