import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { type Bound, indexRange, indexValue } from '../../engine/index-range.ts'
import type { CollectionSpec, Document, DocumentWrite, Find, IndexValue } from '../../engine/read-store.ts'
import { CorruptDatabaseError } from './database.ts'

/** The table of a collection: a column for each indexed field, and the statements that read and write it. */

export interface Statement {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

export interface WriteStatement extends Statement {
  /** False where the document stays in its place in every index. */
  readonly changesKeys: boolean
  /** The document, undefined for a tombstone. */
  readonly json: string | undefined
}

export interface DocumentTable {
  /** Makes the table. */
  readonly layout: string
  /** Makes its indexes, those that are not there. */
  readonly indexes: string
  /** Documents by a JSON array of ids. */
  readonly read: string
  readonly count: string
  /** Removes the tombstones below a position. */
  readonly sweep: string
  /**
   * Statements of which the first that changes something has written the document. None does where it is not at the
   * expected position.
   */
  write(write: DocumentWrite): readonly WriteStatement[]
  /** The keys of a stretch of an index, in order, read from the index alone; undefined when nothing can be there. */
  find(find: Find): Statement | undefined
}

/** SQLite sorts NULL first too, but compares nothing with it; no number in a document is below this one. */
const nullInIndex = -Infinity
const bytesOfFalse = Uint8Array.of(0)
const bytesOfTrue = Uint8Array.of(1)

/** The table of a collection. */
export function documentTable(spec: CollectionSpec): DocumentTable {
  const table = quote(spec.name)
  const fields = [...new Set(Object.values(spec.indexes).flat())]
  const columns = ['_id', '_position', '_body', '_live', ...fields.map(quote)]
  const insert = `INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT DO NOTHING`
  const fence = '_id = ? AND _position = ?'
  const update = `UPDATE ${table} SET ${columns.slice(1).map((column) => `${column} = ?`)} WHERE ${fence}`
  // Naming a column in SET is enough for SQLite to write its indexes again, even with the same value.
  const same = ['_live', ...fields.map(quote)].map((column) => `${column} = ?`)
  const updateBody = `UPDATE ${table} SET _position = ?, _body = ? WHERE ${fence} AND ${same.join(' AND ')}`

  return {
    layout: layout(spec, fields),
    indexes: indexLayout(spec),
    read: `SELECT _id, _position, _body FROM ${table} WHERE _id IN (SELECT value FROM json_each(?))`,
    count: `SELECT (SELECT count(*) FROM ${table}) - (SELECT count(*) FROM ${table} WHERE _live IS NULL) AS documents`,
    sweep: `DELETE FROM ${table} WHERE _live IS NULL AND _position < ?`,

    write({ id, expectedPosition, position, body }) {
      const json = body && JSON.stringify(body)
      const keys = body ? [1, ...fields.map((field) => columnValue(body, field))] : [null, ...fields.map(() => null)]
      const document = [position, json ?? null, ...keys]
      if (expectedPosition === undefined) return [{ sql: insert, values: [id, ...document], changesKeys: true, json }]
      const all = { sql: update, values: [...document, id, expectedPosition], changesKeys: true, json }
      if (json === undefined) return [all]
      const values = [position, json, id, expectedPosition, ...keys]
      return [{ sql: updateBody, values, changesKeys: false, json }, all]
    },

    find: (find) => findStatement(spec, find),
  }
}

function layout(spec: CollectionSpec, fields: readonly string[]): string {
  const table = quote(spec.name)
  const own = ['_id TEXT PRIMARY KEY NOT NULL', '_position INTEGER NOT NULL', '_body TEXT', '_live INTEGER']
  const statements = [
    `CREATE TABLE ${table} (${[...own, ...fields.map((field) => `${quote(field)} ANY`)]}) STRICT`,
    `CREATE INDEX ${indexName(spec.name, 'tombstones')} ON ${table} (_position) WHERE _live IS NULL`,
  ]
  return statements.join(';\n')
}

function indexLayout({ name, indexes }: CollectionSpec): string {
  const statements = Object.entries(indexes).map(([index, indexed]) => {
    const keys = [...indexed.map(quote), '_id']
    return `CREATE INDEX IF NOT EXISTS ${indexName(name, `by ${index}`)} ON ${quote(name)} (${keys}) WHERE _live = 1`
  })
  return statements.join(';\n')
}

function findStatement(spec: CollectionSpec, find: Find): Statement | undefined {
  const fields = spec.indexes[find.index]
  if (fields === undefined) throw new RangeError(`Collection ${spec.name} has no index ${find.index}`)
  const range = indexRange(fields, find)
  if (range === undefined) return undefined

  const columns = [...fields.map(quote), '_id']
  const order = find.direction === 'descending' ? 'DESC' : 'ASC'
  const conditions = ['_live = 1', ...range.equals.map((_, place) => `${columns[place]} = ?`)]
  const values = range.equals.map(inColumn)
  const following = columns.slice(range.equals.length)
  addBound(range.lower, '>')
  addBound(range.upper, '<')

  function addBound(bound: Bound | undefined, sign: '<' | '>'): void {
    if (bound === undefined) return
    const places = bound.values.map(() => '?')
    const compare = bound.inclusive ? `${sign}=` : sign
    conditions.push(`(${following.slice(0, places.length)}) ${compare} (${places})`)
    values.push(...bound.values.map(inColumn))
  }

  const sql = `SELECT ${columns}
    FROM ${quote(spec.name)} INDEXED BY ${indexName(spec.name, `by ${find.index}`)}
    WHERE ${conditions.join(' AND ')}
    ORDER BY ${columns.map((column) => `${column} ${order}`)}
    LIMIT ?`
  return { sql, values: [...values, find.limit] }
}

function columnValue(body: Document, field: string): SQLInputValue {
  return inColumn(indexValue(body, field))
}

/** Booleans are bytes, so that a key that is read from an index says what it was made of. */
function inColumn(value: IndexValue): SQLInputValue {
  if (value === null) return nullInIndex
  if (typeof value === 'boolean') return value ? bytesOfTrue : bytesOfFalse
  return value
}

/** A value of a key, as `inColumn` wrote it. @throws CorruptDatabaseError for what it never writes */
export function indexValueOf(column: SQLOutputValue | undefined): IndexValue {
  if (typeof column === 'string') return column
  if (typeof column === 'number') return column === nullInIndex ? null : column
  if (column instanceof Uint8Array) return column[0] === bytesOfTrue[0]
  throw new CorruptDatabaseError('An index has a value that is none')
}

function indexName(collection: string, name: string): string {
  return quote(`${collection} ${name}`)
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
