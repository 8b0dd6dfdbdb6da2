import { z } from 'zod'
import { type Documents, nodeOf, resolve, schemaBreaks } from './schema-breaks.ts'

/** What a change of an OpenAPI document breaks for clients that were made for it. `/v1` only grows: nothing may. */

const methods = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'] as const
const Security = z.array(z.record(z.string(), z.array(z.string())))
const json = 'application/json'

/**
 * Compares the document of a release with one that comes after it.
 * @returns what breaks, each a sentence that begins with the operation; nothing where clients go on
 */
export function openApiBreaks(before: unknown, after: unknown): readonly string[] {
  const documents = { before, after }
  const breaks: string[] = []
  const [paths, later] = [nodeOf(nodeOf(before).paths), nodeOf(nodeOf(after).paths)]
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods) {
      const operation = nodeOf(item)[method]
      if (operation === undefined) continue
      const name = `${method.toUpperCase()} ${path}`
      const present = nodeOf(later[path])[method]
      if (present === undefined) breaks.push(`${name} was removed`)
      else breaks.push(...operationBreaks(documents, nodeOf(operation), nodeOf(present), name))
    }
  }
  return breaks
}

type Node = ReturnType<typeof nodeOf>

function operationBreaks(documents: Documents, before: Node, after: Node, name: string): readonly string[] {
  const breaks: string[] = []
  // Typed clients call it by this name.
  if (before.operationId !== after.operationId)
    breaks.push(`${name}: its operationId was ${before.operationId} and is ${after.operationId}`)
  return [
    ...breaks,
    ...securityBreaks(before.security, after.security, name),
    ...parameterBreaks(documents, before, after, name),
    ...bodyBreaks(documents, before, after, name),
    ...responseBreaks(documents, before, after, name),
  ]
}

/** Whoever was let in before must be. */
function securityBreaks(before: unknown, after: unknown, name: string): readonly string[] {
  const [ways, later] = [Security.parse(before ?? [{}]), Security.parse(after ?? [{}])]
  return ways
    .filter((way) => !later.some((other) => isWithin(other, way)))
    .map((way) => `${name}: ${JSON.stringify(way)} does not let in any more`)
}

/** Whether a way asks for nothing that another does not ask for. */
function isWithin(way: Readonly<Record<string, readonly string[]>>, other: typeof way): boolean {
  return Object.entries(way).every(
    ([scheme, scopes]) => scopes.every((scope) => other[scheme]?.includes(scope)) && scheme in other,
  )
}

function parametersOf(document: unknown, operation: Node): ReadonlyMap<string, Node> {
  const parameters: readonly unknown[] = Array.isArray(operation.parameters) ? operation.parameters : []
  return new Map(
    parameters.map((each) => {
      const parameter = resolve(document, each)
      return [`${parameter.in} parameter ${parameter.name}`, parameter]
    }),
  )
}

function parameterBreaks(documents: Documents, before: Node, after: Node, name: string): readonly string[] {
  const breaks: string[] = []
  const [parameters, later] = [parametersOf(documents.before, before), parametersOf(documents.after, after)]
  for (const [which, parameter] of parameters) {
    const present = later.get(which)
    // A header that is not looked at any more does no harm.
    if (present === undefined) {
      if (parameter.in !== 'header') breaks.push(`${name}: ${which} was removed`)
    } else {
      if (present.required === true && parameter.required !== true) breaks.push(`${name}: ${which} is required`)
      breaks.push(...schemaBreaks(documents, parameter.schema, present.schema, 'sent', `${name}: ${which}`))
    }
  }
  for (const [which, { required }] of later)
    if (required === true && !parameters.has(which)) breaks.push(`${name}: ${which} is required`)
  return breaks
}

function bodyBreaks(documents: Documents, before: Node, after: Node, name: string): readonly string[] {
  const [body, later] = [resolve(documents.before, before.requestBody), resolve(documents.after, after.requestBody)]
  const breaks = later.required === true && body.required !== true ? [`${name}: its body is required`] : []
  if (before.requestBody === undefined) return breaks
  if (after.requestBody === undefined) return [`${name}: it takes no body any more`]
  return [...breaks, ...schemaBreaks(documents, schemaOf(body, json), schemaOf(later, json), 'sent', `${name}: body`)]
}

function schemaOf(content: Node, type: string): unknown {
  return nodeOf(nodeOf(content.content)[type]).schema ?? {}
}

function responseBreaks(documents: Documents, before: Node, after: Node, name: string): readonly string[] {
  const breaks: string[] = []
  const [responses, later] = [nodeOf(before.responses), nodeOf(after.responses)]
  for (const [status, given] of Object.entries(responses)) {
    if (later[status] === undefined) {
      breaks.push(`${name}: it is never answered ${status} any more`)
      continue
    }
    const [response, present] = [resolve(documents.before, given), resolve(documents.after, later[status])]
    for (const header of Object.keys(nodeOf(response.headers)))
      if (!(header in nodeOf(present.headers))) breaks.push(`${name}: ${status} has no header ${header} any more`)
    for (const type of Object.keys(nodeOf(response.content))) {
      const at = `${name}: ${status}`
      if (!(type in nodeOf(present.content))) breaks.push(`${at} has no ${type} any more`)
      else breaks.push(...schemaBreaks(documents, schemaOf(response, type), schemaOf(present, type), 'received', at))
    }
  }
  // A problem is known by its form; a success that nobody expects is not.
  for (const status of Object.keys(later))
    if (status.startsWith('2') && !(status in responses)) breaks.push(`${name}: it may be answered ${status}`)
  return breaks
}
