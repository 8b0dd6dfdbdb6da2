import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { urlOf } from '../sandbox/http-server.ts'

/** What a receiver was sent. */
export interface Message {
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Answers a message; one that does nothing hangs. */
export type Reply = (response: ServerResponse) => void

export interface Receiver {
  readonly url: string
  /** All that came, the first one first. */
  readonly messages: readonly Message[]
  /** Answers those that follow so. */
  reply(reply: Reply): void
}

/** Answers with a status and nothing else. */
export function status(code: number, headers: Record<string, string> = {}): Reply {
  return (response) => void response.writeHead(code, headers).end()
}

/** A program that webhooks are sent to, over HTTP; it takes all until it is told otherwise. */
export async function receiver(): Promise<Receiver> {
  const messages: Message[] = []
  let replying = status(204)
  const server = createServer((request, response) => {
    // A caller that has gone needs no answer.
    messageOf(request).then(
      (message) => {
        messages.push(message)
        replying(response)
      },
      () => response.destroy(),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `${urlOf(server)}/hook`,
    messages,
    reply(reply) {
      replying = reply
    },
  }
}

async function messageOf(request: IncomingMessage): Promise<Message> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  return { id: headers['webhook-id'] ?? '', headers, body: Buffer.concat(chunks) }
}

const Body = z.object({
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
  event: z.record(z.string(), z.unknown()).optional(),
})

/** What a message says, verified by the reference package of Standard Webhooks. Throws where the signature does not hold. */
export function verified({ headers, body }: Message, secret: string): z.output<typeof Body> {
  return Body.parse(new Webhook(secret).verify(body, headers))
}
