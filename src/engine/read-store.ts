import type { Checkpoint } from './event-store.ts'

/** The port of the read models. An adapter passes `test/contract/read-store.ts` unchanged. */

export type Document = Readonly<Record<string, unknown>>

/**
 * A value that an index can hold. Strings sort by their UTF-8 bytes, null (or no value) before all. One field holds one
 * type, beside null. A write of any other value, or of a number that is not finite, is a TypeError.
 */
export type IndexValue = string | number | boolean | null

export interface CollectionSpec {
  readonly name: string
  /** Names of top-level fields, most significant first; the document's id always ends the order. */
  readonly indexes: Readonly<Record<string, readonly string[]>>
}

export interface ProjectionSpec {
  readonly name: string
  readonly version: number
  readonly collections: readonly CollectionSpec[]
}

export interface StoredDocument {
  readonly id: string
  /** Position of the last event that it has seen. */
  readonly position: number
  /** Absent for a tombstone: deleted, but its position is kept. */
  readonly body: Document | undefined
}

export interface DocumentWrite {
  readonly collection: string
  readonly id: string
  /** Position that was read, undefined when there was no document (not even a tombstone). */
  readonly expectedPosition: number | undefined
  readonly position: number
  /** Undefined leaves a tombstone. */
  readonly body: Document | undefined
  /** Hash shard of the document, of those that the generation is made of; 0 if absent. */
  readonly shard?: number
}

export interface DocumentKey {
  readonly collection: string
  readonly id: string
}

export interface Find {
  readonly collection: string
  readonly index: string
  /** Values of the index's first fields, which must be equal. */
  readonly equals?: readonly IndexValue[]
  /** Bounds of the field that follows them (the id, behind the last one), both included. Null is below every `to`. */
  readonly from?: IndexValue
  readonly to?: IndexValue
  /** Strings of the following field that begin with this; not together with `from` and `to`. */
  readonly startsWith?: string
  readonly direction?: 'ascending' | 'descending'
  /** Go on behind this key, in the given direction. */
  readonly after?: SortKey
  readonly limit: number
}

/** All of the index's values and the document's id: a place between documents that outlives them. */
export type SortKey = readonly IndexValue[]

export interface FoundDocument {
  readonly id: string
  readonly position: number
  readonly body: Document
  readonly key: SortKey
}

/**
 * The hash shards of a generation that a process writes, each with the token of the lease that it holds it by. A write under
 * a lower token than one that the store has seen for its shard is refused.
 */
export type Fences = ReadonlyMap<number, number>

/**
 * One build of a projection's collections, with a checkpoint for each of its hash shards. What it gives may be shared with other readers: nobody
 * may change it. Its functions throw UnavailableError when the store
 * can't serve, and RangeError for collections and indexes that it does not have.
 */
export interface Generation {
  readonly id: string
  readonly spec: ProjectionSpec
  /** The documents of these keys, in the order of the keys, tombstones included. */
  read(keys: readonly DocumentKey[]): Promise<readonly (StoredDocument | undefined)[]>
  /** Documents by an index, without tombstones. */
  find(find: Find): Promise<readonly FoundDocument[]>
  /** The keys of what `find` finds: read from the index alone, for those who need nothing else. */
  keys(find: Find): Promise<readonly SortKey[]>
  /**
   * Writes the documents, each at most once, and after them the checkpoint of the shards that are held (of all, without
   * fences). A write whose document is no longer at its expected position is not done; if there are any such, the checkpoint
   * stays and their keys are returned. When it throws, the checkpoint stays; documents may have been written, or all since
   * the last flush may be gone, together with its checkpoint. The checkpoint of a shard never moves back.
   * @throws FencedError when another holds one of the shards by now
   * @throws RangeError for a document of a shard that is not held
   */
  write(writes: readonly DocumentWrite[], checkpoint: Checkpoint): Promise<readonly DocumentKey[]>
  /** Of the shards that are held, of all without fences, the checkpoint that is the furthest back; undefined while one has none. */
  checkpoint(): Promise<Checkpoint | undefined>
  /** Those of all shards, whoever holds them; undefined for one that has none. */
  checkpoints(): Promise<readonly (Checkpoint | undefined)[]>
  /**
   * Keeps what was written, should the process die, and lets other threads and processes see it, at the latest once their
   * event loops go on. Throws as `write`.
   */
  flush(): Promise<void>
  /** Makes the indexes, in a generation that was made to be filled first; nothing happens where they are. Throws as `write`. */
  makeIndexes(): Promise<void>
  /** Removes tombstones whose position is below the given one; returns how many. */
  sweep(belowPosition: number): Promise<number>
  /** Number of documents in a collection, without tombstones. */
  count(collection: string): Promise<number>
  /** Flushes, and lets go of connections; the generation stays. */
  close(): Promise<void>
}

export interface GenerationInfo {
  readonly id: string
  readonly projection: string
  readonly version: number
  readonly state: 'building' | 'live' | 'retired'
  /** Hash shards that its documents are divided into. */
  readonly shards: number
}

export interface Snapshot {
  readonly stream: string
  readonly logId: string
  readonly stateVersion: number
  readonly revision: number
  readonly position: number
  readonly state: unknown
}

/** How a cache of what was read does. */
export interface ReadCacheStatus {
  /** Documents, and lists of keys. */
  readonly entries: number
  readonly capacityCharacters: number
  /** Since the start. */
  readonly hits: number
  readonly misses: number
}

export interface ReadStore {
  /** All generations of all projections, the oldest first. One that turned out to be damaged is no longer among them. */
  generations(): Promise<readonly GenerationInfo[]>
  /**
   * Makes an empty generation, in state `building`.
   * @param shards hash shards that processes may share it out by, 1 if absent; RangeError where a store has one process alone
   */
  createGeneration(spec: ProjectionSpec, shards?: number): Promise<Generation>
  /** As `createGeneration`, for a generation that is filled before anybody searches it: `find` may fail until `makeIndexes`. */
  createGenerationToFill(spec: ProjectionSpec, shards?: number): Promise<Generation>
  /**
   * Opens one of `generations()`; undefined if it was dropped or was made with other collections or indexes.
   * @param fences the shards that are to be written; whoever has a lower token for one of them is refused from now on. Without
   *   them the generation is read, or written by the one process that there is
   * @throws FencedError when another holds one of the shards under a higher token
   */
  openGeneration(id: string, spec: ProjectionSpec, fences?: Fences): Promise<Generation | undefined>
  /** Atomically makes a generation the live one; the one before it, if any, becomes `retired`. */
  makeLive(id: string): Promise<void>
  /** Drops a generation that is not live, with all that it holds. Dropping twice is fine. */
  dropGeneration(id: string): Promise<void>

  loadSnapshot(stream: string): Promise<Snapshot | undefined>
  /** Replaces the stream's snapshot, unless that is of the same log and newer. */
  saveSnapshot(snapshot: Snapshot): Promise<void>
  /** How what is kept in memory does; absent in a store that keeps nothing there. */
  cacheStatus?(): ReadCacheStatus
  close(): Promise<void>
}
