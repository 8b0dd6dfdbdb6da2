import type { Benchmark } from './benchmark.ts'
import { checkout } from './checkout.ts'

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [checkout]
