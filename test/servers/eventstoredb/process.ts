import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { FaultName } from './fault-request.ts'

/** The test server in a process of its own: for tests that stop it with signals, and for benchmarks. */
export interface EventStoreServerProcess extends AsyncDisposable {
  readonly url: string
  /** Does what `Faults` and `EventStoreServer` call by this name. @throws Error that says what the server disliked */
  control(name: FaultName, ...args: unknown[]): Promise<void>
  /** `SIGSTOP` freezes it truly, `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void
  /** Ends it, and its log. */
  kill(): Promise<void>
}

const main = fileURLToPath(new URL('./main.ts', import.meta.url))
const Listening = z.object({ url: z.string(), control: z.url() })

/**
 * Starts the test server with an empty log. It does not outlive this process.
 * @param port any port that is free by default
 * @throws Error when it ends before it listens
 */
export async function startEventStoreServerProcess(port = 0): Promise<EventStoreServerProcess> {
  const child = spawn(process.execPath, [main, '--port', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve)
    void ended.then(() => reject(new Error('The EventStoreDB test server ended before it listened.')))
  })
  const { url, control } = Listening.parse(JSON.parse(line))

  async function kill(): Promise<void> {
    process.off('exit', killAtExit)
    child.kill('SIGKILL')
    await ended
  }

  return {
    url,
    async control(name, ...args) {
      const response = await fetch(new URL(name, control), { method: 'POST', body: JSON.stringify(args) })
      if (!response.ok) throw new Error(await response.text())
    },
    signal(signal) {
      child.kill(signal)
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
