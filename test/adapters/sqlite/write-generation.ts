import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteReadStore } from '../../../src/adapters/sqlite/read-store.ts'
import { at, ordersSpec, put } from '../../read-store-orders.ts'

/** A worker thread, or a process that may be killed, that writes a generation in 200 batches of 50 documents, and flushes every ten. */

const store = openSqliteReadStore({ directory: String(workerData ?? process.argv[2]) })
const generation = await store.createGeneration(ordersSpec)
parentPort?.postMessage(generation.id)
process.send?.(generation.id)
for (let position = 1; position <= 200; position++) {
  const writes = Array.from({ length: 50 }, (_, number) => put(`${position}-${number}`, position, { status: 'open' }))
  await generation.write(writes, at(position))
  if (position % 10 === 0) await generation.flush()
  if (position === 100) process.send?.('half')
}
await store.close()
