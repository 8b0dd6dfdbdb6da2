import { z } from 'zod'

/** What an optional, nullable, defaulted or read-only schema wraps; undefined for a schema that wraps nothing. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  ) {
    return schema.unwrap()
  }
  return undefined
}
