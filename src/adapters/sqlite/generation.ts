import type { SQLOutputValue } from 'node:sqlite'
import { UnavailableError } from '../../engine/errors.ts'
import type { Checkpoint } from '../../engine/event-store.ts'
import type {
  CollectionSpec,
  Document,
  DocumentKey,
  DocumentWrite,
  Find,
  FoundDocument,
  Generation,
  ProjectionSpec,
  SortKey,
  StoredDocument,
} from '../../engine/read-store.ts'
import type { Checkpointer } from './checkpointer.ts'
import {
  CorruptDatabaseError,
  commit,
  inOpenTransaction,
  isCorrupt,
  isSqliteError,
  number,
  openDatabase,
  preparedStatements,
  text,
} from './database.ts'
import type { CacheSpace, DocumentCache } from './document-cache.ts'
import { type DocumentTable, documentTable, indexValueOf } from './documents.ts'

/** One generation in a file of its own: a table for each collection, and the checkpoint. */

export interface GenerationOptions {
  readonly file: string
  readonly id: string
  readonly spec: ProjectionSpec
  /** False to make it. */
  readonly exists: boolean
  /** Where it may keep what was read. */
  readonly cache: DocumentCache
  /** Puts its write-ahead log away; where there is none, the commits do it. */
  readonly checkpoints?: Checkpointer | undefined
  /** Called when the file turns out to be damaged. */
  readonly onCorrupt: (error: unknown) => void
  readonly onClose: (generation: Generation) => void
}

const checkpointLayout =
  'CREATE TABLE _checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL) STRICT'
const loadCheckpoint = 'SELECT log_id, position, event_id FROM _checkpoint'
const saveCheckpoint = `INSERT INTO _checkpoint (one, log_id, position, event_id) VALUES (1, ?, ?, ?)
  ON CONFLICT (one) DO UPDATE SET log_id = excluded.log_id, position = excluded.position, event_id = excluded.event_id
  WHERE excluded.position >= position`
/** Older generations are not upgraded, but built anew. */
export const generationLayout = 2
const cacheKibibytes = 2_048
/** Documents that are written between two requests for a checkpoint: pages that are written again and again go into the file once. */
const checkpointDocuments = 2_000
/** Size of a write-ahead log that is put away by the commit that finds it, whoever else should have done it. */
const longestLogPages = 4_000
/** Of a value of a key that is kept, in characters. */
const keyValueSize = 24

interface Table extends DocumentTable {
  /** As they are stored, and no tombstones. */
  readonly documents: CacheSpace<StoredDocument>
  /** By the find, in JSON. */
  readonly keys: CacheSpace<readonly SortKey[]>
}

/**
 * Opens or makes a generation's file. Writes are seen on this connection at once, and are committed together by `flush`:
 * pages that many batches touch are written once. What was flushed stays when the process dies; with the power the
 * latest flushes may go, each with its checkpoint, and are made again from the log. Documents and keys that were read
 * are kept until somebody writes them here, or writes anything on another connection.
 * @throws CorruptDatabaseError and errors of SQLite when it cannot be read
 */
export function openGenerationFile(options: GenerationOptions): Generation {
  const { file, id, spec, exists, cache, checkpoints, onCorrupt, onClose } = options
  const tables = new Map(spec.collections.map((collection) => [collection.name, tableFor(collection, cache)]))
  const layout = [checkpointLayout, ...Array.from(tables.values(), (table) => table.layout)].join(';\n')
  const database = openDatabase({ file, layouts: [layout], synchronous: 'normal', exists })
  database.exec(
    `PRAGMA cache_size = -${cacheKibibytes}; PRAGMA wal_autocheckpoint = ${checkpoints ? longestLogPages : 1_000}`,
  )
  const prepared = preparedStatements(database)

  const otherCommits = database.prepare('PRAGMA data_version')
  let seenCommits = otherCommits.get()?.data_version
  let isUpToDate = false
  let documentsWritten = 0

  function tableOf(collection: string): Table {
    const table = tables.get(collection)
    if (table === undefined) throw new RangeError(`Projection ${spec.name} has no collection ${collection}`)
    return table
  }

  function forgetAll(): void {
    for (const { documents, keys } of tables.values()) {
      documents.clear()
      keys.clear()
    }
  }

  /**
   * What is kept is good only as long as nobody has written on another connection. It is enough to look once before
   * the event loop goes on: only then can this thread be told of what another one has written.
   */
  function forgetIfWrittenElsewhere(): void {
    if (isUpToDate) return
    isUpToDate = true
    process.nextTick(() => {
      isUpToDate = false
    })
    const commits = otherCommits.get()?.data_version
    if (commits !== seenCommits) forgetAll()
    seenCommits = commits
  }

  function storedDocuments(table: Table, ids: readonly string[]): readonly (StoredDocument | undefined)[] {
    const found = ids.map((each) => table.documents.get(each))
    if (!found.includes(undefined)) return found
    const missing = ids.filter((_, place) => found[place] === undefined)
    const read = new Map<string, StoredDocument>()
    for (const row of prepared(table.read).all(JSON.stringify(missing))) {
      const document = storedDocument(row)
      read.set(document.id, document)
      if (document.body !== undefined) table.documents.set(document.id, document, text(row._body).length)
    }
    return found.map((document, place) => document ?? read.get(ids[place] ?? ''))
  }

  function documentsOf(collection: string, keys: readonly DocumentKey[]): readonly (StoredDocument | undefined)[] {
    const ids = keys.map((key) => key.id)
    return storedDocuments(tableOf(collection), ids)
  }

  function keysOf(table: Table, find: Find): readonly SortKey[] {
    const question = JSON.stringify(find)
    const known = table.keys.get(question)
    if (known !== undefined) return known
    const statement = table.find(find)
    if (statement === undefined) return []
    const keys = prepared(statement.sql)
      .all(...statement.values)
      .map((row) => Object.values(row).map(indexValueOf))
    table.keys.set(question, keys, question.length + keys.length * (keys[0]?.length ?? 0) * keyValueSize)
    return keys
  }

  /** @returns false when the document is not at the expected position */
  function put(write: DocumentWrite): boolean {
    const table = tableOf(write.collection)
    const { id, position } = write
    table.documents.delete(id)
    const done = table.write(write).find(({ sql, values }) => prepared(sql).run(...values).changes !== 0)
    if (done?.changesKeys === true) table.keys.clear()
    // Who writes a document soon writes it again.
    if (done?.json !== undefined) table.documents.set(id, writtenDocument(id, position, done.json), done.json.length)
    return done !== undefined
  }

  /** Runs one of the port's functions, and says in the port's words what went wrong. */
  async function guarded<Result>(run: () => Result): Promise<Result> {
    if (!database.isOpen) throw new UnavailableError('generation-closed', `Generation ${id} is closed`)
    try {
      return run()
    } catch (error) {
      forgetAll() // what was written may be undone
      if (isCorrupt(error)) {
        onCorrupt(error)
        throw new UnavailableError('generation-corrupt', `Generation ${id} is damaged`, 1, { cause: error })
      }
      if (!isSqliteError(error)) throw error
      throw new UnavailableError('read-store-unavailable', `Generation ${id} does not answer`, 1, { cause: error })
    }
  }

  const generation: Generation = {
    id,
    spec,

    read: (keys) =>
      guarded(() => {
        forgetIfWrittenElsewhere()
        const [first] = keys
        if (first === undefined) return []
        if (keys.every(({ collection }) => collection === first.collection)) return documentsOf(first.collection, keys)
        const found = new Map<DocumentKey, StoredDocument | undefined>()
        for (const [collection, group] of Map.groupBy(keys, (key) => key.collection)) {
          const documents = documentsOf(collection, group)
          for (const [place, key] of group.entries()) found.set(key, documents[place])
        }
        return keys.map((key) => found.get(key))
      }),

    find: (find) =>
      guarded(() => {
        forgetIfWrittenElsewhere()
        const table = tableOf(find.collection)
        const keys = keysOf(table, find)
        const documents = storedDocuments(
          table,
          keys.map((key) => String(key.at(-1))),
        )
        return keys.map((key, place) => foundDocument(key, documents[place]))
      }),

    keys: (find) =>
      guarded(() => {
        forgetIfWrittenElsewhere()
        return keysOf(tableOf(find.collection), find)
      }),

    write: (writes, checkpoint) =>
      guarded(() =>
        inOpenTransaction(database, () => {
          const missed: DocumentKey[] = []
          documentsWritten += writes.length
          for (const write of writes) {
            if (!put(write)) missed.push({ collection: write.collection, id: write.id })
          }
          const { logId, position, eventId } = checkpoint
          if (missed.length === 0) prepared(saveCheckpoint).run(logId, position, eventId)
          return missed
        }),
      ),

    checkpoint: () => guarded(() => checkpointOf(prepared(loadCheckpoint).get())),

    checkpoints: () => guarded(() => [checkpointOf(prepared(loadCheckpoint).get())]),

    flush: () =>
      guarded(() => {
        commit(database)
        if (documentsWritten < checkpointDocuments) return
        documentsWritten = 0
        checkpoints?.request(file)
      }),

    makeIndexes: () =>
      guarded(() => {
        inOpenTransaction(database, () => {
          for (const { indexes } of tables.values()) database.exec(indexes)
        })
        commit(database)
      }),

    sweep: (belowPosition) =>
      guarded(() =>
        inOpenTransaction(database, () => {
          let swept = 0
          for (const { sweep } of tables.values()) swept += Number(prepared(sweep).run(belowPosition).changes)
          return swept
        }),
      ),

    count: (collection) => guarded(() => number(prepared(tableOf(collection).count).get()?.documents)),

    async close() {
      for (const { documents, keys } of tables.values()) {
        documents.close()
        keys.close()
      }
      if (database.isOpen) {
        try {
          commit(database)
        } finally {
          database.close()
        }
      }
      onClose(generation)
    },
  }
  return generation
}

function tableFor(collection: CollectionSpec, cache: DocumentCache): Table {
  return { ...documentTable(collection), documents: cache.space(), keys: cache.space() }
}

/** As it would be read from the file, and parsed only if it is read. */
function writtenDocument(id: string, position: number, json: string): StoredDocument {
  let body: Document | undefined
  return {
    id,
    position,
    get body() {
      body ??= parseBody(json)
      return body
    },
  }
}

type Row = Record<string, SQLOutputValue>

function storedDocument(row: Row): StoredDocument {
  const body = row._body === null ? undefined : parseBody(text(row._body))
  return { id: text(row._id), position: number(row._position), body }
}

function foundDocument(key: SortKey, document: StoredDocument | undefined): FoundDocument {
  if (document?.body === undefined) throw new CorruptDatabaseError('An index has a document that is not there')
  const { id, position, body } = document
  return { id, position, body, key }
}

function parseBody(json: string): Document {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new CorruptDatabaseError('A document is no JSON', { cause: error })
  }
}

function checkpointOf(row: Row | undefined): Checkpoint | undefined {
  if (row === undefined) return undefined
  return { logId: text(row.log_id), position: number(row.position), eventId: text(row.event_id) }
}
