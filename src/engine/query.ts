import { hash } from 'node:crypto'
import { z } from 'zod'
import { PreconditionError } from './errors.ts'
import type { Collection } from './projection.ts'
import type { Document, Find, FoundDocument, Generation, SortKey } from './read-store.ts'

/** What a query reads from: the live documents of one projection. */
export interface Reader {
  readonly generationId: string
  /** The documents with these ids, in their order. */
  get<D extends Document>(of: Collection<D>, ids: readonly string[]): Promise<readonly (D | undefined)[]>
  /** Documents by an index, at most `limit`. */
  find<D extends Document>(
    of: Collection<D>,
    find: Omit<Find, 'collection'>,
  ): Promise<readonly (FoundDocument & { readonly body: D })[]>
  /** The keys of what `find` finds, for less. While nothing changes they may be the very same array. */
  keys(of: Collection, find: Omit<Find, 'collection'>): Promise<readonly SortKey[]>
}

/**
 * Reads documents of a generation; their types are those of the collections that they were written by.
 * @param onFailure told of what could not be read, as the caller is
 */
export function readerOf(generation: Generation, onFailure: (error: unknown) => void = () => {}): Reader {
  function failed(error: unknown): never {
    onFailure(error)
    throw error
  }
  return {
    generationId: generation.id,
    async get<D extends Document>(of: Collection<D>, ids: readonly string[]) {
      const stored = await generation.read(ids.map((id) => ({ collection: of.name, id }))).catch(failed)
      // A generation holds only what its projection's own collections wrote.
      return stored.map((each) => each?.body as D | undefined)
    },
    async find<D extends Document>(of: Collection<D>, find: Omit<Find, 'collection'>) {
      const found = await generation.find({ ...find, collection: of.name }).catch(failed)
      return found as readonly (FoundDocument & { readonly body: D })[]
    },
    keys: (of, find) => generation.keys({ ...find, collection: of.name }).catch(failed),
  }
}

export interface Page<T> {
  readonly items: T[]
  readonly next: string | null
  readonly previous: string | null
}

const Cursor = z.tuple([
  z.string(),
  z.string(),
  z.enum(['next', 'previous']),
  z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])),
])

/** Binds a cursor to the query that it belongs to. */
function fingerprint(find: unknown): string {
  return hash('sha256', JSON.stringify(find), 'base64url').slice(0, 12)
}

/**
 * The generation that a cursor was made on.
 * @throws PreconditionError for what is no cursor
 */
export function generationOfCursor(cursor: string): string {
  return parseCursor(cursor)[0]
}

function parseCursor(cursor: string): z.output<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    throw new PreconditionError('cursor-invalid', 'This is not a cursor of this query. Begin again at the first page.')
  }
}

const examinedBound = 1_000

/** The next stretch of what a page is made of. */
export type Step = Required<Pick<Find, 'direction' | 'limit'>> & Pick<Find, 'after'>

interface Shown<D, T> {
  readonly limit: number
  readonly cursor?: string | undefined
  /** Turns found documents into what is shown, in their order; undefined for those that are filtered out. */
  show(documents: readonly D[]): readonly (T | undefined)[] | Promise<readonly (T | undefined)[]>
}

export interface PageRequest<D extends Document, T> extends Shown<D, T> {
  readonly of: Collection<D>
  readonly find: Omit<Find, 'collection' | 'after' | 'limit'>
  /** What else the page depends on, such as a filter: a cursor is bound to it. */
  readonly boundTo?: unknown
}

export interface StepwisePageRequest<D, T> extends Shown<D, T> {
  readonly generationId: string
  readonly direction: 'ascending' | 'descending'
  /** All that the page depends on: a cursor is bound to it. */
  readonly boundTo: unknown
  /** Documents in the order of their keys, which are unique; fewer than asked for only where no more follow. */
  find(step: Step): Promise<readonly { readonly key: SortKey; readonly body: D }[]>
}

/**
 * One page of documents by an index, with cursors to the pages around it. A filter examines a bounded number of
 * documents, so a page may be short and still have a next one.
 * @throws PreconditionError for a cursor of another query
 */
export async function findPage<D extends Document, T>(reader: Reader, request: PageRequest<D, T>): Promise<Page<T>> {
  const { of, find, boundTo, ...shown } = request
  return await findPageStepwise<D, T>({
    ...shown,
    generationId: reader.generationId,
    direction: find.direction ?? 'ascending',
    boundTo: [of.name, find, boundTo],
    find: (step) => reader.find(of, { ...find, ...step }),
  })
}

/**
 * As `findPage`, of documents that are found in another way than by one index.
 * @throws PreconditionError for a cursor of another query
 */
export async function findPageStepwise<D, T>(request: StepwisePageRequest<D, T>): Promise<Page<T>> {
  const { generationId, direction: forwards, find, limit, show } = request
  const bound = fingerprint(request.boundTo)
  const [, cursorBound, way, start] = request.cursor
    ? parseCursor(request.cursor)
    : ['', bound, 'next' as const, undefined]
  if (cursorBound !== bound)
    throw new PreconditionError(
      'cursor-invalid',
      'This cursor belongs to another query. Begin again at the first page.',
    )

  const backwards = forwards === 'ascending' ? 'descending' : 'ascending'
  const direction = way === 'next' ? forwards : backwards
  const shown: { item: T; key: SortKey }[] = []
  let place: SortKey | undefined = start
  let examined = 0
  let exhausted = false
  while (shown.length <= limit && examined < examinedBound && !exhausted) {
    // A filter that lets little pass is given more and more at once, so that a page takes few reads.
    const wanted = Math.min(limit + 1 - shown.length + examined, examinedBound - examined)
    const found = await find({ direction, limit: wanted, ...(place && { after: place }) })
    const items = await show(found.map(({ body }) => body))
    for (const [index, { key }] of found.entries()) {
      const item = items[index]
      if (item !== undefined && shown.length <= limit) shown.push({ item, key })
    }
    place = found.at(-1)?.key ?? place
    examined += found.length
    exhausted = found.length < wanted
  }

  const page = shown.slice(0, limit)
  const cursor = (to: 'next' | 'previous', key: SortKey | undefined) =>
    key === undefined ? null : Buffer.from(JSON.stringify([generationId, bound, to, key])).toString('base64url')
  const more = shown.length > limit || !exhausted
  const lastKey = shown.length > limit ? page.at(-1)?.key : place
  const onward = more ? cursor(way, lastKey) : null
  const back = start === undefined ? null : cursor(way === 'next' ? 'previous' : 'next', page[0]?.key ?? start)
  const items = page.map(({ item }) => item)
  return way === 'next'
    ? { items, next: onward, previous: back }
    : { items: items.reverse(), next: back, previous: onward }
}
