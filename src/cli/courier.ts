import { setTimeout as sleep } from 'node:timers/promises'
import pRetry from 'p-retry'
import { type Connection, ProblemError, type Reply } from './connection.ts'

/** Many requests to the shop at once, up to a bound; each is sent again while the server is busy or away. */
export interface Courier {
  /** Any answer but that the server is busy. */
  ask(path: string): Promise<Reply>
  /**
   * Sends a command.
   * @param key the same for the same command, so that it is never carried out twice
   * @param occurredAt when it happened, ISO 8601; now, if absent
   * @throws ProblemError when it is refused
   * @throws StoppedError instead of sending anything once it has been stopped
   */
  send(
    method: 'POST' | 'PUT',
    path: string,
    body: unknown,
    options?: { readonly key?: string; readonly occurredAt?: string },
  ): Promise<void>
  /** Commands that were answered. */
  sent(): number
}

/** It was stopped before everything was sent. What was sent has been answered. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

const retries = 9
const longestPauseMs = 10_000
const busy = new Set([429, 503])

/** @param atOnce requests that are under way at a time */
export function courier(connection: Connection, atOnce: number, signal?: AbortSignal): Courier {
  const waiting: (() => void)[] = []
  let underWay = 0
  let sentCount = 0

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (underWay >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else underWay++
    try {
      if (signal?.aborted) throw new StoppedError('Stopped.')
      return await work()
    } finally {
      // Whoever waits takes over this turn.
      const next = waiting.shift()
      if (next) next()
      else underWay--
    }
  }

  async function patiently(...request: Parameters<Connection['send']>): Promise<Reply> {
    async function attempt(): Promise<Reply> {
      const reply = await connection.send(...request)
      if (!busy.has(reply.status)) return reply
      await sleep(Math.min(longestPauseMs, Number(reply.headers['retry-after'] ?? 0) * 1_000))
      throw new ProblemError(reply.status, reply.body)
    }
    try {
      return await pRetry(attempt, { retries, minTimeout: 100, maxTimeout: longestPauseMs, randomize: true })
    } catch (error) {
      if (error instanceof ProblemError || error instanceof SyntaxError) throw error
      throw new Error('The server does not answer any more. Start it, and run the same command again to go on.', {
        cause: error,
      })
    }
  }

  return {
    ask: (path) => inTurn(() => patiently('GET', path)),
    async send(method, path, body, { key, occurredAt } = {}) {
      const headers = {
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(occurredAt !== undefined && { 'daybook-occurred-at': occurredAt }),
      }
      const reply = await inTurn(() => patiently(method, path, { body, headers }))
      if (reply.status >= 400) throw new ProblemError(reply.status, reply.body)
      sentCount++
    },
    sent: () => sentCount,
  }
}

/**
 * Does something with each of many items, some of them at a time. After a failure nothing new is begun, and what is
 * under way ends first.
 * @throws the first failure
 */
export async function forEach<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const failures: unknown[] = []
  async function worker(): Promise<void> {
    for (let next = rest.next(); !next.done && failures.length === 0; next = rest.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failures.length > 0) throw failures[0]
}
