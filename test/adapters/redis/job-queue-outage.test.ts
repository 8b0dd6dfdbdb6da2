import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openRedisJobQueue, type RedisJobQueueOptions } from '../../../src/adapters/redis/job-queue.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import type { RunningJob } from '../../../src/engine/job-queue.ts'
import { mail, patient } from '../../mail-jobs.ts'
import { type RedisServerProcess, redisServer, withoutServer } from './redis-server.ts'
import { tcpProxy } from './tcp-proxy.ts'

const outageMs = 10_000
const freezeMs = 30_000

/** Lets real time go by: how long an outage lasts. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const soon = { timeout: 20_000, interval: 50 }

describe.skipIf(withoutServer !== undefined)(
  `the job queue in Redis when the server goes${withoutServer ? ` (skipped: ${withoutServer})` : ''}`,
  { timeout: 120_000 },
  () => {
    async function ownServer(...settings: readonly string[]): Promise<RedisServerProcess> {
      const server = await redisServer(...settings)
      onTestFinished(server.dispose)
      return server
    }

    function openQueue(url: string, more: Partial<RedisJobQueueOptions> = {}) {
      const errors: unknown[] = []
      const queue = openRedisJobQueue({
        url,
        prefix: 'test',
        stopTimeoutMs: 2_000,
        onError: (error) => errors.push(error),
        ...more,
      })
      onTestFinished(() => queue.close())
      const ran: string[] = []
      const record = async ({ id }: RunningJob) => void ran.push(id)
      return { queue, errors, ran, record }
    }

    test('for 10 s, and comes back empty: says so at once, and goes on by itself with what is put in afterwards', async () => {
      const server = await ownServer()
      const { queue, errors, ran, record } = openQueue(server.url)
      const started = Promise.withResolvers<void>()
      const gate = Promise.withResolvers<void>()
      queue.work('mail', record, patient)
      queue.work(
        'slow',
        async () => {
          started.resolve()
          await gate.promise
        },
        patient,
      )
      await queue.schedule([mail('before', Date.now()), { ...mail('runs', Date.now()), name: 'slow' }])
      await queue.schedule([mail('lost', Date.now() + 60_000)])
      await started.promise
      await vi.waitFor(() => expect(ran).toEqual(['before']), soon)

      await server.kill()
      await vi.waitFor(() => expect(errors).not.toEqual([]), soon)
      await expect(queue.schedule([mail('refused', Date.now())])).rejects.toThrow(UnavailableError)
      await expect(queue.known(['lost'])).rejects.toMatchObject({ code: 'jobs-unavailable' })
      gate.resolve() // its end can be told to nobody
      await pass(outageMs)
      expect(errors.length).toBeLessThan(20) // not one for each try to connect

      await server.start()
      await vi.waitFor(async () => expect(await queue.known(['before', 'lost', 'refused'])).toEqual(new Set()), soon)
      await queue.schedule([mail('after', Date.now()), mail('later', Date.now() + 500)])
      await vi.waitFor(() => expect(ran).toEqual(['before', 'after', 'later']), soon)
      await queue.schedule([{ ...mail('runs', Date.now()), name: 'slow' }])
      await vi.waitFor(async () => expect(await queue.known(['runs'])).toEqual(new Set()), soon)
    })

    test('for 10 s, and comes back with what it had: runs what fell due meanwhile', async () => {
      const server = await ownServer('--appendonly', 'yes', '--appendfsync', 'always')
      const { queue, ran, record } = openQueue(server.url)
      queue.work('mail', record, patient)
      await queue.schedule([mail('due-meanwhile', Date.now() + 5_000), mail('later', Date.now() + 12_000)])
      await server.kill()
      await pass(outageMs)
      await server.start()
      await vi.waitFor(() => expect(ran).toEqual(['due-meanwhile', 'later']), soon)
    })

    test('hangs for 30 s: each call ends with an error in time, and workers go on by themselves', async () => {
      const server = await ownServer()
      const { queue, ran, record } = openQueue(server.url)
      queue.work('mail', record, patient)
      await queue.schedule([mail('before', Date.now()), mail('due-meanwhile', Date.now() + 10_000)])
      await vi.waitFor(() => expect(ran).toEqual(['before']), soon)

      server.freeze()
      const began = performance.now()
      const refused: unknown[] = []
      // As those would who go on asking.
      while (performance.now() - began < freezeMs) {
        await queue.schedule([mail(`call-${refused.length}`, Date.now())]).catch((error) => refused.push(error))
        await pass(100)
      }
      expect(refused.length).toBeGreaterThan(freezeMs / 5_000) // none waited until the end
      for (const error of refused) expect(error).toBeInstanceOf(UnavailableError)

      server.thaw()
      await vi.waitFor(() => expect(ran).toContain('due-meanwhile'), soon)
      await vi.waitFor(() => queue.schedule([mail('after', Date.now())]), soon)
      await vi.waitFor(() => expect(ran).toContain('after'), soon)
    })

    test('is not there at the start: says so at once, and works as soon as it comes', async () => {
      const server = await ownServer()
      await server.kill()
      const { queue, ran, record } = openQueue(server.url)
      queue.work('mail', record, patient)
      await expect(queue.schedule([mail('refused', Date.now())])).rejects.toThrow(UnavailableError)
      await server.start()
      await vi.waitFor(() => queue.schedule([mail('after', Date.now())]), soon)
      await vi.waitFor(() => expect(ran).toEqual(['after']), soon)
    })

    test('is away as the queue is closed: it closes all the same', async () => {
      const server = await ownServer()
      const { queue, ran, record } = openQueue(server.url)
      queue.work('mail', record, patient)
      await queue.schedule([mail('before', Date.now())])
      await vi.waitFor(() => expect(ran).toEqual(['before']), soon)
      await server.kill()
      await queue.close()
    })

    test('has no memory left: refuses jobs, and takes them when there is some', async () => {
      const server = await ownServer('--maxmemory', '4mb', '--maxmemory-policy', 'noeviction')
      const { queue, ran, record, errors } = openQueue(server.url)
      const text = 'x'.repeat(50_000)
      let count = 0
      const fill = async () => {
        for (;;) await queue.schedule([mail(`fill-${++count}`, Date.now() + 60_000, { text })])
      }
      await expect(fill()).rejects.toMatchObject({ code: 'jobs-unavailable' })
      queue.work('mail', record, patient)
      await vi.waitFor(() => expect(errors).not.toEqual([]), soon)
      const told = errors.length
      await pass(3_000)
      expect(errors.length - told).toBeLessThan(20) // it does not ask as fast as it can
      await queue.cancel(Array.from({ length: count }, (_, index) => `fill-${index + 1}`))
      await vi.waitFor(() => queue.schedule([mail('after', Date.now())]), soon)
      await vi.waitFor(() => expect(ran).toEqual(['after']), soon)
    })

    test('is cut off from one process after the other that runs a job: another one runs it, however often', async () => {
      const server = await ownServer()
      const gate = Promise.withResolvers<void>()
      const other = openQueue(server.url, { lockMs: 1_000 })
      await other.queue.schedule([mail('a', Date.now())])
      for (let death = 0; death < 3; death++) {
        const proxy = await tcpProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
        const { queue } = openQueue(`redis://127.0.0.1:${proxy.port}`, { lockMs: 1_000 })
        const started = Promise.withResolvers<void>()
        queue.work(
          'mail',
          async () => {
            started.resolve()
            await gate.promise
          },
          patient,
        )
        await started.promise
        proxy.cut()
      }
      other.queue.work('mail', other.record, patient)
      await vi.waitFor(() => expect(other.ran).toEqual(['a']), soon)
      gate.resolve()
      await vi.waitFor(async () => expect(await other.queue.known(['a'])).toEqual(new Set()), soon)
    })
  },
)
