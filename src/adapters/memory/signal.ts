import { EventEmitter } from 'node:events'
import type { Signal } from '../../engine/signal.ts'

/**
 * A signal within one process. It arrives after the code that sent it has run, as one from another process would.
 * @param emitter what the members of a simulated cluster share; each has a signal of its own on it
 */
export function memorySignal(emitter: EventEmitter = new EventEmitter()): Signal {
  const stops = new Set<() => void>()
  let closed = false
  emitter.setMaxListeners(0) // each member listens

  return {
    send(names) {
      if (closed) return
      const sent = [...names]
      queueMicrotask(() => emitter.emit('signal', sent))
    },

    listen(run) {
      const heard = (names: readonly string[]) => run(names)
      const stop = () => {
        emitter.off('signal', heard)
        stops.delete(stop)
      }
      if (closed) return stop
      emitter.on('signal', heard)
      stops.add(stop)
      return stop
    },

    async close() {
      closed = true
      for (const stop of stops) stop()
    },
  }
}
