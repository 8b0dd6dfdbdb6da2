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
  return {
    onRequestStart() {},
    onResponseStart(_controller, statusCode, headers) {
      status = statusCode
      const found = headers['daybook-position']
      position = typeof found === 'string' ? found : undefined
    },
    onResponseData: (_controller, chunk) => chunks.push(chunk),
    onResponseEnd() {
      const [first] = chunks
      resolve({ status, position, body: chunks.length === 1 && first ? first : Buffer.concat(chunks) })
    },
    onResponseError: (_controller, error) => reject(error),
  }
}

/** Sends what must be taken. @throws Error when it is answered otherwise */
export async function succeed(connection: Connection, request: Sent): Promise<Answer> {
  const answer = await connection.send(request)
  // 202 is an outcome that did not come in time.
  if (answer.status === 200 || answer.status === 201) return answer
  throw new Error(`${request.method} ${request.path} was answered ${answer.status} ${answer.body.toString()}`)
}
