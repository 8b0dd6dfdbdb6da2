import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { CommandDefinition } from '../engine/command-definition.ts'
import { filledPath, pathParameters } from '../engine/path-template.ts'
import type { QueryDefinition } from '../engine/query-definition.ts'
import { type Connection, succeed } from './connection.ts'
import { printTable } from './output.ts'

/** `daybook call`: every command and query of the shop, also those of its extensions, from the command line. */

interface Callable {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly fields: z.ZodObject
}

export interface Callables {
  readonly commands: readonly CommandDefinition[]
  readonly queries: readonly QueryDefinition[]
}

/** A call that is not possible as it was typed. */
class CallError extends Error {
  override readonly name = 'CallError'
}

function allOf({ commands, queries }: Callables): readonly Callable[] {
  return [
    ...commands.map((each) => ({ ...each, fields: each.body })),
    ...queries.map((each) => ({ ...each, method: 'GET' as const, fields: each.parameters })),
  ]
}

function find(callables: Callables, name: string): Callable {
  const found = allOf(callables).find((each) => each.name === name)
  if (found) return found
  throw new CallError(`There is no command or query ${name}. \`daybook call\` lists all of them.`)
}

/** Lists what can be called. */
export function printCallables(callables: Callables): void {
  printTable(
    ['name', 'route', 'what it does'],
    allOf(callables).map(({ name, method, path, summary }) => [name, `${method} ${path}`, summary]),
  )
}

/** What of a JSON schema is shown. */
const Fields = z.object({
  properties: z.record(z.string(), z.object({ description: z.string().default('') })).default({}),
  required: z.array(z.string()).default([]),
})

/** Says what a command or query takes. @throws CallError when there is none with this name */
export function printCallable(callables: Callables, name: string): void {
  const { method, path, summary, fields } = find(callables, name)
  console.log(`${method} ${path}\n${summary}\n`)
  const inPath = pathParameters(path)
  const { properties, required } = Fields.parse(z.toJSONSchema(fields, { io: 'input', unrepresentable: 'any' }))
  const inFields = Object.entries(properties)
    .filter(([field]) => !inPath.includes(field))
    .map(([field, { description }]) => [field, required.includes(field) ? 'needed' : '', description])
  printTable(['field', '', 'what it is'], [...inPath.map((field) => [field, 'needed', 'in the path']), ...inFields])
}

/** What was typed as `name=value`; a value that is JSON stands for itself, everything else is text. */
function assignments(typed: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    typed.map((each) => {
      const [, field, value] = /^(\w+)=(.*)$/s.exec(each) ?? []
      if (field === undefined || value === undefined) throw new CallError(`${each} is no field. Write name=value.`)
      return [field, value]
    }),
  )
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * Sends a command or a query, and prints the answer as JSON.
 * @param typed what it is sent with, as `name=value`
 * @param key of idempotency, for a command that is sent again; a new one if absent
 * @throws CallError for what can't be sent
 * @throws ProblemError for what the shop refuses
 */
export async function call(
  connection: Connection,
  callables: Callables,
  {
    name,
    typed,
    key = randomUUID(),
  }: { readonly name: string; readonly typed: readonly string[]; readonly key?: string },
): Promise<void> {
  const { method, path, fields } = find(callables, name)
  const given = new Map(assignments(typed))
  const filled = filledPath(path, (parameter) => {
    const value = given.get(parameter)
    if (value === undefined) throw new CallError(`${name} needs ${parameter}=…, which is in its path ${path}.`)
    given.delete(parameter)
    return encodeURIComponent(value)
  })
  if (method === 'GET') {
    const search = new URLSearchParams([...given])
    const { body } = await succeed(connection.send(method, given.size === 0 ? filled : `${filled}?${search}`))
    console.log(JSON.stringify(body, undefined, 2))
    return
  }
  // A number as text, such as a postal code, stays text where the schema wants text.
  const body = Object.fromEntries(
    [...given].map(([field, value]) => {
      const schema = fields.shape[field]
      const isText = schema instanceof z.ZodType && schema.safeParse(value).success
      return [field, isText ? value : jsonOrText(value)]
    }),
  )
  const answer = await succeed(
    connection.send(method, filled, { body, headers: { 'idempotency-key': key, prefer: 'wait=5' } }),
  )
  console.log(JSON.stringify(answer.body, undefined, 2))
}
