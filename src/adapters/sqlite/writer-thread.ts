import { Worker } from 'node:worker_threads'
import { moduleBeside } from '../../engine/module-file.ts'
import type { Group, GroupAnswer } from './log-group.ts'

export interface LogWriterOptions {
  readonly file: string
  /** How long a write waits for another connection's. */
  readonly busyTimeoutMs: number
  /** Size at which readers are made to wait, once, so that the write-ahead log can begin anew. */
  readonly maxWalBytes: number
}

/** Writes groups of appends, one after another. */
export interface LogWriter {
  /** Groups are answered in the order in which they came; what failed is an answer too. */
  write(group: Group): Promise<GroupAnswer>
  /** Call it when all groups are answered. */
  close(): Promise<void>
}

/** Starts the thread that writes the log. When it dies, the groups it had are in doubt, and the next one starts another. */
export function startLogWriter(options: LogWriterOptions): LogWriter {
  /** Those who wait for their answers, in the order of their groups. */
  let waiting: ((answer: GroupAnswer) => void)[] = []
  let thread: Worker | undefined
  let onExit = () => {}

  function start(): Worker {
    const started = new Worker(moduleBeside('log-writer', import.meta.url), { workerData: options })
    let reason = 'The thread that writes the log ended'
    started.on('message', (answer: GroupAnswer) => waiting.shift()?.(answer))
    started.on('error', (error) => {
      reason = String(error)
    })
    started.on('exit', () => {
      thread = undefined
      const lost = waiting
      waiting = []
      for (const resolve of lost) resolve({ kind: 'failed', outcome: 'in-doubt', message: reason })
      onExit()
    })
    return started
  }

  thread = start()
  return {
    write(group) {
      return new Promise((resolve) => {
        waiting.push(resolve)
        thread ??= start()
        thread.postMessage(group)
      })
    },
    close() {
      return new Promise((resolve) => {
        if (thread === undefined) return resolve()
        onExit = resolve
        thread.postMessage('close')
      })
    },
  }
}
