import { z } from 'zod'
import { unwrapped } from '../engine/schema-wrappers.ts'
import { isRecord } from './json.ts'

/** Keeps of a value what a schema declares; compiled once, for it runs for every answer. */
type Shape = (value: unknown) => unknown

function objectShape(schema: z.ZodObject): Shape | undefined {
  const { catchall } = schema.def
  const isOpen = catchall !== undefined && !(catchall instanceof z.ZodNever)
  const fields = Object.entries(schema.shape).map(([name, inner]) => ({ name, shape: shapeOf(inner) }))
  return (value) => {
    if (!isRecord(value)) return value
    const result: Record<string, unknown> = isOpen ? { ...value } : {}
    for (const { name, shape } of fields) {
      const inner = value[name]
      if (inner !== undefined) result[name] = shape ? shape(inner) : inner
    }
    return result
  }
}

function unionShape(schema: z.ZodUnion): Shape | undefined {
  const options = schema.options.map((option) => ({ option, shape: shapeOf(option) }))
  if (options.every(({ shape }) => shape === undefined)) return undefined
  const isMatch = ({ option }: { option: z.core.$ZodType }, value: unknown) => z.safeParse(option, value).success
  return (value) => {
    const match = isRecord(value) ? options.find((each) => isMatch(each, value)) : undefined
    return match?.shape ? match.shape(value) : value
  }
}

/**
 * What answers of a schema keep: fields that it does not declare are left out. Nothing is validated, for what a query
 * finds was made by this very schema's types.
 * @returns undefined where there is nothing to leave out
 */
export function shapeOf(schema: z.core.$ZodType): Shape | undefined {
  if (schema instanceof z.ZodObject) return objectShape(schema)
  if (schema instanceof z.ZodUnion) return unionShape(schema)
  if (schema instanceof z.ZodArray) {
    const element = shapeOf(schema.element)
    return element && ((value) => (Array.isArray(value) ? value.map(element) : value))
  }
  if (schema instanceof z.ZodRecord) {
    const inner = shapeOf(schema.valueType)
    if (!inner) return undefined
    return (value) =>
      isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(each)])) : value
  }
  if (schema instanceof z.ZodLazy) {
    let shape: Shape | undefined
    // Recursive schemas: their inside is compiled when it is first met.
    return (value) => {
      shape ??= shapeOf(schema.unwrap()) ?? ((same) => same)
      return shape(value)
    }
  }
  const inner = unwrapped(schema)
  return inner && shapeOf(inner)
}
