import { openRedisJobQueue } from '../../../src/adapters/redis/job-queue.ts'
import type { JobQueue } from '../../../src/engine/job-queue.ts'
import type { JobQueueHarness } from '../../contract/job-queue-harness.ts'
import { keySpace } from './redis.ts'
import { tcpProxy } from './tcp-proxy.ts'

/** How many of the jobs of a name run, and how many may. */
interface Work {
  running: number
  room: number
  total: number
}

const names = ['mail', 'bill', 'x']
const checkEveryMs = 10
/** BullMQ keeps the time of a job in the upper bits. */
const delayedUnitsPerMs = 4_096

/** A queue in real time: time passes by itself, and `advance` then waits until the queue has done what was due. */
export async function redisJobQueueHarness(): Promise<JobQueueHarness> {
  const keys = keySpace()
  const { url, prefix, client } = keys
  const address = new URL(url)
  const proxy = await tcpProxy({ host: address.hostname, port: Number(address.port || 6379) })
  const proxied = new URL(url)
  proxied.hostname = '127.0.0.1'
  proxied.port = String(proxy.port)
  const works = new Map<string, Work>(names.map((name) => [name, { running: 0, room: 0, total: Infinity }]))
  const opened: JobQueue[] = []

  function open(at: string): JobQueue {
    const queue = openRedisJobQueue({ url: at, prefix, stopTimeoutMs: 5_000 })
    opened.push(queue)
    return {
      ...queue,
      work(name, handler, options) {
        const work = works.get(name)
        if (work === undefined) throw new Error(`The harness knows no jobs called ${name}`)
        work.room += options.concurrency
        work.total = options.totalConcurrency ?? Infinity
        const stop = queue.work(
          name,
          async (job) => {
            work.running++
            try {
              await handler(job)
            } finally {
              work.running--
            }
          },
          options,
        )
        return () => {
          work.room -= options.concurrency
          return stop()
        }
      },
      close() {
        for (const work of works.values()) work.room = 0
        return queue.close()
      },
    }
  }

  async function isSettled(name: string, { running, room, total }: Work): Promise<boolean> {
    const key = `${prefix}:jobs:${name}`
    const due = Date.now() * delayedUnitsPerMs
    const [waiting, active, delayed] = await Promise.all([
      client.llen(`${key}:wait`),
      client.llen(`${key}:active`),
      client.zcount(`${key}:delayed`, '-inf', due),
    ])
    return active === running && (Math.min(room, total) <= running || waiting + delayed === 0)
  }

  async function settle(): Promise<void> {
    for (let calm = 0; calm < 3; ) {
      const settled = await Promise.all(Array.from(works, ([name, work]) => isSettled(name, work)))
      // Whoever ends a job that was cancelled then looks for its mark.
      const marks = (await client.keys(`${prefix}:cancelled:*`)).length
      const running = Array.from(works.values()).reduce((sum, work) => sum + work.running, 0)
      calm = settled.every(Boolean) && marks <= running ? calm + 1 : 0
      await pass(checkEveryMs)
    }
  }

  return {
    queue: open(proxied.href),
    now: () => Date.now(),
    holdsTime: false,
    async advance(ms) {
      await pass(ms)
      await settle()
    },
    async crash() {
      proxy.cut()
      for (const work of works.values()) Object.assign(work, { running: 0, room: 0 })
      // As if the time had passed after which nobody believes that the dead process still runs its jobs.
      for (const name of names) {
        const key = `${prefix}:jobs:${name}`
        const active = await client.lrange(`${key}:active`, 0, -1)
        await client.del(`${key}:stalled-check`, ...active.map((id) => `${key}:${id}:lock`))
        if (active.length > 0) await client.sadd(`${key}:stalled`, ...active)
      }
      return open(url)
    },
    async dispose() {
      proxy.cut()
      for (const queue of opened) void queue.close() // never ends where a job was left running
      await keys.dispose()
    },
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
