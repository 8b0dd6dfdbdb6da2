import { fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'

/** Processes that take part in a benchmark: they are asked by message, one thing at a time, and end with this one. */

export interface Child {
  readonly processId: number
  /** @throws Error as the child does, or when it ends without an answer */
  ask(question: Serializable): Promise<unknown>
  stop(): Promise<void>
}

export interface ChildOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Where it writes a CPU profile of each of its threads. */
  readonly profileDirectory?: string | undefined
}

const Reply = z.union([z.object({ answer: z.unknown() }), z.object({ error: z.string() })])

/** Starts a process. @param script beside this file */
export function startChild(script: string, { environment = {}, profileDirectory }: ChildOptions = {}): Child {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('DAYBOOK_'))
  const profiling = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const child = fork(new URL(script, import.meta.url), [], {
    env: { ...Object.fromEntries(inherited), ...environment },
    execArgv: profiling,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => new Error(`${script} ended with ${code ?? signal}`))
  return {
    processId: child.pid ?? 0,
    async ask(question) {
      const [reply] = await Promise.race([
        new Promise<[unknown]>((resolve) => {
          child.once('message', (message) => resolve([message]))
          child.send(question)
        }),
        ended.then((error) => {
          throw error
        }),
      ])
      const parsed = Reply.parse(reply)
      if ('error' in parsed) throw new Error(`${script}: ${parsed.error}`)
      return parsed.answer
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/**
 * Answers what the parent asks, and ends when it wants or goes.
 * @param onEnd what has to be done before
 */
export function answerParent(answer: (question: unknown) => Promise<unknown>, onEnd?: () => Promise<void>): void {
  process.on('message', async (question) => {
    try {
      process.send?.({ answer: await answer(question) })
    } catch (error) {
      process.send?.({ error: error instanceof Error ? `${error.message} ${error.stack ?? ''}` : String(error) })
    }
  })
  const end = async () => {
    await onEnd?.()
    process.exit()
  }
  for (const event of ['SIGTERM', 'disconnect']) process.once(event, () => void end())
}
