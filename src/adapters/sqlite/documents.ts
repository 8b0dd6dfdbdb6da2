import type { SQLInputValue } from 'node:sqlite'
import { type Bound, indexRange, indexValue } from '../../engine/index-range.ts'
import type { CollectionSpec, Document, DocumentWrite, Find, IndexValue } from '../../engine/read-store.ts'

/** The table of a collection: a column for each indexed field, and the statements that read and write it. */

export interface Statement {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

export interface DocumentTable {
  /** Makes the table and its indexes. */
  readonly layout: string
  /** Documents by a JSON array of ids. */
  readonly read: string
  readonly count: string
  /** Removes the tombstones below a position. */
  readonly sweep: string
  /** Does nothing, and says that it changed nothing, where the document is not at the expected position. */
  write(write: DocumentWrite): Statement
  /** Documents of a stretch of an index, in order; undefined when nothing can be there. */
  find(find: Find): Statement | undefined
}

/** SQLite sorts NULL first too, but compares nothing with it; no number in a document is below this one. */
const nullInIndex = -Infinity

/** The table of a collection. */
export function documentTable(spec: CollectionSpec): DocumentTable {
  const table = quote(spec.name)
  const fields = [...new Set(Object.values(spec.indexes).flat())]
  const columns = ['_id', '_position', '_body', ...fields.map(quote)]
  const insert = `INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT DO NOTHING`
  const assignments = columns.slice(1).map((column) => `${column} = ?`)
  const update = `UPDATE ${table} SET ${assignments} WHERE _id = ? AND _position = ?`

  return {
    layout: layout(spec, fields),
    read: `SELECT _id, _position, _body FROM ${table} WHERE _id IN (SELECT value FROM json_each(?))`,
    count: `SELECT (SELECT count(*) FROM ${table}) - (SELECT count(*) FROM ${table} WHERE _body IS NULL) AS documents`,
    sweep: `DELETE FROM ${table} WHERE _body IS NULL AND _position < ?`,

    write({ id, expectedPosition, position, body }) {
      const values = body === undefined ? fields.map(() => null) : fields.map((field) => columnValue(body, field))
      const json = body === undefined ? null : JSON.stringify(body)
      if (expectedPosition === undefined) return { sql: insert, values: [id, position, json, ...values] }
      return { sql: update, values: [position, json, ...values, id, expectedPosition] }
    },

    find: (find) => findStatement(spec, find),
  }
}

function layout(spec: CollectionSpec, fields: readonly string[]): string {
  const table = quote(spec.name)
  const own = ['_id TEXT PRIMARY KEY NOT NULL', '_position INTEGER NOT NULL', '_body TEXT']
  const statements = [
    `CREATE TABLE ${table} (${[...own, ...fields.map((field) => `${quote(field)} ANY`)]}) STRICT`,
    `CREATE INDEX ${indexName(spec.name, 'tombstones')} ON ${table} (_position) WHERE _body IS NULL`,
    ...Object.entries(spec.indexes).map(([index, indexed]) => {
      const keys = [...indexed.map(quote), '_id']
      return `CREATE INDEX ${indexName(spec.name, `by ${index}`)} ON ${table} (${keys}) WHERE _body IS NOT NULL`
    }),
  ]
  return statements.join(';\n')
}

function findStatement(spec: CollectionSpec, find: Find): Statement | undefined {
  const fields = spec.indexes[find.index]
  if (fields === undefined) throw new RangeError(`Collection ${spec.name} has no index ${find.index}`)
  const range = indexRange(fields, find)
  if (range === undefined) return undefined

  const columns = [...fields.map(quote), '_id']
  const order = find.direction === 'descending' ? 'DESC' : 'ASC'
  const conditions = ['_body IS NOT NULL', ...range.equals.map((_, place) => `${columns[place]} = ?`)]
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

  const sql = `SELECT _id, _position, _body
    FROM ${quote(spec.name)} INDEXED BY ${indexName(spec.name, `by ${find.index}`)}
    WHERE ${conditions.join(' AND ')}
    ORDER BY ${columns.map((column) => `${column} ${order}`)}
    LIMIT ?`
  return { sql, values: [...values, find.limit] }
}

function columnValue(body: Document, field: string): SQLInputValue {
  return inColumn(indexValue(body, field))
}

function inColumn(value: IndexValue): SQLInputValue {
  if (value === null) return nullInIndex
  if (typeof value === 'boolean') return value ? 1 : 0
  return value
}

function indexName(collection: string, name: string): string {
  return quote(`${collection} ${name}`)
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
