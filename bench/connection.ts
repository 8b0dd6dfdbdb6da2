import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type Dispatcher } from 'undici'

/** A connection that is kept, by which one request is sent after the other; as lean as a client can be. */
export interface Connection {
  /** @throws Error when there is no answer */
  send(request: Sent): Promise<Answer>
  close(): Promise<void>
}

export interface Sent {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: string
}

export interface Answer {
  readonly status: number
  /** Of the log, which a query can be told to wait for. */
  readonly position: string | undefined
  /** How long to wait before the request is sent again, in seconds. */
  readonly retryAfter: string | undefined
  readonly body: Buffer
}

/** @param url of the server, without a path */
export function openConnection(url: string): Connection {
  const client = new Client(url, { pipelining: 1 })
  return {
    send: ({ method, path, headers, body }) =>
      new Promise<Answer>((resolve, reject) => {
        client.dispatch({ method, path, headers, body: body ?? null }, answerHandler(resolve, reject))
      }),
    close: () => client.close(),
  }
}

function answerHandler(resolve: (answer: Answer) => void, reject: (error: Error) => void): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = []
  let status = 0
  let position: string | undefined
  let retryAfter: string | undefined
  return {
    onRequestStart() {},
    onResponseStart(_controller, statusCode, headers) {
      status = statusCode
      position = only(headers['daybook-position'])
      retryAfter = only(headers['retry-after'])
    },
    onResponseData: (_controller, chunk) => chunks.push(chunk),
    onResponseEnd() {
      const [first] = chunks
      resolve({ status, position, retryAfter, body: chunks.length === 1 && first ? first : Buffer.concat(chunks) })
    },
    onResponseError: (_controller, error) => reject(error),
  }
}

function only(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

const mostTries = 10

/**
 * Sends what must be taken: again, when the server was too busy.
 * @throws Error when it is answered otherwise, or stays too busy
 */
export async function succeed(connection: Connection, request: Sent): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await connection.send(request)
    const { status, retryAfter, body } = answer
    // 202 is an outcome that did not come in time.
    if (status === 200 || status === 201) return answer
    if (status !== 503 || tries === mostTries) {
      throw new Error(`${request.method} ${request.path} was answered ${status} ${body.toString()}`)
    }
    await sleep(Number(retryAfter ?? 1) * 1_000)
  }
}
