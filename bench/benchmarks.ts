import { append } from './append.ts'
import type { Benchmark } from './benchmark.ts'
import { catchUp } from './catch-up.ts'
import { checkout } from './checkout.ts'
import { clusterHotItem } from './cluster-hot-item.ts'
import { clusterTakeover } from './cluster-takeover.ts'
import { clusterWake } from './cluster-wake.ts'
import { eventStoreDb } from './eventstoredb.ts'
import { growth } from './growth.ts'
import { hotItem } from './hot-item.ts'
import { importing } from './import.ts'
import { install } from './install.ts'
import { logIn } from './log-in.ts'
import { longStream } from './long-stream.ts'
import { memory } from './memory.ts'
import { mongodb } from './mongodb.ts'
import { cataloguePage, orderHistory, productDetail, search } from './queries.ts'
import { reaction } from './reaction.ts'
import { rebuild } from './rebuild.ts'
import { rebuildUnderLoad } from './rebuild-under-load.ts'
import { start } from './start.ts'

/** All benchmarks, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  append,
  hotItem,
  checkout,
  cataloguePage,
  search,
  productDetail,
  orderHistory,
  reaction,
  logIn,
  longStream,
  rebuild,
  rebuildUnderLoad,
  catchUp,
  start,
  memory,
  growth,
  importing,
  mongodb,
  install,
  eventStoreDb,
  clusterHotItem,
  clusterTakeover,
  clusterWake,
]
