import { randomUUID } from 'node:crypto'
import { type ProposedEvent, type RecordedEvent, recordedEventFrame } from './recorded-event.ts'
import { createStream, metadataStreamOf, type Stream, streamOfMetadata } from './stream.ts'

/**
 * The log of the protocol test server: one list of events in memory, and the rules of EventStoreDB 23.10 on what may be
 * appended to it. Positions rise like the byte offsets of a file; commit and prepare position are the same number.
 */

export type ExpectedRevision = number | 'any' | 'no_stream' | 'stream_exists'

export type AppendOutcome =
  | { readonly kind: 'appended'; readonly lastRevision: number; readonly position: number | undefined }
  | { readonly kind: 'wrong-expected-version'; readonly actual: number | 'no_stream' }
  | { readonly kind: 'deleted' }

export interface EventLog {
  /** All events in the order in which they were appended. */
  readonly events: readonly RecordedEvent[]
  stream(name: string): Stream | undefined
  append(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): AppendOutcome
  /** Deletes a stream so that it can be written again, or for ever. */
  remove(stream: string, expected: ExpectedRevision, forEver: boolean): AppendOutcome
  /** Where the next event will be. */
  readonly end: number
  /** The place in `events` of the first event at a position or after it. */
  indexAt(position: number): number
  /** Is called after each append. @returns what ends that */
  onAppended(listener: () => void): () => void
  /** What a node writes when it starts for the first time. */
  writeSystemMetadata(): void
  /** What it writes whenever it starts. */
  writeEpoch(): void
}

/** The size of a record but for its event, and the boundaries of what a file of the log begins with. */
const recordOverheadBytes = 130
const fileHeaderBytes = 128
const scavengesMaxAgeSeconds = 30 * 24 * 60 * 60

/** An empty log, as a node has it that has never been started. */
export function createEventLog(nowMs: () => number): EventLog {
  const events: RecordedEvent[] = []
  const streams = new Map<string, Stream>()
  const byId = new Map<string, RecordedEvent>()
  const listeners = new Set<() => void>()
  let end = fileHeaderBytes

  function streamFor(name: string): Stream {
    let stream = streams.get(name)
    if (!stream) {
      stream = createStream(name)
      streams.set(name, stream)
    }
    return stream
  }

  function write(name: string, proposed: readonly ProposedEvent[]): AppendOutcome {
    const stream = streamFor(name)
    const createdMs = nowMs()
    let position: number | undefined
    for (const event of proposed) {
      position = end
      const recorded = { ...event, stream: name, revision: stream.lastRevision + 1, position, createdMs }
      const frame = recordedEventFrame(recorded)
      const kept: RecordedEvent = { ...recorded, frame }
      events.push(kept)
      stream.add(kept)
      byId.set(kept.id, kept)
      end += recordOverheadBytes + name.length + event.type.length + event.data.length + event.metadata.length
    }
    const last = proposed.at(-1)
    const described = streamOfMetadata(name)
    if (last && described !== undefined) streamFor(described).describe(last.data)
    for (const listener of listeners) listener()
    return { kind: 'appended', lastRevision: stream.lastRevision, position }
  }

  function writeMetadata(name: string, metadata: Readonly<Record<string, unknown>>): AppendOutcome {
    return write(metadataStreamOf(name), [
      {
        id: randomUUID(),
        type: '$metadata',
        isJson: true,
        data: Buffer.from(JSON.stringify(metadata)),
        metadata: Buffer.alloc(0),
      },
    ])
  }

  /** What was appended with these ids before, if it was just them. */
  function repeated(name: string, from: number | undefined, proposed: readonly ProposedEvent[]) {
    let revision = from
    let last: RecordedEvent | undefined
    for (const event of proposed) {
      const known = byId.get(event.id)
      const found =
        known?.stream === name && (revision === undefined || known.revision === revision) ? known : undefined
      if (!found) return { matches: last ? 'some' : 'none' } as const
      last = found
      if (revision !== undefined) revision++
    }
    return last ? ({ matches: 'all', last } as const) : ({ matches: 'none' } as const)
  }

  function check(name: string, expected: ExpectedRevision, proposed: readonly ProposedEvent[]) {
    const stream = streams.get(name)
    const current = stream?.lastRevision ?? -1
    const wrong = { kind: 'wrong-expected-version', actual: current < 0 ? 'no_stream' : current } as const
    if (stream?.isTombstoned) return { kind: 'deleted' } as const
    if (expected === 'stream_exists') {
      if (stream?.isDeleted) return { kind: 'deleted' } as const
      if (current < 0 && !streams.has(metadataStreamOf(name))) return wrong
    }
    if (expected === 'any' || expected === 'stream_exists') {
      const before = repeated(name, undefined, proposed)
      if (before.matches === 'some') return wrong
      return before.matches === 'all' ? before.last : undefined
    }
    const expectedNumber = expected === 'no_stream' ? -1 : expected
    if (expectedNumber === current) return undefined
    if (expectedNumber > current) return wrong
    const before = repeated(name, expectedNumber + 1, proposed)
    if (before.matches === 'all') return before.last
    return before.matches === 'none' && expected === 'no_stream' && stream?.isDeleted ? undefined : wrong
  }

  return {
    events,
    stream: (name) => streams.get(name),
    append(name, expected, proposed) {
      const found = check(name, expected, proposed)
      if (found && 'kind' in found) return found
      if (found) return { kind: 'appended', lastRevision: found.revision, position: found.position }
      const stream = streamFor(name)
      // A stream that comes back begins after what was deleted.
      if (stream.isDeleted) writeMetadata(name, stream.metadataAfterReturn())
      return write(name, proposed)
    },
    remove(name, expected, forEver) {
      const found = check(name, expected, [])
      if (found && 'kind' in found) return found
      const stream = streamFor(name)
      if (!forEver) {
        const written = writeMetadata(name, stream.metadataOfDeleted())
        return written.kind === 'appended' ? { ...written, lastRevision: stream.lastRevision } : written
      }
      const written = write(name, [
        { id: randomUUID(), type: '$streamDeleted', isJson: false, data: Buffer.alloc(0), metadata: Buffer.alloc(0) },
      ])
      stream.tombstone()
      return written
    },
    get end() {
      return end
    },
    indexAt(position) {
      let low = 0
      let high = events.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((events[middle]?.position ?? end) < position) low = middle + 1
        else high = middle
      }
      return low
    },
    onAppended(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    writeSystemMetadata() {
      writeMetadata('$scavenges', { $maxAge: scavengesMaxAgeSeconds })
    },
    writeEpoch() {
      const number = (streams.get('$epoch-information')?.lastRevision ?? -1) + 1
      write('$epoch-information', [
        {
          id: randomUUID(),
          type: '$epoch-information',
          isJson: true,
          data: Buffer.from(JSON.stringify({ epochPosition: end, epochNumber: number, epochId: randomUUID() })),
          metadata: Buffer.alloc(0),
        },
      ])
    },
  }
}
