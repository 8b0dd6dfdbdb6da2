import type { z } from 'zod'
import { type FieldError, type ProblemError, problem } from './problems.ts'

/** What a client sends is checked here, and every fault gets its place. */

const maxDepth = 32
const maxErrors = 50

type Where = (path: readonly PropertyKey[]) => Pick<FieldError, 'pointer' | 'parameter'>

/** The place of a value in the body, as a URI fragment. */
export function inBody(path: readonly PropertyKey[]): { readonly pointer: string } {
  const steps = path.map((step) =>
    encodeURIComponent(String(step).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')),
  )
  return { pointer: ['#', ...steps].join('/') }
}

/** The parameter of path or query string that a value was sent as. */
export function inParameters(path: readonly PropertyKey[]): { readonly parameter: string } {
  return { parameter: String(path[0] ?? '').toWellFormed() }
}

export function invalid(errors: readonly FieldError[]): ProblemError {
  const detail = 'Some of what was sent is not as it should be; `errors` says what and where.'
  return problem(422, 'invalid', detail, { errors: errors.slice(0, maxErrors) })
}

function faults(issue: z.core.$ZodIssue, where: Where): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ detail: issue.message, ...where(issue.path) }]
  return issue.keys
    .slice(0, maxErrors)
    .map((key) => ({ detail: 'There is no such field.', ...where([...issue.path, key]) }))
}

/**
 * Parses what was sent by a schema.
 * @param where names the place of a fault
 * @throws ProblemError (422) with the place of each fault
 */
export function parse<S extends z.ZodType>(schema: S, sent: unknown, where: Where): z.output<S> {
  const parsed = schema.safeParse(sent)
  if (parsed.success) return parsed.data
  throw invalid(parsed.error.issues.flatMap((issue) => faults(issue, where)))
}

/**
 * Refuses what no store can keep as it is, wherever it stands: text that is not well-formed or has a NUL, and what is
 * nested too deeply.
 * @throws ProblemError (422)
 */
export function assertStorable(value: unknown, where: Where, path: readonly PropertyKey[] = []): void {
  if (typeof value === 'string') assertText(value, where, path)
  if (typeof value !== 'object' || value === null) return
  if (path.length >= maxDepth) throw invalid([{ detail: 'It is nested too deeply.', ...where(path) }])
  for (const [key, inner] of Object.entries(value)) {
    assertText(key, where, path)
    if (typeof inner === 'string' || typeof inner === 'object') assertStorable(inner, where, [...path, key])
  }
}

function assertText(text: string, where: Where, path: readonly PropertyKey[]): void {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw invalid([{ detail: 'It has characters that are no text: lone surrogates, or NUL.', ...where(path) }])
  }
}

/**
 * Where a value has a null at a path, `*` standing for each element. Personal values are null only for who was
 * forgotten, so their schemas let null pass, and requests must not have one.
 */
export function nullsAt(value: unknown, path: readonly string[], at: readonly string[] = []): (readonly string[])[] {
  const [step, ...rest] = path
  if (step === undefined) return value === null ? [at] : []
  if (typeof value !== 'object' || value === null) return []
  const steps = step === '*' ? Object.entries(value) : Object.entries(value).filter(([key]) => key === step)
  return steps.flatMap(([key, inner]) => nullsAt(inner, rest, [...at, key]))
}
