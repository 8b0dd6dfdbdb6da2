import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { documentTable } from '../../../src/adapters/sqlite/documents.ts'
import type { Find, IndexValue } from '../../../src/engine/read-store.ts'

const indexes: Readonly<Record<string, readonly string[]>> = {
  byId: [],
  byStatus: ['status'],
  byStatusTotal: ['status', 'total'],
  byCustomerStatusTotal: ['customer', 'status', 'total'],
}
const table = documentTable({ name: 'orders', indexes })
const database = new DatabaseSync(':memory:')
database.exec(`${table.layout};${table.indexes}`)

const shapes = Object.entries(indexes).flatMap(([index, fields]) => findsOf(index, [...fields, '_id']))

describe('the plan of SQLite', () => {
  test.each(shapes)('for $title is a range of the index', ({ find, range }) => {
    const plan = planOf(find)
    expect(plan).toHaveLength(1)
    if (range) expect(plan[0]).toBe(`SEARCH orders USING COVERING INDEX orders by ${find.index} (${range})`)
    else expect(plan[0]).toBe(`SCAN orders USING COVERING INDEX orders by ${find.index}`)
  })

  test('for reading by ids is a search by id', () => {
    expect(plan(table.read, '[]')).toContain('SEARCH orders USING INDEX sqlite_autoindex_orders_1 (_id=?)')
  })

  test('for counting and sweeping reads no documents but tombstones', () => {
    expect(plan(table.count)).toEqual([
      'SCAN CONSTANT ROW',
      'SCALAR SUBQUERY 1',
      expect.stringMatching(/^SCAN orders USING COVERING INDEX/),
      'SCALAR SUBQUERY 2',
      'SCAN orders USING INDEX orders tombstones',
    ])
    expect(plan(table.sweep, 1)).toEqual(['SEARCH orders USING INDEX orders tombstones (_position<?)'])
  })
})

interface Shape {
  readonly title: string
  readonly find: Find
  /** What SQLite should say that it searches for. */
  readonly range: string
}

/** Every shape of find over an index: how many equal values, which bounds, with a cursor or not, both directions. */
function findsOf(index: string, columns: readonly string[]): Shape[] {
  const all: IndexValue[] = columns.map((_, place) => `value ${place}`)
  return all.concat('').flatMap((_, equal) => {
    const column = columns[equal]
    const bounds =
      column === undefined
        ? [{}]
        : [
            {},
            { from: 'b' },
            { to: 'x' },
            { from: 'b', to: 'x' },
            { startsWith: 'value' },
            { startsWith: '\u{10ffff}' },
          ]
    return bounds.flatMap((bound) =>
      (['ascending', 'descending'] as const).flatMap((direction) =>
        [{}, { after: all }].flatMap((cursor) => {
          if (column === undefined && 'after' in cursor) return [] // behind a key with all its values is nothing
          if ('startsWith' in bound && bound.startsWith !== 'value' && 'after' in cursor) return []
          const find: Find = {
            collection: 'orders',
            index,
            equals: all.slice(0, equal),
            ...bound,
            direction,
            ...cursor,
            limit: 20,
          }
          const title = `${index}, ${equal} equal, ${Object.keys({ ...bound, ...cursor }).join(' and ') || 'no bounds'}, ${direction}`
          return [{ title, find, range: rangeOf(columns, find) }]
        }),
      ),
    )
  })
}

function rangeOf(columns: readonly string[], { equals = [], from, to, startsWith, after, direction }: Find): string {
  const parts = equals.map((_, place) => `${columns[place]}=?`)
  const following = columns.slice(equals.length)
  const whole = following.length === 1 ? `${following[0]}` : `(${following})`
  const cursor = (sign: string) => `${whole}${sign}${following.length === 1 ? '?' : `(${following.map(() => '?')})`}`
  const hasEnd = to !== undefined || (startsWith !== undefined && startsWith !== '\u{10ffff}')
  if (after !== undefined && direction === 'ascending') parts.push(cursor('>'))
  else if (from !== undefined || startsWith !== undefined) parts.push(`${following[0]}>?`)
  if (after !== undefined && direction === 'descending') parts.push(cursor('<'))
  else if (hasEnd) parts.push(`${following[0]}<?`)
  return parts.join(' AND ')
}

function planOf(find: Find): string[] {
  const statement = table.find(find)
  return statement === undefined ? [] : plan(statement.sql, ...statement.values)
}

function plan(sql: string, ...values: readonly SQLInputValue[]): string[] {
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...values)
    .map(({ detail }) => String(detail))
}
