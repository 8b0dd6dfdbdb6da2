import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { filesOf } from '../src/storage.ts'
import { type Ended, environmentWith, startChild } from './child-process.ts'

/** A real server in a process of its own, on real files: for tests that kill it, trace it or starve it. */

export interface ServerProcessOptions {
  readonly directory: string
  /** `DAYBOOK_*` beside those that every such server has; it listens on any port that is free. */
  readonly settings?: Readonly<Record<string, string>>
  /** Environment beside the settings, such as `LD_PRELOAD`. */
  readonly environment?: Readonly<Record<string, string>>
  /** What is run in place of Daybook's own command line. */
  readonly main?: string
  /** What runs node, such as `['strace', '-f', '-o', file]`; nothing by default. */
  readonly wrapper?: readonly string[]
}

export interface ServerProcess extends AsyncDisposable {
  /** Resolves when it takes requests. Rejects with its output if it ends before. */
  ready(): Promise<ListeningServer>
  /** Sends a signal to the server itself, also if something else runs it. */
  signal(signal: NodeJS.Signals): void
  /** Ends it as a lost power supply would, wherever it is. */
  kill(): Promise<void>
  /** Asks it to end. @returns how it ended */
  stop(): Promise<Ended>
  readonly ended: Promise<Ended>
  /** The latest of what it wrote. */
  output(): string
}

export interface ListeningServer {
  readonly url: string
  /** With it everything may be asked. */
  readonly token: string
  readonly processId: number
}

const Listening = z.object({ url: z.url(), token: z.string(), processId: z.int() })
const commandLine = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const usualSettings = {
  DAYBOOK_PORT: '0',
  DAYBOOK_METRICS_PORT: '0',
  DAYBOOK_LOG_LEVEL: 'warn',
  DAYBOOK_TOKEN_SECRET: 'a secret of the tests, which are signed with it',
}
const askEveryMs = 5
const longestStartMs = 60_000

/** Starts `daybook serve`; `ready` says when it can be used. It does not outlive this process. */
export function startServer(options: ServerProcessOptions): ServerProcess {
  const { directory, settings = {}, environment = {}, main = commandLine, wrapper = [] } = options
  const { server: serverFile } = filesOf(directory)
  // A server that was killed has left its own, which is of a port that nobody listens on.
  rmSync(serverFile, { force: true })
  const [runner, ...args] = [...wrapper, process.execPath, main, 'serve']
  const child = startChild({
    command: [runner ?? process.execPath, ...args],
    environment: environmentWith({
      ...usualSettings,
      DAYBOOK_DATA_DIR: directory,
      ...settings,
      ...environment,
    }),
    ...(wrapper.length > 0 && { target: () => listening()?.processId }),
  })

  function listening(): ListeningServer | undefined {
    try {
      return Listening.parse(JSON.parse(readFileSync(serverFile, 'utf8')))
    } catch {
      return undefined // not written yet, or not to its end
    }
  }

  async function waitUntilReady(): Promise<ListeningServer> {
    for (const deadline = Date.now() + longestStartMs; Date.now() < deadline; ) {
      const found = listening()
      if (found) return found
      const end = child.end()
      if (end)
        throw new Error(`The server ended with ${end.code ?? end.signal} before it was ready:\n${child.output()}`)
      await Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, askEveryMs))])
    }
    throw new Error(`The server was not ready within ${longestStartMs} ms:\n${child.output()}`)
  }

  let readiness: Promise<ListeningServer> | undefined
  return {
    ready() {
      readiness ??= waitUntilReady()
      return readiness
    },
    signal: child.signal,
    kill: child.kill,
    async stop() {
      child.signal('SIGTERM')
      return await child.ended
    },
    ended: child.ended,
    output: child.output,
    [Symbol.asyncDispose]: child.kill,
  }
}
