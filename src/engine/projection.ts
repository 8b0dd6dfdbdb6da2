import type { z } from 'zod'
import type { DomainEvent, EventDefinitions, EventOf, Recorded } from './events.ts'
import type { CollectionSpec, Document, ProjectionSpec } from './read-store.ts'

/** What an event does to one document. */
export interface Change {
  readonly collection: string
  readonly id: string
  /** The document after the event; the same object if nothing changes, undefined if it is deleted or still does not exist. */
  evolve(document: Document | undefined): Document | undefined
}

/** Documents of one kind in a read model. */
export interface Collection<D extends Document = Document> extends CollectionSpec {
  readonly schema: z.ZodType<D>
  /** Set for a collection whose documents are computed from those of another. */
  readonly derived?: { readonly from: string; entries(id: string, document: Document): ReadonlyMap<string, Document> }
  /** Names a document and says what becomes of it; it may not exist yet. */
  change(id: string, evolve: (document: D | undefined) => D | undefined): Change
  /** As `change`, for a document that is left alone if it does not exist. */
  update(id: string, evolve: (document: D) => D | undefined): Change
}

type IndexesOf<D> = Readonly<Record<string, readonly (keyof D & string)[]>>

/**
 * Declares the documents of a read model.
 * @param name unique within the projection
 * @param schema what a document is: its type, and what queries may show of it
 * @param indexes the ways in which documents can be found: names of fields, most significant first
 */
export function collection<D extends Document>(name: string, schema: z.ZodType<D>, indexes: IndexesOf<D>): Collection<D>
export function collection(name: string, schema: z.ZodType<Document>, indexes: CollectionSpec['indexes']): Collection {
  return {
    name,
    schema,
    indexes,
    change: (id, evolve) => ({ collection: name, id, evolve }),
    update: (id, evolve) => ({ collection: name, id, evolve: (document) => document && evolve(document) }),
  }
}

/**
 * Declares a collection that is computed: each document of another collection yields entries, such as one for each
 * word of its text. They appear, change and go with it.
 * @param source the collection whose documents yield the entries
 * @param entries the entries of one document by their ids, which no other document's entries may have
 */
export function derivedCollection<S extends Document, D extends Document>(
  name: string,
  schema: z.ZodType<D>,
  indexes: IndexesOf<D>,
  source: Collection<S>,
  entries: (id: string, document: S) => ReadonlyMap<string, D>,
): Collection<D>
export function derivedCollection(
  name: string,
  schema: z.ZodType<Document>,
  indexes: CollectionSpec['indexes'],
  source: Collection,
  entries: (id: string, document: Document) => ReadonlyMap<string, Document>,
): Collection {
  return { ...collection(name, schema, indexes), derived: { from: source.name, entries } }
}

/** A read model: its documents, how they can be found, and how events change them. */
export interface Projection {
  readonly name: string
  /** To be raised with every change of what it would make of the same events; it is then built anew. */
  readonly version: number
  /**
   * The oldest version whose documents this one can go on with: its queries can read them and its handlers change them, and
   * collections and indexes are the same. One process alone then answers with them until its own are built; without it,
   * queries are answered 503 until then.
   */
  readonly goesOnFrom?: number
  readonly collections: readonly Collection[]
  /** The event types that it looks at. */
  readonly types: ReadonlySet<string>
  /** The documents that an event touches, and what becomes of each. */
  route(event: Recorded): readonly Change[]
}

/** Written as a method, so that a handler of one event type counts as a handler of events. */
type Handler = { handle(event: Recorded): Change | readonly Change[] }['handle']

type Handlers<E extends DomainEvent> = {
  readonly [Type in E['type']]?: (event: Recorded<Extract<E, { type: Type }>>) => Change | readonly Change[]
}

/**
 * Puts a read model together. Pure: what it makes depends on the events alone.
 * @param definition `from` lists the events of the aggregates that it may look at; `on` says for each type what it does
 */
export function projection<const From extends readonly EventDefinitions[]>(definition: {
  readonly name: string
  readonly version: number
  readonly goesOnFrom?: number
  readonly collections: readonly Collection[]
  readonly from: From
  readonly on: Handlers<EventOf<From[number]>>
}): Projection
export function projection(definition: {
  readonly name: string
  readonly version: number
  readonly goesOnFrom?: number
  readonly collections: readonly Collection[]
  readonly on: Readonly<Record<string, Handler | undefined>>
}): Projection {
  const { name, version, goesOnFrom, collections } = definition
  return {
    name,
    version,
    ...(goesOnFrom !== undefined && { goesOnFrom }),
    collections,
    types: new Set(Object.keys(definition.on)),
    route(event) {
      const changes = definition.on[event.type]?.(event) ?? []
      return 'evolve' in changes ? [changes] : changes
    },
  }
}

/** What the read store needs to know of a projection. */
export function specOf({ name, version, collections }: Projection): ProjectionSpec {
  return {
    name,
    version,
    collections: collections.map((each) => ({ name: each.name, indexes: each.indexes })),
  }
}
