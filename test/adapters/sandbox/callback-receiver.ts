import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { CallbackRequest } from '../../../src/workers/payment-gateway.ts'
import { urlOf } from './http-server.ts'

export interface CallbackReceiver {
  readonly url: string
  /** All that came so far. */
  readonly received: readonly CallbackRequest[]
  /** The earliest that nobody has taken yet; waits for it. */
  next(): Promise<CallbackRequest>
  /** Answers the next callbacks with these statuses, and those after them with 200. */
  answer(...statuses: number[]): void
  close(): void
}

/**
 * Starts what a shop is to the sandbox: a server that takes callbacks.
 * @param now the receiver's clock
 */
export async function receiveCallbacks(now: () => number): Promise<CallbackReceiver> {
  const received: CallbackRequest[] = []
  const untaken: CallbackRequest[] = []
  const takers: ((callback: CallbackRequest) => void)[] = []
  const statuses: number[] = []

  const server = createServer((request, response) => {
    const answered = callbackOf(request, now()).then((callback) => {
      received.push(callback)
      const taker = takers.shift()
      if (taker === undefined) untaken.push(callback)
      else taker(callback)
      response.writeHead(statuses.shift() ?? 200).end()
    })
    answered.catch(() => response.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    url: `${urlOf(server)}/callbacks/sandbox`,
    received,
    next: async () => untaken.shift() ?? new Promise((resolve) => takers.push(resolve)),
    answer: (...next) => statuses.push(...next),
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function callbackOf(request: IncomingMessage, now: number): Promise<CallbackRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
  return { headers: Object.fromEntries(headers), body: Buffer.concat(chunks), now }
}
