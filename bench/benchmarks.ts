import { append } from './append.ts'
import type { Benchmark } from './benchmark.ts'
import { catchUp } from './catch-up.ts'
import { checkout } from './checkout.ts'
import { hotItem } from './hot-item.ts'
import { importing } from './import.ts'
import { install } from './install.ts'
import { longStream } from './long-stream.ts'
import { memory } from './memory.ts'
import { rebuild } from './rebuild.ts'
import { start } from './start.ts'

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  checkout,
  append,
  hotItem,
  longStream,
  rebuild,
  catchUp,
  start,
  memory,
  importing,
  install,
]
