import type { Document, Find, FoundDocument, IndexValue, SortKey } from '../src/engine/read-store.ts'

/** What a collection means, as simply as it can be said: every find looks at every document. */

interface ModelDocument {
  readonly position: number
  readonly body: Document | undefined
}

export type Model = Map<string, ModelDocument>

/** All documents that a find asks for. @param fields of its index */
export function modelFind(model: Model, fields: readonly string[], find: Find): readonly FoundDocument[] {
  const sign = find.direction === 'descending' ? -1 : 1
  return Array.from(model, ([id, { position, body }]) => ({ id, position, body }))
    .flatMap(({ id, position, body }) => (body ? [{ id, position, body, key: modelKey(body, fields, id) }] : []))
    .filter(({ key }) => matches(key, find))
    .filter(({ key }) => find.after === undefined || sign * compareModelKeys(key, find.after) > 0)
    .sort((left, right) => sign * compareModelKeys(left.key, right.key))
    .slice(0, find.limit)
}

/** The order of two keys. */
function compareModelKeys(left: SortKey, right: SortKey): number {
  return left.map((value, place) => compare(value, right[place] ?? null)).find((order) => order !== 0) ?? 0
}

function modelKey(body: Document, fields: readonly string[], id: string): SortKey {
  return [...fields.map((field) => asIndexValue(body[field])), id]
}

function asIndexValue(value: unknown): IndexValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function matches(key: SortKey, { equals = [], from, to, startsWith }: Find): boolean {
  const following = key[equals.length] ?? null
  if (!equals.every((value, place) => compare(value, key[place] ?? null) === 0)) return false
  if (from !== undefined && compare(following, from) < 0) return false
  if (to !== undefined && compare(following, to) > 0) return false
  return startsWith === undefined || (typeof following === 'string' && following.startsWith(startsWith))
}

function compare(left: IndexValue, right: IndexValue): number {
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right))
  if (left === null || right === null) return Number(left !== null) - Number(right !== null)
  return Number(left) - Number(right)
}
