import type { Document, Find, IndexValue, SortKey } from './read-store.ts'

/** What an index means, alike in every adapter: the order of its keys, and the stretch of it that a find asks for. */

/** One end of a range: the first fields that follow the equal ones, or all of them and the id. */
export interface Bound {
  readonly values: readonly IndexValue[]
  readonly inclusive: boolean
}

export interface IndexRange {
  /** Values of the index's first fields. */
  readonly equals: readonly IndexValue[]
  readonly lower: Bound | undefined
  readonly upper: Bound | undefined
}

/**
 * Compares two values of one field: null before all, false before true, strings by their UTF-8 bytes.
 * @returns below, at or above 0
 */
function compareValues(left: IndexValue, right: IndexValue): number {
  if (left === right) return 0
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right)
  if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : 1
  if (typeof left === 'boolean' && typeof right === 'boolean') return left ? 1 : -1
  return rank(left) - rank(right)
}

/** Compares two keys as far as the shorter one goes. */
export function compareKeys(left: SortKey, right: SortKey): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const order = compareValues(left[index] ?? null, right[index] ?? null)
    if (order !== 0) return order
  }
  return 0
}

/**
 * The key of a document in an index.
 * @param fields of the index, as declared
 * @throws TypeError for a field that holds what an index cannot
 */
export function indexKey(body: Document, fields: readonly string[], id: string): SortKey {
  const key: IndexValue[] = []
  for (const field of fields) key.push(indexValue(body, field))
  key.push(id)
  return key
}

/**
 * The value of a document's field as an index holds it: null for an absent one.
 * @throws TypeError for what an index cannot hold
 */
export function indexValue(body: Document, field: string): IndexValue {
  return normal(body[field], field)
}

/**
 * The stretch of an index that a find asks for, its cursor included, as bounds that an adapter can seek to.
 * @param fields of the index, as declared
 * @returns undefined when nothing can be there
 * @throws RangeError for a find that does not fit the index
 */
export function indexRange(fields: readonly string[], find: Find): IndexRange | undefined {
  const equals = (find.equals ?? []).map((value) => normal(value, find.index))
  const bounded = find.from !== undefined || find.to !== undefined
  if (equals.length > fields.length + 1) throw new RangeError(`Index ${find.index} has fewer fields than the find`)
  if (equals.length > fields.length && (bounded || find.startsWith !== undefined)) {
    throw new RangeError(`No field of index ${find.index} is left for bounds`)
  }
  if (bounded && find.startsWith !== undefined) throw new RangeError('A find has bounds or a prefix, not both')
  if (!Number.isSafeInteger(find.limit) || find.limit < 0) throw new RangeError('A limit is a number of documents')

  const range = find.startsWith === undefined ? between(equals, find) : beginningWith(equals, find.startsWith)
  if (find.after === undefined) return range
  const after = find.after.map((value) => normal(value, find.index))
  if (after.length !== fields.length + 1) throw new RangeError(`The cursor is not one of index ${find.index}`)

  // A place outside the range is as good as the range's near end, or leaves nothing.
  const ascending = find.direction !== 'descending'
  const order = compareKeys(after, equals)
  if (order !== 0) return order < 0 === ascending ? range : undefined
  const cursor = { values: after.slice(equals.length), inclusive: false }
  if (cursor.values.length === 0) return undefined
  if (ascending) return isAbove(cursor.values, range.lower) ? { ...range, lower: cursor } : range
  return isBelow(cursor.values, range.upper) ? { ...range, upper: cursor } : range
}

/** Whether the rest of a key, after the equal fields, is on the right side of a lower bound. */
export function isAbove(rest: SortKey, lower: Bound | undefined): boolean {
  if (lower === undefined) return true
  const order = compareKeys(rest, lower.values)
  return order > 0 || (order === 0 && lower.inclusive)
}

/** Whether the rest of a key, after the equal fields, is on the right side of an upper bound. */
export function isBelow(rest: SortKey, upper: Bound | undefined): boolean {
  if (upper === undefined) return true
  const order = compareKeys(rest, upper.values)
  return order < 0 || (order === 0 && upper.inclusive)
}

function between(equals: readonly IndexValue[], find: Find): IndexRange {
  return { equals, lower: included(find.from, find.index), upper: included(find.to, find.index) }
}

function included(value: IndexValue | undefined, index: string): Bound | undefined {
  return value === undefined ? undefined : { values: [normal(value, index)], inclusive: true }
}

function beginningWith(equals: readonly IndexValue[], startsWith: string): IndexRange {
  const prefix = startsWith.toWellFormed()
  const end = prefixEnd(prefix)
  return {
    equals,
    lower: { values: [prefix], inclusive: true },
    upper: end === undefined ? undefined : { values: [end], inclusive: false },
  }
}

/** The least string above all that begin with the prefix; undefined if there is none. */
function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  const next = last === 0xd7ff ? 0xe000 : last + 1 // surrogates are no code points
  return String.fromCodePoint(...points, next)
}

/** The one form of a value: what JSON and UTF-8 can say. */
function normal(value: unknown, where: string): IndexValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0 // -0 is 0
  throw new TypeError(`${where} cannot be indexed by ${String(value)}`)
}

function rank(value: IndexValue): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return 1
  return typeof value === 'number' ? 2 : 3
}

function compareStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = left.charCodeAt(index) - right.charCodeAt(index)
    if (difference !== 0) return byCodePoint(left.charCodeAt(index)) - byCodePoint(right.charCodeAt(index))
  }
  return left.length - right.length
}

/** UTF-16 puts surrogates, which stand for the highest code points, below U+E000 to U+FFFF. */
function byCodePoint(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
