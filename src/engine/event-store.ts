/** The port of the log. An adapter passes `test/contract/event-store.ts` unchanged. */

export type EventData = Readonly<Record<string, unknown>>

export interface Actor {
  readonly kind: 'staff' | 'customer' | 'guest' | 'process' | 'system'
  readonly id: string
}

export interface Metadata {
  readonly commandId: string
  /** Keyed hash of what a person sent; absent for what the engine itself asked for. */
  readonly commandHash?: string
  readonly correlationId: string
  /** The event that made a process manager or a job ask for this. */
  readonly causationId?: string
  readonly actor: Actor
  /** Version of the event's schema. */
  readonly version: number
  /** ISO 8601, the engine's clock. */
  readonly recordedAt: string
  /** ISO 8601, when it happened in the world; differs from `recordedAt` only for what was imported. */
  readonly occurredAt: string
  /** True for history brought in from elsewhere: it starts no process. */
  readonly imported?: true
}

/**
 * An event as it is handed to `append`: already serialised once, for its id, its size and its checksum. `data` and
 * `metadata` are what parsing their JSON gives, for subscribers may get them as they are.
 */
export interface NewEvent {
  readonly id: string
  readonly type: string
  readonly data: EventData
  readonly metadata: Metadata
  readonly dataJson: string
  readonly metadataJson: string
}

export interface RecordedEvent {
  /** Place in the whole log: a safe integer that rises, with gaps. */
  readonly position: number
  /** `category-id`; the category has no dash. */
  readonly stream: string
  /** Place in the stream, from 0. */
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: EventData
  readonly metadata: Metadata
}

export interface AppendResult {
  /** Revision of the last event written. */
  readonly revision: number
  /** Position of each event written, in order. */
  readonly positions: readonly number[]
}

/** How far a reader has come: nothing before it is missing. */
export interface Checkpoint {
  readonly logId: string
  readonly position: number
  /** The event at that position, by which a restored or another log is noticed; empty at position 0. */
  readonly eventId: string
}

export interface EventFilter {
  /** Only these event types. */
  readonly types?: ReadonlySet<string>
  /** All event types but these, for who has to notice those that it does not know; not together with `types`. */
  readonly exceptTypes?: ReadonlySet<string>
  /** Only streams of these categories. */
  readonly categories?: ReadonlySet<string>
}

export interface EventBatch {
  /** None where a filter let nothing through. */
  readonly events: readonly RecordedEvent[]
  /** Everything up to here has been delivered or did not match the filter. */
  readonly position: number
  /** Id of the event at `position`, matching or not; empty at position 0. */
  readonly eventId: string
  /** True when nothing newer was in the log as the batch was made. */
  readonly caughtUp: boolean
}

/**
 * Most bytes of one append, alike in every adapter: data and metadata as they are serialised, the type, and a little for
 * each event (`byteSize`). EventStoreDB counts all of that against its mebibyte.
 */
export const maxAppendBytes = 1_000_000

/** Revision of a stream that does not exist. */
export const noStream = -1

/** Appends that wait or are under way. */
export interface AppendBacklog {
  readonly appends: number
  readonly bytes: number
}

export interface EventStore {
  /** Names this log; another log, or a new one in its place, has another id. */
  readonly logId: string
  /** True where no other process can append. */
  readonly soleWriter: boolean

  /**
   * Appends events to one stream, all or none, durable when it resolves. The same event ids at the same expected
   * revision give the first result again, also after later appends.
   * @param expectedRevision revision of the stream's last event, `noStream` for a new stream
   * @throws ConflictError when the stream is at another revision and holds other events there
   * @throws InDoubtError when the outcome is unknown; retry unchanged
   * @throws UnavailableError when nothing was written and the store cannot serve now
   * @throws RangeError for no events, more than `maxAppendBytes`, or names that are not well-formed
   */
  append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<AppendResult>

  /** A stream's events in order, in batches, from a revision on (0 by default). A stream that does not exist has none. */
  readStream(stream: string, options?: { readonly fromRevision?: number }): AsyncIterable<readonly RecordedEvent[]>

  /**
   * The log's events after a position up to the head as it is when the read ends, in batches of at most `batchSize`. When the
   * signal is aborted it ends before.
   */
  readAll(options: {
    readonly after: number
    readonly filter?: EventFilter
    readonly batchSize?: number
    readonly signal?: AbortSignal
  }): AsyncIterable<EventBatch>

  /**
   * All events after a position, then what is appended, until the signal is aborted. Each once, in order, nothing missing.
   * A slow reader is sent back to the stored log; nothing is queued for it without a bound.
   * @throws UnavailableError when the store is closed meanwhile
   */
  subscribe(options: {
    readonly after: number
    readonly filter?: EventFilter
    readonly batchSize?: number
    readonly signal: AbortSignal
  }): AsyncIterable<EventBatch>

  /** The last event's place, position 0 for an empty log. */
  head(): Promise<Checkpoint>

  /** The event at exactly this position. */
  eventAt(position: number): Promise<RecordedEvent | undefined>

  /** A process manager's place, kept with the log. */
  loadCheckpoint(name: string): Promise<Checkpoint | undefined>
  /**
   * Saved in the background of the appends, the last call counts; a crash may lose the latest ones, never reorder them.
   * @param fence token of the lease that it is saved under; what is saved with a lower one than before counts no more
   */
  saveCheckpoint(name: string, checkpoint: Checkpoint, fence?: number): Promise<void>

  /** What waits to be written, in a store that queues it; absent where none does. */
  backlog?(): AppendBacklog

  /** Waits for appends under way, then closes. */
  close(): Promise<void>
}
