import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ListeningServer } from '../server-process.ts'
import type { Accepted, Caller, Journal, SentCommand } from './journal.ts'

/** A client that outlives the server: what got no answer it sends again, with the same key, when the server is back. */

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the load says what it expects of a body by what it reads
  readonly body: any
}

/** The place where clients find the server, and wait for it while it is away. */
export interface Meeting {
  /** The server takes requests. */
  up(server: ListeningServer): void
  /** The server is about to be killed: what fails from now on is in doubt. */
  down(): void
  /** The server, as soon as there is one. */
  server(): Promise<ListeningServer>
  /** Whether this server is the one that is up now. */
  isUp(server: ListeningServer): boolean
  /** No server will come any more: whoever waits for one is refused. */
  close(): void
}

export function meeting(): Meeting {
  let current: ListeningServer | undefined
  let waiting: ((server: ListeningServer | undefined) => void)[] = []
  let closed = false
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve(current)
  }
  return {
    up(server) {
      current = server
      wake()
    },
    down() {
      current = undefined
    },
    async server() {
      const next = () => new Promise<ListeningServer | undefined>((resolve) => waiting.push(resolve))
      const found = current ?? (closed ? undefined : await next())
      if (found === undefined) throw new Error('The test ended while a client waited for the server.')
      return found
    },
    isUp: (server) => current === server,
    close() {
      closed = true
      current = undefined
      wake()
    },
  }
}

export interface Client {
  /** What a query answers. @param position that it has to have seen */
  get(path: string, caller: Caller, position?: string): Promise<Answer>
  /** What is no command, and so has no key: a token, a rebuild. */
  ask(path: string, caller?: Caller): Promise<Answer>
  /** A command, until it is answered. @returns undefined when it is refused by a rule */
  command(command: SentCommand): Promise<Accepted | undefined>
  /** The same, without a word in the journal: to see whether it gets its first answer. */
  again(command: SentCommand): Promise<Answer>
}

const AcceptedBody = z.object({ id: z.string(), revision: z.int(), position: z.string() })
/** The rules of the shop, which commands of others may have made this one break. */
const brokenRule = 409
const busyStatus = 503
const busyPauseMs = 20

export function crashClient(shop: Meeting, journal: Journal): Client {
  /** @param onDoubt called each time that a request was under way as the server died */
  async function request(
    method: string,
    path: string,
    caller: Caller | undefined,
    headers: Readonly<Record<string, string>>,
    body?: object,
    onDoubt: () => void = () => {},
  ): Promise<Answer> {
    for (;;) {
      const server = await shop.server()
      const token = caller === 'staff' ? server.token : caller?.token
      try {
        const reply = await fetch(new URL(path, server.url), {
          method,
          headers: {
            ...headers,
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        const text = await reply.text()
        if (reply.status !== busyStatus)
          return { status: reply.status, body: text === '' ? undefined : JSON.parse(text) }
        await sleep(busyPauseMs)
      } catch (error) {
        // Nothing but a kill may cost an answer.
        if (shop.isUp(server)) throw error
        onDoubt()
      }
    }
  }

  function send({ method, path, caller, key, waitS, body }: SentCommand, onDoubt?: () => void): Promise<Answer> {
    const headers = { 'idempotency-key': key, ...(waitS !== undefined && { prefer: `wait=${waitS}` }) }
    return request(method, path, caller, headers, body, onDoubt)
  }

  return {
    get: (path, caller, position) =>
      request('GET', path, caller, position === undefined ? {} : { 'daybook-position': position }),
    ask: (path, caller) => request('POST', path, caller, {}),
    again: (command) => send(command),
    async command(command) {
      journal.sent(command)
      const { status, body } = await send(command, journal.doubted)
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
