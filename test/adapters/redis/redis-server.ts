import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { freePort } from '../../free-port.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

/** Why tests that need a server of their own don't run; undefined where they do. */
export const withoutServer = spawnSync('redis-server', ['--version']).error ? 'no redis-server in PATH' : undefined

export interface RedisServerProcess {
  readonly url: string
  /** Starts it again, with what it kept: nothing, unless a setting says so. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Lets it hang, with its connections open. */
  freeze(): void
  thaw(): void
  dispose(): Promise<void>
}

async function untilReady(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {}) // until it listens
  await client.ping()
  client.disconnect()
}

/**
 * Starts a Redis server that a test may maltreat.
 * @param settings of its command line
 */
export async function redisServer(...settings: readonly string[]): Promise<RedisServerProcess> {
  const directory = temporaryDirectory()
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  const end = () => child?.kill('SIGKILL')

  async function start(): Promise<void> {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory.path, '--save', '', ...settings]
    child = spawn('redis-server', options, { stdio: 'ignore' })
    // It must not outlive a test that is broken off.
    process.off('exit', end).once('exit', end)
    await untilReady(url)
  }

  async function kill(): Promise<void> {
    const ended = child
    child = undefined
    if (ended === undefined || ended.exitCode !== null) return
    const exit = once(ended, 'exit')
    ended.kill('SIGKILL')
    await exit
    process.off('exit', end)
  }

  await start()
  return {
    url,
    start,
    kill,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    async dispose() {
      await kill()
      directory.remove()
    },
  }
}
