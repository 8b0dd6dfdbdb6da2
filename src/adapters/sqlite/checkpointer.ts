import { Worker } from 'node:worker_threads'
import { moduleBeside } from '../../engine/module-file.ts'

/** Brings write-ahead logs into their files, in a thread of its own. */
export interface Checkpointer {
  /** Asks for one; while it is under way another changes nothing. */
  request(file: string): void
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** The thread starts with the first request. */
export function checkpointer(): Checkpointer {
  const underWay = new Set<string>()
  let thread: Worker | undefined
  let closed = false
  let onIdle = () => {}

  function start(): Worker {
    const started = new Worker(moduleBeside('checkpoint-thread', import.meta.url))
    started.unref()
    started.on('message', (file: string) => {
      underWay.delete(file)
      if (underWay.size === 0) onIdle()
    })
    started.on('error', () => {}) // the writers of the files put their logs away themselves, then
    started.on('exit', () => {
      thread = undefined
      underWay.clear()
      onIdle()
    })
    return started
  }

  return {
    request(file) {
      if (closed || underWay.has(file)) return
      underWay.add(file)
      thread ??= start()
      thread.postMessage(file)
    },
    async close() {
      closed = true
      if (underWay.size > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
      await thread?.terminate()
    },
  }
}
