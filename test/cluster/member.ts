import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFailed, onTestFinished } from 'vitest'
import type { Role } from '../../src/engine/cluster-member.ts'
import { type ChildProcess, type Ended, environmentWith, startChild } from '../child-process.ts'
import { freePort } from '../free-port.ts'
import type { Door } from './client.ts'

/** A process of a cluster, which can be ended and started again. */
export interface Member extends Door {
  readonly name: string
  readonly role: Role | 'all'
  /** Starts it, if it does not run. @param other what is started in its place from now on */
  start(other?: Started): Promise<void>
  /** Asks it to end. */
  stop(): Promise<Ended>
  kill(): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** The most memory that it has had since it started, in bytes; 0 where the system does not say. */
  peakBytes(): number
  output(): string
  tell(message: object): void
}

/** What runs as a member. */
export interface Started {
  /** A file in place of the command line. */
  readonly main?: string
  /** A file that is loaded before anything else. */
  readonly preload?: string
}

const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
/** Where the latest that each process wrote is kept, for who looks for what went wrong. */
const logDirectory = process.env.CLUSTER_LOGS
const longestStartMs = 90_000
const askEveryMs = 25

async function isReady(url: string): Promise<boolean> {
  try {
    const reply = await fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(2_000) })
    await reply.arrayBuffer()
    return reply.ok
  } catch {
    return false
  }
}

/** Starts a process of a cluster, and resolves when it is ready. It is killed when the test is finished. */
export async function startMember(
  name: string,
  role: Role | 'all',
  settings: Readonly<Record<string, string>>,
  first: Started = {},
): Promise<Member> {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const servesApi = role === 'api' || role === 'all'
  const url = `http://127.0.0.1:${servesApi ? port : metricsPort}`
  let child: ChildProcess | undefined
  let isUp = false
  let started = first

  async function start(other = started): Promise<void> {
    started = other
    const { main, preload } = other
    const own = startChild({
      command: [
        process.execPath,
        ...(preload === undefined ? [] : ['--import', preload]),
        ...(main === undefined ? [commandLine, 'serve', '--role', role] : [main, role]),
      ],
      environment: environmentWith({
        DAYBOOK_LOG_LEVEL: 'error',
        ...settings,
        DAYBOOK_MEMBER: name,
        DAYBOOK_PORT: String(port),
        DAYBOOK_METRICS_PORT: String(metricsPort),
      }),
      hasChannel: true,
    })
    child = own
    for (const deadline = Date.now() + longestStartMs; !(await isReady(url)); ) {
      if (own.end() || Date.now() > deadline) throw new Error(`${name} did not start:\n${own.output()}`)
      await Promise.race([own.ended, new Promise((resolve) => setTimeout(resolve, askEveryMs))])
    }
    isUp = true
  }

  async function kill(): Promise<void> {
    isUp = false
    await child?.kill()
    keepLog()
  }

  function keepLog(): void {
    if (logDirectory !== undefined) appendFileSync(join(logDirectory, `${name}.log`), child?.output() ?? '')
  }

  onTestFinished(kill)
  // Why a test failed is often in what its processes wrote.
  onTestFailed(() => void process.stderr.write(`--- ${name}\n${child?.output().slice(-3_000)}\n`))
  await start()
  return {
    name,
    role,
    url,
    isUp: () => isUp,
    start,
    async stop() {
      isUp = false
      child?.signal('SIGTERM')
      const ended = (await child?.ended) ?? { code: null, signal: null }
      keepLog()
      return ended
    },
    kill,
    signal: (signal) => child?.signal(signal),
    peakBytes() {
      try {
        const status = readFileSync(`/proc/${child?.processId}/status`, 'utf8')
        return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024
      } catch {
        return 0
      }
    },
    output: () => child?.output() ?? '',
    tell: (message) => child?.tell(message),
  }
}
