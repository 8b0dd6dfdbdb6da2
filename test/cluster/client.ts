import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Answer, Client } from '../crash/client.ts'
import type { Caller, Journal, SentCommand } from '../crash/journal.ts'
import type { Sightings } from './sightings.ts'

/** A client that goes round all processes that serve the API, as behind a load balancer, and comes again as it is told. */

export interface Door {
  readonly url: string
  /** False while a test has stopped the process, or it starts: then it may give no answer. */
  isUp(): boolean
}

export interface ClusterClientOptions {
  readonly doors: () => readonly Door[]
  readonly staffToken: () => string
  readonly journal: Journal
  readonly sightings: Sightings
  /** Most requests in a second, so that a small machine has room to catch up. */
  readonly perSecond: number
}

const AcceptedBody = z.object({ id: z.string(), revision: z.int(), position: z.string() })
const brokenRule = 409
const unavailable = 503
/** What a command may take (10 s), or a query that waits (5 s), and what a busy machine adds. */
const timeLimitMs = 15_000
const patienceMs = 120_000
const noDoorPauseMs = 50

export function clusterClient(options: ClusterClientOptions): Client {
  const { doors, staffToken, journal, sightings, perSecond } = options
  let turn = 0
  let nextAtMs = 0

  async function inPace(): Promise<void> {
    const at = Math.max(performance.now(), nextAtMs)
    nextAtMs = at + 1_000 / perSecond
    await sleep(Math.max(0, at - performance.now()))
  }

  async function exchange(door: Door, method: string, path: string, init: RequestInit, waitS: number) {
    const startedAt = performance.now()
    const reply = await fetch(new URL(path, door.url), { ...init, method, signal: AbortSignal.timeout(patienceMs) })
    const text = await reply.text()
    const elapsedMs = performance.now() - startedAt
    sightings.answered(reply.status, elapsedMs)
    if (elapsedMs > timeLimitMs + waitS * 1_000)
      throw new Error(`${method} ${path} was answered ${reply.status} after ${Math.round(elapsedMs)} ms: ${text}`)
    return { status: reply.status, retryAfter: reply.headers.get('retry-after'), text }
  }

  async function request(
    method: string,
    path: string,
    caller: Caller | undefined,
    headers: Readonly<Record<string, string>>,
    { body, waitS = 0 }: Pick<Partial<SentCommand>, 'body' | 'waitS'> = {},
  ): Promise<Answer> {
    const token = caller === 'staff' ? staffToken() : caller?.token
    const init = {
      headers: {
        ...headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }
    for (;;) {
      await inPace()
      const up = doors().filter((door) => door.isUp())
      const door = up[turn++ % up.length]
      if (door === undefined) {
        await sleep(noDoorPauseMs)
        continue
      }
      const answer = await exchange(door, method, path, init, waitS).catch((error: unknown) => {
        // Nothing but the end of the process may cost an answer.
        if (door.isUp()) throw error
        sightings.lost()
        journal.doubted()
      })
      if (answer === undefined) continue
      const { status, retryAfter, text } = answer
      if (status !== unavailable) return { status, body: text === '' ? undefined : JSON.parse(text) }
      if (!(Number(retryAfter) > 0)) throw new Error(`${method} ${path} was answered 503 without Retry-After: ${text}`)
      await sleep(Number(retryAfter) * 1_000)
    }
  }

  function send({ method, path, caller, key, waitS, body }: SentCommand): Promise<Answer> {
    const headers = { 'idempotency-key': key, ...(waitS !== undefined && { prefer: `wait=${waitS}` }) }
    return request(method, path, caller, headers, { body, ...(waitS !== undefined && { waitS }) })
  }

  return {
    get: (path, caller, position) =>
      request('GET', path, caller, position === undefined ? {} : { 'daybook-position': position }),
    ask: (path, caller) => request('POST', path, caller, {}),
    again: send,
    async command(command) {
      journal.sent(command)
      const { status, body } = await send(command)
      if (status === brokenRule) {
        journal.refused(command, body.code)
        return undefined
      }
      if (status >= 300) throw new Error(`${command.method} ${command.path}: ${status} ${JSON.stringify(body)}`)
      const answer = AcceptedBody.parse(body)
      journal.accepted(command, answer)
      return answer
    },
  }
}
