import { createHash } from 'node:crypto'
import { DifferentLogsError } from './errors.ts'
import type { EventStore, RecordedEvent } from './event-store.ts'

/** Two logs side by side, event by event, each in its own order. Positions differ between logs, everything else counts. */

/** How far work on a log is. */
export interface LogProgress {
  readonly events: number
  /** Of the source, of which `head` is the last one: their ratio is the share that is done. */
  readonly position: number
  readonly head: number
}

export interface LogComparison {
  /** Events that are the same in both logs, from the first one on. */
  readonly events: number
  /** Position of the last of them in the source. */
  readonly position: number
  /** The log that goes on behind them, if one does. */
  readonly longer: 'source' | 'target' | undefined
  /** SHA-256 of what was read of each log, in hex. */
  readonly digests: { readonly source: string; readonly target: string }
}

interface ComparisonOptions {
  readonly source: Pick<EventStore, 'readAll' | 'head'>
  readonly target: Pick<EventStore, 'readAll'>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: LogProgress) => void
  /** Told of each event as it is in both logs. */
  readonly onSame?: (source: RecordedEvent, target: RecordedEvent) => void
}

/** All that is kept of an event but its position, as one text. */
function textOf({ stream, revision, id, type, data, metadata }: RecordedEvent): string {
  return JSON.stringify([stream, revision, id, type, data, metadata])
}

const parts = ['stream', 'revision', 'id', 'type', 'data', 'metadata'] as const

function difference(number: number, source: RecordedEvent, target: RecordedEvent): DifferentLogsError {
  const different = parts.filter((part) => JSON.stringify(source[part]) !== JSON.stringify(target[part]))
  const place = ({ position, stream, revision, id }: RecordedEvent) =>
    `${id} at position ${position}, revision ${revision} of ${stream}`
  return new DifferentLogsError(
    `Event ${number} is not the same in both logs: ${place(source)} in the source, ${place(target)} in the target. They differ in ${different.join(', ')}.`,
  )
}

/** Stretches of both logs of the same length; when one has ended, stretches of the other alone. */
async function* sideBySide({ source, target }: Pick<ComparisonOptions, 'source' | 'target'>) {
  const [left, right] = [stretches(source), stretches(target)]
  try {
    for (;;) {
      const [sources, targets] = [await left.next(), await right.next()]
      if (sources.length === 0 && targets.length === 0) return
      const length =
        sources.length > 0 && targets.length > 0
          ? Math.min(sources.length, targets.length)
          : Math.max(sources.length, targets.length)
      yield [left.take(length), right.take(length)] as const
    }
  } finally {
    await Promise.all([left.close(), right.close()])
  }
}

/** A log as a queue of which any number of events can be taken that are there. */
function stretches(store: Pick<EventStore, 'readAll'>) {
  const batches = store.readAll({ after: 0 })[Symbol.asyncIterator]()
  let events: readonly RecordedEvent[] = []
  let isOver = false
  return {
    /** What is there to be taken; nothing at the end of the log alone. */
    async next(): Promise<readonly RecordedEvent[]> {
      while (events.length === 0 && !isOver) {
        const { done, value } = await batches.next()
        isOver = done === true
        events = value?.events ?? []
      }
      return events
    },
    take(length: number): readonly RecordedEvent[] {
      const taken = events.slice(0, length)
      events = events.slice(length)
      return taken
    },
    close: () => batches.return?.(),
  }
}

/**
 * Compares two logs from their beginnings to where the shorter one ends.
 * @throws DifferentLogsError at the first event that is not the same in both
 * @throws the signal's reason when it is aborted, and what reading either log throws
 */
export async function compareLogs(options: ComparisonOptions): Promise<LogComparison> {
  const { source, signal, onProgress, onSame } = options
  const { position: head } = await source.head()
  const [sourceHash, targetHash] = [createHash('sha256'), createHash('sha256')]
  let events = 0
  let position = 0
  const found = (longer: LogComparison['longer']): LogComparison => ({
    events,
    position,
    longer,
    digests: { source: sourceHash.digest('hex'), target: targetHash.digest('hex') },
  })
  for await (const [sources, targets] of sideBySide(options)) {
    signal?.throwIfAborted()
    if (targets.length === 0) return found('source')
    if (sources.length === 0) return found('target')
    for (const [index, ours] of sources.entries()) {
      const theirs = targets[index]
      if (theirs === undefined) break
      const [text, other] = [textOf(ours), textOf(theirs)]
      if (text !== other) throw difference(events + 1, ours, theirs)
      sourceHash.update(text).update('\n')
      targetHash.update(other).update('\n')
      onSame?.(ours, theirs)
      events++
      position = ours.position
    }
    onProgress?.({ events, position, head })
  }
  return found(undefined)
}
