import type { z } from 'zod'
import { NewerVersionError } from './errors.ts'
import type { EventData, RecordedEvent } from './event-store.ts'

/** An event as a decision makes it: what has happened, in the past tense. */
export interface DomainEvent {
  readonly type: string
  readonly data: EventData
}

type Upcaster = (data: EventData) => EventData

/** An event whose schema has changed: its present schema, and a step from each version to the next. */
interface Versioned<S extends z.ZodObject> {
  readonly schema: S
  readonly upcasters: readonly Upcaster[]
}

/**
 * Declares an event that had other shapes before.
 * @param schema the present shape
 * @param upcasters the step from version 1 to 2, from 2 to 3, and so on; the present version is one more than their number
 */
export function versioned<S extends z.ZodObject>(schema: S, upcasters: readonly Upcaster[]): Versioned<S> {
  return { schema, upcasters }
}

type EventSchemas = Readonly<Record<string, z.ZodObject | Versioned<z.ZodObject>>>
type SchemaOf<S> = S extends Versioned<infer Inner> ? Inner : S

export interface EventDefinition {
  readonly type: string
  readonly category: string
  readonly schema: z.ZodObject
  readonly version: number
  /** Brings the data of an older version to the present one. */
  upcast(data: EventData, version: number): EventData
}

export interface EventDefinitions<S extends EventSchemas = EventSchemas> {
  readonly category: string
  readonly byType: ReadonlyMap<string, EventDefinition>
  /** Only for types: the schemas as they were declared. */
  readonly schemas: S
}

/** The union of the events that were defined. */
export type EventOf<D> =
  D extends EventDefinitions<infer S>
    ? {
        [Type in keyof S & string]: SchemaOf<S[Type]> extends z.ZodType
          ? { readonly type: Type; readonly data: z.output<SchemaOf<S[Type]>> }
          : never
      }[keyof S & string]
    : never

/** An event of a union as it is read from the log. */
export type Recorded<E extends DomainEvent = DomainEvent> = E extends DomainEvent
  ? Omit<RecordedEvent, 'type' | 'data'> & { readonly type: E['type']; readonly data: E['data'] }
  : never

/**
 * Defines the events of one aggregate. The schemas are the types, the validation and the documentation of the events.
 * @param category the first part of the names of the aggregate's streams, without a dash
 * @param schemas by event type, in the past tense; a plain object schema is version 1
 */
export function defineEvents<const S extends EventSchemas>(category: string, schemas: S): EventDefinitions<S> {
  if (!/^[a-z][A-Za-z0-9]*$/.test(category)) throw new Error(`Category ${category} must be in camelCase`)
  const byType = new Map<string, EventDefinition>()
  for (const [type, given] of Object.entries(schemas)) {
    const { schema, upcasters } = 'upcasters' in given ? given : versioned(given, [])
    const version = upcasters.length + 1
    byType.set(type, {
      type,
      category,
      schema,
      version,
      upcast(data, from) {
        if (from > version) throw new NewerVersionError(`${type} has version ${from}; this Daybook knows ${version}`)
        return upcasters.slice(from - 1).reduce((result, upcaster) => upcaster(result), data)
      },
    })
  }
  return { category, byType, schemas }
}

export interface EventRegistry {
  readonly byType: ReadonlyMap<string, EventDefinition>
  /** The event in its present version. @throws NewerVersionError when this Daybook does not know it yet */
  upcast(event: RecordedEvent): RecordedEvent
}

/**
 * All events of a shop.
 * @throws Error when two aggregates define the same type or category
 */
export function eventRegistry(all: readonly EventDefinitions[]): EventRegistry {
  const byType = new Map<string, EventDefinition>()
  const categories = new Set<string>()
  for (const definitions of all) {
    if (categories.has(definitions.category)) throw new Error(`Two aggregates are called ${definitions.category}`)
    categories.add(definitions.category)
    for (const [type, definition] of definitions.byType) {
      if (byType.has(type)) throw new Error(`Two aggregates define the event ${type}`)
      byType.set(type, definition)
    }
  }
  return {
    byType,
    upcast(event) {
      const definition = byType.get(event.type)
      if (definition === undefined) throw new NewerVersionError(`The event ${event.type} is not known to this Daybook`)
      if (event.metadata.version === definition.version) return event
      return { ...event, data: definition.upcast(event.data, event.metadata.version) }
    },
  }
}
