import { FencedError, UnavailableError } from '../../engine/errors.ts'
import type { Checkpoint } from '../../engine/event-store.ts'
import { generationFingerprint } from '../../engine/generation-fingerprint.ts'
import { compareKeys, indexKey, indexRange, isAbove, isBelow } from '../../engine/index-range.ts'
import type {
  CollectionSpec,
  Document,
  DocumentKey,
  DocumentWrite,
  Fences,
  Find,
  FoundDocument,
  Generation,
  GenerationInfo,
  ProjectionSpec,
  ReadStore,
  Snapshot,
  SortKey,
  StoredDocument,
} from '../../engine/read-store.ts'
import { firstIndex, insertSorted, removeSorted } from './sorted-list.ts'

/** Documents are kept as JSON, so that what a projection may put into one is the same here as in every other store. */
interface Entry {
  readonly position: number
  readonly json: string | undefined
  /** One for each index, in the order of the indexes; none for a tombstone. */
  readonly keys: readonly SortKey[]
}

interface Index {
  readonly name: string
  readonly fields: readonly string[]
  readonly sorted: SortKey[]
}

interface Collection {
  readonly entries: Map<string, Entry>
  readonly indexes: readonly Index[]
  documents: number
}

interface Shard {
  checkpoint: Checkpoint | undefined
  /** The highest token that it was opened with. */
  fence: number
}

interface Built {
  info: GenerationInfo
  readonly spec: ProjectionSpec
  readonly fingerprint: string
  readonly collections: ReadonlyMap<string, Collection>
  readonly shards: readonly Shard[]
  dropped: boolean
}

const layout = 1

/** A read store that lives as long as the process, for tests and simulations. */
export function memoryReadStore(): ReadStore {
  const generations = new Map<string, Built>()
  const snapshots = new Map<string, { readonly snapshot: Omit<Snapshot, 'state'>; readonly json: string }>()
  let made = 0

  async function createGeneration(spec: ProjectionSpec, shards = 1): Promise<Generation> {
    const id = `${spec.name}-${spec.version}-${++made}`
    const built: Built = {
      info: { id, projection: spec.name, version: spec.version, state: 'building', shards },
      spec,
      fingerprint: generationFingerprint(spec, layout),
      collections: new Map(spec.collections.map((collection) => [collection.name, emptyCollection(collection)])),
      shards: Array.from({ length: shards }, () => ({ checkpoint: undefined, fence: 0 })),
      dropped: false,
    }
    generations.set(id, built)
    return generationOf(built, undefined)
  }

  return {
    async generations() {
      return Array.from(generations.values(), ({ info }) => info)
    },

    createGeneration,
    createGenerationToFill: createGeneration,

    async openGeneration(id, spec, fences) {
      const built = generations.get(id)
      if (built === undefined || built.fingerprint !== generationFingerprint(spec, layout)) return undefined
      if (fences) {
        ensureHeld(built, fences)
        for (const [shard, token] of fences) shardOf(built, shard).fence = token
      }
      return generationOf(built, fences)
    },

    async makeLive(id) {
      const next = generations.get(id)
      if (next === undefined) throw new RangeError(`There is no generation ${id}`)
      for (const built of generations.values()) {
        if (built.info.projection !== next.info.projection || built.info.state !== 'live') continue
        built.info = { ...built.info, state: 'retired' }
      }
      next.info = { ...next.info, state: 'live' }
    },

    async dropGeneration(id) {
      const built = generations.get(id)
      if (built === undefined) return
      if (built.info.state === 'live') throw new RangeError(`Generation ${id} is live`)
      built.dropped = true
      generations.delete(id)
    },

    async loadSnapshot(stream) {
      const kept = snapshots.get(stream)
      return kept === undefined ? undefined : { ...kept.snapshot, state: JSON.parse(kept.json) }
    },

    async saveSnapshot({ state, ...snapshot }) {
      const kept = snapshots.get(snapshot.stream)?.snapshot
      if (kept !== undefined && kept.logId === snapshot.logId && kept.revision > snapshot.revision) return
      snapshots.set(snapshot.stream, { snapshot, json: JSON.stringify(state) })
    },

    async close() {},
  }
}

function emptyCollection(spec: CollectionSpec): Collection {
  const indexes = Object.entries(spec.indexes).map(([name, fields]) => ({ name, fields, sorted: [] }))
  return { entries: new Map(), indexes, documents: 0 }
}

function shardOf({ info, shards }: Built, shard: number): Shard {
  const found = shards[shard]
  if (found === undefined) throw new RangeError(`Generation ${info.id} has no shard ${shard}`)
  return found
}

/** @throws FencedError when another holds one of the shards */
function ensureHeld(built: Built, fences: Fences): void {
  for (const [shard, token] of fences) {
    if (shardOf(built, shard).fence > token)
      throw new FencedError(`Shard ${shard} of generation ${built.info.id} is held by another`)
  }
}

/** @param fences the shards that are held; undefined for the one process that has all of them */
function generationOf(built: Built, fences: Fences | undefined): Generation {
  const { id } = built.info
  const held = fences ? [...fences.keys()].map((shard) => shardOf(built, shard)) : built.shards

  function collectionOf(name: string): Collection {
    if (built.dropped) throw new UnavailableError('generation-dropped', `Generation ${id} was dropped`)
    const collection = built.collections.get(name)
    if (collection === undefined) throw new RangeError(`Projection ${built.spec.name} has no collection ${name}`)
    return collection
  }

  return {
    id,
    spec: built.spec,

    async read(keys) {
      return keys.map((key) => stored(key, collectionOf(key.collection).entries.get(key.id)))
    },

    async find(find) {
      const collection = collectionOf(find.collection)
      return keysIn(collection, find).flatMap((key) => found(collection, key) ?? [])
    },

    async keys(find) {
      return keysIn(collectionOf(find.collection), find)
    },

    async write(writes, checkpoint) {
      if (built.dropped) throw new UnavailableError('generation-dropped', `Generation ${id} was dropped`)
      if (fences) ensureHeld(built, fences)
      const strange = writes.find(({ shard = 0 }) => fences && !fences.has(shard))
      if (strange) throw new RangeError(`Shard ${strange.shard ?? 0} is written, but not held`)
      const missed: DocumentKey[] = []
      // All are made before the first is put, so that one that can't be leaves everything as it was.
      const made = writes.map((write) => ({ write, entry: entryOf(collectionOf(write.collection), write) }))
      for (const { write, entry } of made) {
        if (!put(collectionOf(write.collection), write, entry))
          missed.push({ collection: write.collection, id: write.id })
      }
      if (missed.length > 0) return missed
      for (const shard of held) {
        if ((shard.checkpoint?.position ?? 0) <= checkpoint.position) shard.checkpoint = checkpoint
      }
      return missed
    },

    async checkpoint() {
      return held
        .map(({ checkpoint }) => checkpoint)
        .reduce((one, other) => one && other && (one.position <= other.position ? one : other))
    },

    async checkpoints() {
      return built.shards.map(({ checkpoint }) => checkpoint)
    },

    async flush() {},

    async makeIndexes() {},

    async sweep(belowPosition) {
      let swept = 0
      for (const { entries } of built.collections.values()) {
        for (const [id, entry] of entries) {
          if (entry.json !== undefined || entry.position >= belowPosition) continue
          entries.delete(id)
          swept++
        }
      }
      return swept
    },

    async count(collection) {
      return collectionOf(collection).documents
    },

    async close() {},
  }
}

function stored(key: DocumentKey, entry: Entry | undefined): StoredDocument | undefined {
  if (entry === undefined) return undefined
  return { id: key.id, position: entry.position, body: entry.json === undefined ? undefined : parsed(entry.json) }
}

function keysIn(collection: Collection, find: Find): readonly SortKey[] {
  const index = collection.indexes.find(({ name }) => name === find.index)
  if (index === undefined) throw new RangeError(`Collection ${find.collection} has no index ${find.index}`)
  const range = indexRange(index.fields, find)
  if (range === undefined) return []

  const { equals, lower, upper } = range
  const start = firstIndex(index.sorted, (key) => {
    const order = compareKeys(key, equals)
    return order > 0 || (order === 0 && isAbove(key.slice(equals.length), lower))
  })
  const end = firstIndex(index.sorted, (key) => {
    const order = compareKeys(key, equals)
    return order > 0 || (order === 0 && !isBelow(key.slice(equals.length), upper))
  })
  return find.direction === 'descending'
    ? index.sorted.slice(Math.max(start, end - find.limit), end).reverse()
    : index.sorted.slice(start, Math.min(end, start + find.limit))
}

function found(collection: Collection, key: SortKey): FoundDocument | undefined {
  const id = String(key.at(-1))
  const entry = collection.entries.get(id)
  if (entry?.json === undefined) return undefined
  return { id, position: entry.position, body: parsed(entry.json), key }
}

/** A document that can't be changed: other stores share what they give, so that here nobody may get used to changing it. */
function parsed(json: string): Document {
  return frozen(JSON.parse(json))
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

function entryOf({ indexes }: Collection, { id, position, body }: DocumentWrite): Entry {
  if (body === undefined) return { position, json: undefined, keys: [] }
  return { position, json: JSON.stringify(body), keys: indexes.map(({ fields }) => indexKey(body, fields, id)) }
}

/** @returns false when the document is not at the expected position */
function put(collection: Collection, write: DocumentWrite, entry: Entry): boolean {
  const before = collection.entries.get(write.id)
  if (before?.position !== write.expectedPosition) return false
  const { json, keys } = entry

  collection.indexes.forEach(({ sorted }, place) => {
    const [old, key] = [before?.keys[place], keys[place]]
    if (old !== undefined && key !== undefined && compareKeys(old, key) === 0) return
    if (old !== undefined) removeSorted(sorted, old, compareKeys)
    if (key !== undefined) insertSorted(sorted, key, compareKeys)
  })
  collection.documents += (json === undefined ? 0 : 1) - (before?.json === undefined ? 0 : 1)
  collection.entries.set(write.id, entry)
  return true
}
