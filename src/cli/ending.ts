import { StoppedError } from './courier.ts'

/** How a command ends: by a signal, or because it failed. */

/** Aborted by the first signal that asks this process to end, with what is to be said then. */
export function stoppedBySignal(reason: string): AbortSignal {
  const stopping = new AbortController()
  const stop = () => stopping.abort(new StoppedError(reason))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return stopping.signal
}

const longestStopMs = 10_000
export const exitCodes = { failed: 1, stopped: 130 }

/** Stops on the first signal, and at once on the second of its kind: one of the other kind may be the same wish, passed on by a parent. */
export function stopOnSignal(stop: () => Promise<void>): void {
  const received = new Set<NodeJS.Signals>()
  const onSignal = (signal: NodeJS.Signals) => {
    if (received.has(signal)) process.exit(exitCodes.stopped)
    received.add(signal)
    if (received.size > 1) return
    setTimeout(() => process.exit(exitCodes.failed), longestStopMs).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

function advice(error: Error): string {
  if ('code' in error && error.code === 'EADDRINUSE') {
    return `${error.message}. Something else listens there: set DAYBOOK_PORT or DAYBOOK_METRICS_PORT to another port, or 0 for any.`
  }
  return error.message
}

/** Says what went wrong and what to do, and ends the process. */
export function fail(error: unknown): never {
  console.error(error instanceof Error ? `daybook: ${advice(error)}` : error)
  process.exit(error instanceof StoppedError ? exitCodes.stopped : exitCodes.failed)
}
