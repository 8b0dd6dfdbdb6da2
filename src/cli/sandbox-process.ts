import { fork } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import { moduleBeside } from '../engine/module-file.ts'

const Address = z.object({ host: z.string(), port: z.int() })

export interface SandboxProcess {
  readonly url: string
  readonly processId: number | undefined
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  /** Says where its callbacks go. */
  tell(callbackUrl: string): void
  stop(): void
}

export interface SandboxOptions {
  /** What its callbacks are signed with. */
  readonly secret: string
  /** Of the pages that may look into its mailbox. */
  readonly pageOrigins: readonly string[]
  /** Told when it ends before it was stopped, with how. */
  readonly onEnd: (how: string) => void
}

/**
 * Starts the sandbox gateway as a process of its own, on any port that is free. It ends with this one.
 * @throws Error when it does not start
 */
export async function startSandbox({ secret, pageOrigins, onEnd }: SandboxOptions): Promise<SandboxProcess> {
  const child = fork(moduleBeside('../adapters/sandbox/main', import.meta.url), [], {
    env: { SANDBOX_PORT: '0', SANDBOX_SECRET: secret, SANDBOX_PAGE_ORIGINS: pageOrigins.join(',') },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The sandbox gateway did not start.')
    }),
  ])
  const { host, port } = Address.parse(message)
  let isStopping = false
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  child.once('exit', (code, signal) => {
    if (!isStopping) onEnd(signal ?? `exit code ${code}`)
    resolve()
  })
  return {
    url: `http://${host}:${port}`,
    processId: child.pid,
    ended,
    // One that has just ended can't be told any more, and is reported by itself.
    tell: (callbackUrl) => child.send({ callbackUrl }, undefined, undefined, () => undefined),
    stop() {
      isStopping = true
      if (child.connected) child.disconnect()
    },
  }
}
