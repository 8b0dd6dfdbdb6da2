import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, openConnection } from './connection.ts'
import { latencies } from './latencies.ts'
import type { Outcome } from './load-job.ts'

/** How a load is made: in closed loops, where who has no answer yet waits, or on schedule, where nobody waits. */

/** Connections that nobody uses now, by address: they are kept from round to round. */
const free = new Map<string, Connection[]>()

function freeTo(url: string): Connection[] {
  const known = free.get(url) ?? []
  free.set(url, known)
  return known
}

type Timed = (milliseconds: number) => void

/** Has each of so many connections do one thing after another; what was begun is finished. */
export async function closedLoop(
  job: {
    readonly url: string
    readonly concurrency: number
    readonly durationMs?: number
    readonly count?: number
  },
  once: (connection: Connection, timed: Timed) => Promise<void>,
): Promise<Outcome> {
  const { url, concurrency, durationMs = Number.POSITIVE_INFINITY, count: most = Number.POSITIVE_INFINITY } = job
  const kept = freeTo(url)
  const took = latencies()
  let begun = 0
  const beganMs = performance.now()
  async function loop(): Promise<void> {
    const connection = kept.pop() ?? openConnection(url)
    while (begun < most && performance.now() - beganMs < durationMs) {
      begun++
      await once(connection, took.add)
    }
    kept.push(connection)
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  const perSecond = (begun * 1_000) / (performance.now() - beganMs)
  return { count: begun, perSecond, p50Ms: took.quantile(0.5), p99Ms: took.quantile(0.99) }
}

/** Does something each time that it is due, on a connection that nobody uses, and waits for all of it in the end. */
export async function onSchedule(
  { url, perSecond, durationMs }: { readonly url: string; readonly perSecond: number; readonly durationMs: number },
  once: (connection: Connection, dueMs: number, timed: Timed) => Promise<void>,
): Promise<Outcome> {
  const kept = freeTo(url)
  const took = latencies()
  const latenciesMs: number[] = []
  const underWay: Promise<unknown>[] = []
  const failures: unknown[] = []

  function timed(milliseconds: number): void {
    took.add(milliseconds)
    latenciesMs.push(milliseconds)
  }

  async function run(dueMs: number): Promise<void> {
    const connection = kept.pop() ?? openConnection(url)
    await once(connection, dueMs, timed)
    kept.push(connection)
  }

  const beganMs = performance.now()
  const total = Math.floor((perSecond * durationMs) / 1_000)
  while (underWay.length < total && failures.length === 0) {
    const dueMs = beganMs + (underWay.length * 1_000) / perSecond
    if (dueMs <= performance.now()) underWay.push(run(dueMs).catch((error: unknown) => failures.push(error)))
    else await sleep(Math.max(1, dueMs - performance.now()))
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
  const seconds = (performance.now() - beganMs) / 1_000
  return {
    count: total,
    perSecond: total / seconds,
    p50Ms: took.quantile(0.5),
    p99Ms: took.quantile(0.99),
    latenciesMs,
  }
}
