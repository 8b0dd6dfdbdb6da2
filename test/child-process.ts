import { spawn } from 'node:child_process'

/** A process of a test's own, which it may stop, freeze and kill. It does not outlive the test's. */

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildProcess {
  /** Undefined where it could not be started. */
  readonly processId: number | undefined
  readonly ended: Promise<Ended>
  /** How it ended; undefined while it runs. */
  end(): Ended | undefined
  /** Sends a signal; nothing happens to one that has ended. */
  signal(signal: NodeJS.Signals): void
  /** Ends it as a lost power supply would, wherever it is. */
  kill(): Promise<void>
  /** The latest of what it wrote. */
  output(): string
  /** Sends a message to a process that was started with a channel. */
  tell(message: object): void
  /** Hears its messages. */
  hear(listener: (message: unknown) => void): void
}

export interface ChildProcessOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly environment: NodeJS.ProcessEnv
  /** Id of the process that gets the signals, where the program only runs it. */
  readonly target?: () => number | undefined
  /** Whether messages can go to and fro. */
  readonly hasChannel?: boolean
}

const maxOutputLength = 64_000
const serverUrls: readonly string[] = ['EVENTSTOREDB_URL', 'MONGODB_URL', 'REDIS_URL']

/** The environment of this process with these settings of Daybook's, and with no others: those that it has are for tests. */
export function environmentWith(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('DAYBOOK_') && !serverUrls.includes(name),
  )
  return { ...Object.fromEntries(inherited), ...settings }
}

/** Starts a process. That it could not be started is in its output. */
export function startChild(options: ChildProcessOptions): ChildProcess {
  const [program, ...args] = options.command
  const child = spawn(program, args, {
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.hasChannel ? (['ipc'] as const) : [])],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      output = (output + text).slice(-maxOutputLength)
    })
  }
  let end: Ended | undefined
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      end = { code, signal }
      process.off('exit', killAtExit)
      resolve(end)
    })
    child.once('error', (error) => {
      output += String(error)
      end = { code: null, signal: null }
      resolve(end)
    })
  })
  const killAtExit = () => signal('SIGKILL')
  process.once('exit', killAtExit)

  function signal(name: NodeJS.Signals): void {
    if (end) return
    const target = options.target ? options.target() : child.pid
    try {
      if (target !== undefined) process.kill(target, name)
    } catch {
      // It has just ended.
    }
    if (name === 'SIGKILL') child.kill(name)
  }

  return {
    processId: child.pid,
    ended,
    end: () => end,
    signal,
    async kill() {
      signal('SIGKILL')
      await ended
    },
    output: () => output,
    tell(message) {
      child.send(message)
    },
    hear(listener) {
      child.on('message', listener)
    },
  }
}
