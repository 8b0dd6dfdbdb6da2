import { AssertionError } from 'node:assert/strict'
import { isImmutable } from 'immutable'
import { z } from 'zod'
import type { EventData } from '../engine/event-store.ts'
import type { DomainEvent, EventDefinition, EventDefinitions } from '../engine/events.ts'
import { replacePersonal } from '../engine/personal-data.ts'

/** Personal data and immutability in tests of what is pure: a stand-in for the real seal, and values that can't be changed. */

const standIn = 'sealed:'

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function replaced(schema: z.ZodObject, data: unknown, replace: (found: unknown) => unknown): EventData {
  const result = replacePersonal(schema, data, replace)
  if (!isRecord(result)) throw new Error('An event or a command must be an object')
  return result
}

/** Opaque, and equal for equal values. */
function seal(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(standIn) ? value : standIn + JSON.stringify(value)
}

function open(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(standIn)) throw new Error(`Not sealed: ${JSON.stringify(value)}`)
  return JSON.parse(value.slice(standIn.length))
}

/** With its personal values in the clear. @throws Error for one that is not sealed */
export function opened(schema: z.ZodObject, data: unknown): EventData {
  return replaced(schema, data, open)
}

/**
 * What a schema makes of a value.
 * @param what it is, for the message
 * @throws AssertionError that says what the schema refuses
 */
export function valid<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  throw new AssertionError({ message: `${what} is not what its schema says:\n${z.prettifyError(error)}` })
}

/**
 * Parsed and sealed, as a command or an event reaches a decider.
 * @param data with personal values in the clear, or sealed already
 * @param type of the command or the event
 * @throws AssertionError for what the schema refuses
 */
export function parsed(schema: z.ZodObject, data: unknown, type: string): EventData {
  const clear = replaced(schema, data, (value) =>
    typeof value === 'string' && value.startsWith(standIn) ? open(value) : value,
  )
  return deepFreeze(replaced(schema, valid(schema, clear, type), seal))
}

/** @throws Error for an event that the aggregate does not define */
export function definitionOf(definitions: EventDefinitions, type: string): EventDefinition {
  const definition = definitions.byType.get(type)
  if (definition === undefined) throw new Error(`${definitions.category} defines no event ${type}`)
  return definition
}

/**
 * An event as `evolve` is given it: parsed and sealed.
 * @throws AssertionError for what its schema refuses, Error for an event that the aggregate does not define
 */
export function parsedEvent(definitions: EventDefinitions, { type, data }: DomainEvent): DomainEvent {
  return { type, data: parsed(definitionOf(definitions, type).schema, data, type) }
}

/** Makes it an error to change a value in place. Persistent maps can't be changed; what they hold could. */
export function deepFreeze<T>(value: T): T {
  if (!isRecord(value) || Object.isFrozen(value)) return value
  if (value instanceof Map || value instanceof Set) {
    throw new Error('A state holds plain objects, arrays and persistent maps, no Map or Set, which can be changed')
  }
  if (isImmutable(value)) value.forEach(deepFreezeEntry)
  else for (const inner of Object.values(Object.freeze(value))) deepFreeze(inner)
  return value
}

function deepFreezeEntry(value: unknown): void {
  deepFreeze(value)
}
