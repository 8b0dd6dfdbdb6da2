import { z } from 'zod'
import type { Access, Principal } from './access.ts'
import type { Collection, Projection } from './projection.ts'
import { findPage, type PageRequest, type Reader } from './query.ts'
import type { Document } from './read-store.ts'

export interface Asked<Parameters> {
  /** Those of the path and of the query string, parsed. */
  readonly parameters: Parameters
  readonly principal: Principal
  readonly reader: Reader
  /** ISO 8601, for what depends on today. */
  readonly now: string
}

/** A query that people may send: route, documentation, permission and answer in one place. */
export interface QueryDefinition {
  /** Name of the operation in camelCase. */
  readonly name: string
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly who: Access<unknown>
  /** The read model that it reads. */
  readonly from: string
  readonly parameters: z.ZodObject
  readonly result: z.ZodType
  /** True for answers in pages, which take `cursor` and `limit`. */
  readonly paged: boolean
  /** The answer; undefined where there is no such thing. */
  run(asked: Asked<Readonly<Record<string, unknown>>>): Promise<unknown>
}

interface Shape<P extends z.ZodObject, R extends z.ZodType> {
  readonly name: string
  readonly route: `GET /${string}`
  readonly summary: string
  readonly description?: string
  readonly who: Access<z.output<R>>
  readonly from: Projection
  /** By their names in path and query string, where all are text: use `z.coerce` and the like. */
  readonly parameters: P
  readonly result: R
  /** Set for an answer in pages, as `pageOf` describes it, whose parameters include `pageParameters`. */
  readonly paged?: true
  readonly run: (asked: Asked<z.output<P>>) => Promise<z.output<R> | undefined>
}

/** Lets people ask for something. Personal data in the answer, marked in its schema, is opened after the query has run. */
export function query<P extends z.ZodObject, R extends z.ZodType>(shape: Shape<P, R>): QueryDefinition
export function query(
  shape: Omit<QueryDefinition, 'path' | 'from' | 'paged'> & {
    readonly route: string
    readonly from: Projection
    readonly paged?: boolean
  },
): QueryDefinition {
  const { route, from, paged, ...rest } = shape
  return { ...rest, path: route.replace('GET ', ''), from: from.name, paged: paged ?? false }
}

/** Lets people ask for one document by its id, which is the first parameter of the path. */
export function documentQuery<P extends z.ZodObject, D extends Document>(shape: {
  readonly name: string
  readonly route: `GET /${string}`
  readonly summary: string
  readonly description?: string
  readonly who: Access<D>
  readonly from: Projection
  readonly of: Collection<D>
  readonly parameters: P
  readonly id: (parameters: z.output<P>, principal: Principal) => string
}): QueryDefinition {
  const { of, id, ...rest } = shape
  return query<P, z.ZodType<D>>({
    ...rest,
    result: of.schema,
    run: async ({ parameters, principal, reader }) => (await reader.get(of, [id(parameters, principal)]))[0],
  })
}

export const pageParameters = {
  cursor: z.string().max(2_000).exactOptional().meta({
    description: 'Where to go on: `next` or `previous` of another page of the same query',
    example: 'WyJvcmRlcnMi',
  }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: 'Most items on the page', example: 20 }),
}

const Paging = z.object(pageParameters)
const CursorOut = z.string().nullable()

/** The schema of one page of something. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item).meta({ description: 'The items of this page, in order' }),
    next: CursorOut.meta({ description: 'Cursor of the next page; null on the last one', example: 'WyJvcmRlcnMi' }),
    previous: CursorOut.meta({ description: 'Cursor of the page before; null on the first one', example: null }),
  })
}

/**
 * Lets people page through documents by an index.
 * @param shape `find` names the index and its range; `show` turns found documents into what is shown, undefined for
 *   those that are filtered out, and is left out where they are shown as they are
 */
export function pageQuery<P extends z.ZodRawShape, D extends Document, Item extends z.ZodType>(shape: {
  readonly name: string
  readonly route: `GET /${string}`
  readonly summary: string
  readonly description?: string
  readonly who: Access
  readonly from: Projection
  readonly of: Collection<D>
  /** Without `cursor` and `limit`, which every page takes. */
  readonly parameters: z.ZodObject<P>
  readonly item: Item
  readonly find: (asked: Asked<z.output<z.ZodObject<P>>>) => PageRequest<D, z.output<Item>>['find']
  readonly show: (
    documents: readonly D[],
    asked: Asked<z.output<z.ZodObject<P>>>,
  ) => ReturnType<PageRequest<D, z.output<Item>>['show']>
}): QueryDefinition
export function pageQuery(shape: {
  readonly name: string
  readonly route: `GET /${string}`
  readonly summary: string
  readonly description?: string
  readonly who: Access
  readonly from: Projection
  readonly of: Collection
  readonly parameters: z.ZodObject
  readonly item: z.ZodType
  find(asked: Asked<Document>): PageRequest<Document, unknown>['find']
  show(documents: readonly Document[], asked: Asked<Document>): ReturnType<PageRequest<Document, unknown>['show']>
}): QueryDefinition {
  const { of, item, find, show, parameters, from, route, ...rest } = shape
  return {
    ...rest,
    path: route.replace('GET ', ''),
    from: from.name,
    paged: true,
    parameters: parameters.extend(pageParameters),
    result: pageOf(item),
    async run(asked) {
      const { limit, cursor } = Paging.parse(asked.parameters)
      const { limit: _limit, cursor: _cursor, ...boundTo } = asked.parameters
      return await findPage(asked.reader, {
        of,
        find: find(asked),
        limit,
        cursor,
        boundTo,
        show: (documents) => show(documents, asked),
      })
    },
  }
}
