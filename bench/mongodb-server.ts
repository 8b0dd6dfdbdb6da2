import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The MongoDB that benchmarks use: the one of `MONGODB_URL`, or else the tests' stand-in, which keeps its data in memory. */

const standIn = fileURLToPath(new URL('../test/servers/mongodb/run', import.meta.url))

export interface MongodbServer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts it. @throws Error when the stand-in ends before it listens */
export async function startMongodb(): Promise<MongodbServer> {
  const { MONGODB_URL: url } = process.env
  if (url !== undefined) return { url, stop: async () => {} }
  const child = spawn(standIn, ['0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill()
    await ended
  }
  process.once('exit', () => child.kill())
  for await (const line of createInterface(child.stdout)) {
    const port = /^Listening on (?<port>\d+)$/.exec(line)?.groups?.port
    if (port !== undefined) return { url: `mongodb://127.0.0.1:${port}`, stop }
  }
  throw new Error('The stand-in of MongoDB did not start')
}
