import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { openDaybook } from '../daybook.ts'
import { filesOf } from '../storage.ts'

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
export const ServerFile = z.object({ url: z.url(), token: z.string(), processId: z.int() })

/** What the API answered in place of what was asked for. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly code: string
  constructor(status: number, body: unknown) {
    const problem = Problem.safeParse(body).data
    const issues = problem?.errors?.map(({ pointer, detail }) => `\n  ${pointer ?? ''} ${detail}`).join('') ?? ''
    super(`${problem?.detail ?? problem?.title ?? `The server answered ${status}`}${issues}`)
    this.status = status
    this.code = problem?.code ?? 'unknown'
  }
}

const Problem = z.object({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string().optional(), detail: z.string() })).optional(),
})

function runningServer(directory: string): z.output<typeof ServerFile> | undefined {
  try {
    return ServerFile.parse(JSON.parse(readFileSync(filesOf(directory).server, 'utf8')))
  } catch {
    return undefined
  }
}

async function isAlive(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

/**
 * Connects to the server of a data directory, or opens the directory itself if none runs.
 * @throws DirectoryInUseError when something else has the directory open
 */
export async function connect(config: Config): Promise<Connection> {
  const server = runningServer(config.DAYBOOK_DATA_DIR)
  if (server && (await isAlive(server.url))) return remote(server.url, server.token)
  const daybook = await openDaybook({ config: { ...config, DAYBOOK_LOG_LEVEL: 'error' } })
  return {
    remote: false,
    async send(method, path, { body, headers } = {}) {
      const reply = await daybook.api.inject({
        method,
        url: path,
        headers: { ...headers, authorization: `Bearer ${daybook.adminToken}` },
        ...(body !== undefined && { payload: JSON.parse(JSON.stringify(body)) }),
      })
      const replied = Object.entries(reply.headers).map(([name, value]) => [
        name,
        value === undefined ? undefined : String(value),
      ])
      return { status: reply.statusCode, headers: Object.fromEntries(replied), body: parse(reply.body) }
    },
    close: () => daybook.close(),
  }
}

function remote(url: string, token: string): Connection {
  return {
    remote: true,
    async send(method, path, { body, headers } = {}) {
      const reply = await fetch(new URL(path, url), {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
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
