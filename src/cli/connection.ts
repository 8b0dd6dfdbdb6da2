import { readFileSync } from 'node:fs'
import type { LightMyRequestResponse } from 'fastify'
import { z } from 'zod'
import { type Config, readConfig } from '../config.ts'
import { type Daybook, daybook } from '../daybook.ts'
import type { Extension } from '../extension.ts'
import { filesOf, usesFiles } from '../storage.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
}

/** The API as the command line uses it: that of the running server, or of one in this process where none runs. */
export interface Connection {
  /** True where a server runs on the data directory. */
  readonly remote: boolean
  send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Reply>
  close(): Promise<void>
}

/** What a running server leaves in its data directory, readable for its owner alone. */
const ServerFile = z.object({ url: z.url(), token: z.string(), processId: z.int() })

/** What the API answered in place of what was asked for. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly code: string
  constructor(status: number, body: unknown) {
    const problem = Problem.safeParse(body).data
    const issues =
      problem?.errors
        ?.map(({ pointer, parameter, detail }) => `\n  ${pointer ?? parameter ?? ''}: ${detail}`)
        .join('') ?? ''
    super(`${problem?.detail ?? problem?.title ?? `The server answered ${status}`}${issues}`)
    this.status = status
    this.code = problem?.code ?? 'unknown'
  }
}

const Problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z
    .array(z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }))
    .optional(),
})

function runningServer(directory: string): z.output<typeof ServerFile> | undefined {
  try {
    return ServerFile.parse(JSON.parse(readFileSync(filesOf(directory).server, 'utf8')))
  } catch {
    return undefined
  }
}

/** True if the server still runs, and is the one that left the file: its port may be another's by now. */
async function answers(connection: Connection): Promise<boolean> {
  try {
    return (await connection.send('GET', '/v1/projections')).status === 200
  } catch {
    return false
  }
}

/** Connects to the server of a data directory; undefined where none runs. */
export async function connectRunning(config: Config): Promise<Connection | undefined> {
  const server = usesFiles(config) ? runningServer(config.DAYBOOK_DATA_DIR) : undefined
  const running = server && remote(server.url, server.token)
  return running && (await answers(running)) ? running : undefined
}

/**
 * Connects to the server of a data directory, or opens the directory itself if none runs; in a cluster it opens the shop beside
 * the other processes.
 * @throws DirectoryInUseError when something else has the directory open
 */
export async function connect(config: Config, extensions: readonly Extension[] = []): Promise<Connection> {
  const running = await connectRunning(config)
  if (running) return running
  // What follows from the commands waits for the server, which has the gateways.
  return local(
    await daybook({
      config: { ...config, DAYBOOK_LOG_LEVEL: 'error', DAYBOOK_GATEWAYS: [] },
      extensions,
      works: false,
    }),
  )
}

/** The API of a shop that is open in this process. */
export function local(opened: Daybook): Connection {
  return {
    remote: false,
    async send(method, path, { body, headers } = {}) {
      const injected: Promise<LightMyRequestResponse> = opened.api.inject({
        method,
        url: path,
        headers: { ...headers, ...sentHeaders(opened.adminToken, body) },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
      })
      const reply = await injected
      const replied = Object.entries(reply.headers).map(([name, value]) => [name, value?.toString()])
      return { status: reply.statusCode, headers: Object.fromEntries(replied), body: parse(reply.body) }
    },
    close: () => opened.close(),
  }
}

function sentHeaders(token: string, body: unknown): Record<string, string> {
  return { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) }
}

function remote(url: string, token: string): Connection {
  return {
    remote: true,
    async send(method, path, { body, headers } = {}) {
      const reply = await fetch(new URL(path, url), {
        method,
        headers: { ...headers, ...sentHeaders(token, body) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: reply.status, headers: Object.fromEntries(reply.headers), body: parse(await reply.text()) }
    },
    close: async () => {},
  }
}

function parse(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text)
}

/**
 * Sends what must succeed.
 * @throws ProblemError for every other answer
 */
export async function succeed(reply: Promise<Reply>): Promise<Reply> {
  const answered = await reply
  if (answered.status >= 400) throw new ProblemError(answered.status, answered.body)
  return answered
}

/**
 * How commands of the line reach the shop that the settings name.
 * @returns runs a function with a connection, and closes it afterwards
 */
export function connecting(
  extensions: readonly Extension[],
): (run: (connection: Connection) => Promise<void>) => Promise<void> {
  return async (run) => {
    const connection = await connect(readConfig(), extensions)
    try {
      await run(connection)
    } finally {
      await connection.close()
    }
  }
}
