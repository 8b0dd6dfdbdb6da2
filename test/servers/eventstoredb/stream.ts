import { z } from 'zod'
import type { RecordedEvent } from './recorded-event.ts'

/** One stream of the test server's log: its events, and what its metadata hides of them. */
export interface Stream {
  readonly name: string
  /** -1 while there is no event. It goes on rising when what came before is deleted. */
  readonly lastRevision: number
  /** Was deleted, and may be written again. */
  readonly isDeleted: boolean
  /** Was deleted for ever. */
  readonly isTombstoned: boolean
  add(event: RecordedEvent): void
  /** The first revision that may be read. @param nowMs now, for a stream whose events have a greatest age */
  firstRevision(nowMs: number): number
  /** An event by its revision, also when it may not be read. */
  at(revision: number): RecordedEvent | undefined
  /** Takes an event of its metadata stream; one that is not understood counts as empty. */
  describe(metadata: Buffer): void
  /** What its metadata are when it is deleted. */
  metadataOfDeleted(): Readonly<Record<string, unknown>>
  /** What they are when it is written again. */
  metadataAfterReturn(): Readonly<Record<string, unknown>>
  tombstone(): void
}

const metadataPrefix = '$$'
/** EventStoreDB's long.MaxValue, as a JavaScript number: JSON on the wire has it in full. */
const beforeAll = 0x7fff_ffff_ffff_ffffn

const StreamMetadata = z.looseObject({
  $maxCount: z.int().positive().optional(),
  $maxAge: z.number().positive().optional(),
  $tb: z.number().nonnegative().optional(),
})

/** The stream that holds another one's metadata. */
export function metadataStreamOf(name: string): string {
  return metadataPrefix + name
}

/** The stream whose metadata a stream holds, if it is such a one. */
export function streamOfMetadata(name: string): string | undefined {
  return name.startsWith(metadataPrefix) ? name.slice(metadataPrefix.length) : undefined
}

/** A stream without events. */
export function createStream(name: string): Stream {
  const events: RecordedEvent[] = []
  let metadata: z.infer<typeof StreamMetadata> = {}
  let isDeleted = false
  let isTombstoned = false

  function parsed(bytes: Buffer): z.infer<typeof StreamMetadata> {
    try {
      return StreamMetadata.parse(JSON.parse(bytes.toString()))
    } catch {
      return {}
    }
  }

  return {
    name,
    get lastRevision() {
      return events.length - 1
    },
    get isDeleted() {
      return isDeleted
    },
    get isTombstoned() {
      return isTombstoned
    },
    add(event) {
      events.push(event)
    },
    firstRevision(nowMs) {
      let first = 0
      // Of a stream of metadata only the last event counts.
      const maxCount = streamOfMetadata(name) === undefined ? metadata.$maxCount : 1
      if (maxCount !== undefined) first = Math.max(first, events.length - maxCount)
      if (metadata.$tb !== undefined) first = Math.max(first, Math.min(metadata.$tb, events.length))
      if (metadata.$maxAge !== undefined) {
        const oldestMs = nowMs - metadata.$maxAge * 1000
        while (first < events.length && (events[first]?.createdMs ?? oldestMs) < oldestMs) first++
      }
      return first
    },
    at: (revision) => events[revision],
    describe(bytes) {
      metadata = parsed(bytes)
      isDeleted = metadata.$tb !== undefined && BigInt(metadata.$tb) >= beforeAll
    },
    metadataOfDeleted: () => ({ ...metadata, $tb: Number(beforeAll) }),
    metadataAfterReturn: () => ({ ...metadata, $tb: events.length }),
    tombstone() {
      isTombstoned = true
    },
  }
}
