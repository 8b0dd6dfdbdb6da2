import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { filesOf } from '../src/storage.ts'
import { benchmark } from './benchmark.ts'
import { Seconds, startEngineProcess } from './engine-job.ts'

const concurrency = 256
const commands = 60_000
const warmUpCommands = 5_000
const rawGroups = 400

/** Inserts groups as large as the number of commands that are under way, one after another. @returns events a second */
async function insertRaw(file: string, like: string): Promise<number> {
  const worker = new Worker(new URL('./raw-log.ts', import.meta.url), { workerData: { file, like } })
  try {
    const insert = () =>
      new Promise<void>((resolve, reject) => {
        worker.once('error', reject)
        worker.once('message', () => {
          worker.off('error', reject)
          resolve()
        })
        worker.postMessage(concurrency)
      })
    await insert()
    const beganMs = performance.now()
    for (let group = 0; group < rawGroups; group++) await insert()
    return (rawGroups * concurrency * 1_000) / (performance.now() - beganMs)
  } finally {
    await worker.terminate()
  }
}

export const append = benchmark({
  name: 'append',
  title: `Commands straight to the handler, ${concurrency} at once, durable: each opens a cart, a new stream of one event; ${commands.toLocaleString('en-GB')} in a round, in a process of its own`,
  figures: [
    {
      name: 'without read models',
      unit: 'events/s',
      limit: `the same events inserted into SQLite as they are, ${concurrency} in a transaction, as durable`,
      goal: { of: 'ratio', is: 'at least', value: 0.6 },
    },
    { name: 'with all read models', unit: 'events/s' },
  ],
  async prepare({ directory, profileDirectory }) {
    const newDirectory = () => mkdtempSync(join(directory, 'store-'))

    async function openCarts(readModels: boolean, count: number, data: string): Promise<number> {
      const engine = await startEngineProcess(data, { readModels, profileDirectory })
      try {
        await engine.ask(Seconds, { kind: 'open-carts', count: warmUpCommands, concurrency })
        const { seconds } = await engine.ask(Seconds, { kind: 'open-carts', count, concurrency })
        return count / seconds
      } finally {
        await engine.stop()
      }
    }

    const sample = newDirectory()
    await openCarts(false, warmUpCommands, sample)

    async function inNewDirectory(run: (data: string) => Promise<number>): Promise<number> {
      const data = newDirectory()
      try {
        return await run(data)
      } finally {
        rmSync(data, { recursive: true })
      }
    }

    return {
      limit: async () => ({
        'without read models': await inNewDirectory((data) => insertRaw(join(data, 'raw.db'), filesOf(sample).log)),
      }),
      round: async () => ({
        'without read models': await inNewDirectory((data) => openCarts(false, commands, data)),
        'with all read models': await inNewDirectory((data) => openCarts(true, commands, data)),
      }),
    }
  },
})
