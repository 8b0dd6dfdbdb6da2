import type { SQLOutputValue } from 'node:sqlite'
import { UnavailableError } from '../../engine/errors.ts'
import type { Checkpoint } from '../../engine/event-store.ts'
import { indexKey } from '../../engine/index-range.ts'
import type {
  Document,
  DocumentKey,
  FoundDocument,
  Generation,
  ProjectionSpec,
  StoredDocument,
} from '../../engine/read-store.ts'
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
import { type DocumentTable, documentTable } from './documents.ts'

/** One generation in a file of its own: a table for each collection, and the checkpoint. */

export interface GenerationOptions {
  readonly file: string
  readonly id: string
  readonly spec: ProjectionSpec
  /** False to make it. */
  readonly exists: boolean
  /** Called when the file turns out to be damaged. */
  readonly onCorrupt: (error: unknown) => void
  readonly onClose: (generation: Generation) => void
}

const checkpointLayout =
  'CREATE TABLE _checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL) STRICT'
const loadCheckpoint = 'SELECT log_id, position, event_id FROM _checkpoint'
const saveCheckpoint = 'INSERT OR REPLACE INTO _checkpoint (one, log_id, position, event_id) VALUES (1, ?, ?, ?)'
/** Older generations are not upgraded, but built anew. */
export const generationLayout = 1
const cacheKibibytes = 8_192

/**
 * Opens or makes a generation's file. Writes are seen on this connection at once, and are committed together by `flush`:
 * pages that many batches touch are written once. What was flushed stays when the process dies; with the power the
 * latest flushes may go, each with its checkpoint, and are made again from the log.
 * @throws CorruptDatabaseError and errors of SQLite when it cannot be read
 */
export function openGenerationFile({ file, id, spec, exists, onCorrupt, onClose }: GenerationOptions): Generation {
  const tables = new Map(spec.collections.map((collection) => [collection.name, documentTable(collection)]))
  const layout = [checkpointLayout, ...Array.from(tables.values(), (table) => table.layout)].join(';\n')
  const database = openDatabase({ file, layouts: [layout], synchronous: 'normal', exists })
  database.exec(`PRAGMA cache_size = -${cacheKibibytes}`)
  const prepared = preparedStatements(database)

  function tableOf(collection: string): DocumentTable {
    const table = tables.get(collection)
    if (table === undefined) throw new RangeError(`Projection ${spec.name} has no collection ${collection}`)
    return table
  }

  function fieldsOf(collection: string, index: string): readonly string[] {
    return spec.collections.find(({ name }) => name === collection)?.indexes[index] ?? []
  }

  /** Runs one of the port's functions, and says in the port's words what went wrong. */
  async function guarded<Result>(run: () => Result): Promise<Result> {
    if (!database.isOpen) throw new UnavailableError('generation-closed', `Generation ${id} is closed`)
    try {
      return run()
    } catch (error) {
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
        const found = new Map<string, Map<string, StoredDocument>>()
        for (const [collection, group] of Map.groupBy(keys, (key) => key.collection)) {
          const ids = JSON.stringify(group.map((key) => key.id))
          const rows = prepared(tableOf(collection).read).all(ids).map(storedDocument)
          found.set(collection, new Map(rows.map((document) => [document.id, document])))
        }
        return keys.map((key) => found.get(key.collection)?.get(key.id))
      }),

    find: (find) =>
      guarded(() => {
        const statement = tableOf(find.collection).find(find)
        if (statement === undefined) return []
        const fields = fieldsOf(find.collection, find.index)
        return prepared(statement.sql)
          .all(...statement.values)
          .map((row) => foundDocument(row, fields))
      }),

    write: (writes, checkpoint) =>
      guarded(() =>
        inOpenTransaction(database, () => {
          const missed: DocumentKey[] = []
          for (const write of writes) {
            const statements = tableOf(write.collection).write(write)
            const written = statements.some(({ sql, values }) => prepared(sql).run(...values).changes !== 0)
            if (!written) missed.push({ collection: write.collection, id: write.id })
          }
          const { logId, position, eventId } = checkpoint
          if (missed.length === 0) prepared(saveCheckpoint).run(logId, position, eventId)
          return missed
        }),
      ),

    checkpoint: () => guarded(() => checkpointOf(prepared(loadCheckpoint).get())),

    flush: () => guarded(() => commit(database)),

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

type Row = Record<string, SQLOutputValue>

function storedDocument(row: Row): StoredDocument {
  const body = row._body === null ? undefined : parseBody(row)
  return { id: text(row._id), position: number(row._position), body }
}

function foundDocument(row: Row, fields: readonly string[]): FoundDocument {
  const [id, body] = [text(row._id), parseBody(row)]
  return { id, position: number(row._position), body, key: indexKey(body, fields, id) }
}

function parseBody(row: Row): Document {
  try {
    return JSON.parse(text(row._body))
  } catch (error) {
    throw new CorruptDatabaseError('A document is no JSON', { cause: error })
  }
}

function checkpointOf(row: Row | undefined): Checkpoint | undefined {
  if (row === undefined) return undefined
  return { logId: text(row.log_id), position: number(row.position), eventId: text(row.event_id) }
}
