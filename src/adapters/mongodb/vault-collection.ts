import { randomBytes } from 'node:crypto'
import { type AnyBulkWriteOperation, Binary, type Collection } from 'mongodb'
import { keyBytes, type VaultEntry } from '../../engine/key-vault.ts'
import { orDuplicate, upserted } from './upsert.ts'

export interface VaultDocument {
  /** Id of a person, or name of a secret. */
  readonly _id: string
  /** Absent for a person who was forgotten. */
  readonly bytes?: Binary
  readonly forgotten?: true
}

/** What the vault has of a name: bytes, or that the person was forgotten. */
export type Kept = Uint8Array | 'forgotten'

/** A collection of keys or of secrets. Every function throws what the driver throws. */
export interface VaultCollection {
  /** What there is of these names, as a majority of the servers has it. */
  kept(names: readonly string[]): Promise<Map<string, Kept>>
  /**
   * Makes bytes for those of whom there is nothing, and gives what there is then, to all processes the same.
   * What it does not give may have been lost with a primary.
   */
  made(names: readonly string[]): Promise<ReadonlyMap<string, Kept>>
  forget(name: string): Promise<void>
  /** Writes what is not there yet; who is forgotten stays so, and bytes that are there stay as they are. */
  add(entries: readonly VaultEntry[]): Promise<void>
  all(): AsyncIterable<ReadonlyMap<string, Kept>>
}

/** Most names that one question or one write has. */
export const namesOfBatch = 1_000

type Operation = AnyBulkWriteOperation<VaultDocument>

export function vaultCollection(collection: Collection<VaultDocument>): VaultCollection {
  async function kept(names: readonly string[]): Promise<Map<string, Kept>> {
    const found = new Map<string, Kept>()
    for (let start = 0; start < names.length; start += namesOfBatch) {
      const some = names.slice(start, start + namesOfBatch)
      const documents = await collection.find({ _id: { $in: some } }, { batchSize: namesOfBatch }).toArray()
      for (const document of documents) found.set(document._id, keptIn(document))
    }
    return found
  }

  async function write(operations: Operation[]): Promise<void> {
    if (operations.length > 0) await orDuplicate(collection.bulkWrite(operations, { ordered: false }))
  }

  return {
    kept,

    async made(names) {
      const known = await kept(names)
      const missing = names.filter((name) => !known.has(name))
      if (missing.length === 0) return known
      await write(missing.map((name) => addition(name, randomBytes(keyBytes))))
      // Read again, for another process may have been quicker; only what a majority has is given.
      for (const [name, found] of await kept(missing)) known.set(name, found)
      return known
    },

    forget: (name) => upserted(() => collection.replaceOne({ _id: name }, { forgotten: true }, { upsert: true })),

    add: (entries) =>
      write(
        entries.map((entry) =>
          entry.kind === 'forgotten' ? forgetting(entry.name) : addition(entry.name, entry.bytes),
        ),
      ),

    async *all() {
      for (let last: string | undefined; ; ) {
        const further = last === undefined ? {} : { _id: { $gt: last } }
        const page = collection.find(further, { sort: { _id: 1 }, limit: namesOfBatch, batchSize: namesOfBatch })
        const documents = await page.toArray()
        last = documents.at(-1)?._id
        if (last === undefined) return
        yield new Map(documents.map((document) => [document._id, keptIn(document)]))
      }
    },
  }
}

function addition(name: string, bytes: Uint8Array): Operation {
  const update = { $setOnInsert: { bytes: new Binary(bytes) } }
  return { updateOne: { filter: { _id: name }, update, upsert: true } }
}

function forgetting(name: string): Operation {
  return { replaceOne: { filter: { _id: name }, replacement: { forgotten: true }, upsert: true } }
}

/** @throws Error for a document that is not of the vault's making */
function keptIn({ _id, bytes, forgotten }: VaultDocument): Kept {
  if (forgotten === true && bytes === undefined) return 'forgotten'
  if (bytes instanceof Binary && bytes.length() === keyBytes) return Uint8Array.from(bytes.value())
  throw new Error(`The key vault is damaged at ${_id}: restore it from a backup`)
}
