import { z } from 'zod'

/** What is wrong with an OpenAPI document, in words; for every document that Daybook makes. */

type Json = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objects(value: unknown): readonly (readonly [string, Json])[] {
  if (!isObject(value) && !Array.isArray(value)) return []
  return Object.entries(value).filter((entry): entry is [string, Json] => isObject(entry[1]))
}

const verbs = new Set(['get', 'post', 'put', 'delete', 'patch', 'head', 'options'])

/** What `$ref` stands for, within the document. */
export function resolved(document: Json, value: unknown): Json | undefined {
  if (!isObject(value)) return undefined
  const { $ref } = value
  if (typeof $ref !== 'string') return value
  const steps = $ref.replace(/^#\//, '').split('/')
  return resolved(
    document,
    steps.reduce<unknown>((found, step) => (isObject(found) ? found[step] : undefined), document),
  )
}

export interface FoundOperation {
  readonly path: string
  readonly verb: string
  readonly operation: Json
}

export function operationsOf(document: Json): readonly FoundOperation[] {
  return objects(document.paths).flatMap(([path, item]) =>
    objects(item).flatMap(([verb, operation]) => (verbs.has(verb) ? [{ path, verb, operation }] : [])),
  )
}

function danglingRefs(document: Json, value: unknown, at: string): string[] {
  if (!isObject(value) && !Array.isArray(value)) return []
  const own = isObject(value) && typeof value.$ref === 'string' && !resolved(document, value)
  return [
    ...(own ? [`${at}: ${String(value.$ref)} leads nowhere`] : []),
    ...Object.entries(value).flatMap(([key, inner]) => danglingRefs(document, inner, `${at}/${key}`)),
  ]
}

/** The parameters of an operation, wherever they are described. */
export function parametersOf(document: Json, operation: Json): readonly Json[] {
  return objects(operation.parameters).flatMap(([, each]): readonly Json[] => {
    const found = resolved(document, each)
    return found ? [found] : []
  })
}

/** True for what is told by its parts: an object with properties, or a list or choice of such. */
function hasParts(document: Json, schema: Json | undefined): boolean {
  if (!schema) return false
  const inner = [
    schema.items,
    schema.additionalProperties,
    ...['anyOf', 'oneOf', 'allOf'].flatMap((key) => schema[key]),
  ]
  return (
    isObject(schema.properties) ||
    inner.flat().some((each) => isObject(each) && hasParts(document, resolved(document, each)))
  )
}

function fits(document: Json, schema: Json, example: unknown): boolean {
  const withParts = JSON.stringify({ ...schema, components: document.components })
  return z.fromJSONSchema(JSON.parse(withParts.replaceAll('#/components/schemas/', '#/$defs/'))).safeParse(example)
    .success
}

function valueFaults(document: Json, value: unknown, at: string): string[] {
  const schema = resolved(document, value)
  if (!schema) return [`${at}: has no schema`]
  const faults: string[] = []
  if (typeof schema.description !== 'string' || schema.description === '') faults.push(`${at}: has no description`)
  const isTold = hasParts(document, schema) || 'const' in schema
  if (!('example' in schema) && !('examples' in schema) && !isTold) faults.push(`${at}: has no example`)
  const usesRef = JSON.stringify(schema).includes('"$ref"')
  if ('example' in schema && !usesRef && !fits(document, schema, schema.example)) {
    faults.push(`${at}: its example ${JSON.stringify(schema.example)} is not what it says`)
  }
  return faults
}

/** The faults of all properties within a schema. */
function schemaFaults(document: Json, value: unknown, at: string): string[] {
  if (!isObject(value) || typeof value.$ref === 'string') return []
  const own = objects(value.properties).flatMap(([name, property]) => [
    ...valueFaults(document, property, `${at}/${name}`),
    ...schemaFaults(document, property, `${at}/${name}`),
  ])
  const parts = [
    value.items,
    value.additionalProperties,
    ...['anyOf', 'oneOf', 'allOf'].flatMap((key) => value[key]),
  ].flat()
  return [...own, ...parts.flatMap((part) => schemaFaults(document, part, at))]
}

function contentFaults(document: Json, value: unknown, at: string): string[] {
  const part = resolved(document, value)
  return objects(part?.content).flatMap(([type, { schema }]) =>
    isObject(schema) ? schemaFaults(document, schema, `${at} ${type}`) : [`${at}: ${type} has no schema`],
  )
}

function operationFaults(document: Json, { path, verb, operation }: FoundOperation): string[] {
  const at = `${verb.toUpperCase()} ${path}`
  const faults: string[] = []
  const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const parameters = parametersOf(document, operation)
  const inPath = parameters.filter((each) => each.in === 'path')
  if (typeof operation.operationId !== 'string' || !/^[a-z][A-Za-z0-9]*$/.test(operation.operationId)) {
    faults.push(`${at}: has no operationId in camelCase`)
  }
  if (typeof operation.summary !== 'string' || !/^[A-Z].*[^.]$/.test(operation.summary)) {
    faults.push(`${at}: has no summary, or one with a full stop`)
  }
  for (const name of wanted) {
    if (!inPath.some((each) => each.name === name && each.required === true))
      faults.push(`${at}: {${name}} is not described`)
  }
  if (inPath.length !== wanted.length) faults.push(`${at}: describes parameters that its path does not have`)
  for (const each of parameters) {
    const where = `${at} ${String(each.in)} ${String(each.name)}`
    const schema = resolved(document, each.schema)
    faults.push(...valueFaults(document, { description: each.description, ...schema }, where))
  }
  const names = parameters.map((each) => `${String(each.in)} ${String(each.name)}`)
  if (new Set(names).size < names.length) faults.push(`${at}: describes a parameter twice`)
  if ('requestBody' in operation) faults.push(...contentFaults(document, operation.requestBody, `${at} body`))

  const responses = objects(operation.responses)
  if (!responses.some(([status]) => status.startsWith('2'))) faults.push(`${at}: has no good answer`)
  for (const [status, reference] of responses) {
    const response = resolved(document, reference)
    if (typeof response?.description !== 'string') faults.push(`${at} ${status}: has no description`)
    faults.push(...contentFaults(document, response, `${at} ${status}`))
    for (const [name, header] of objects(response?.headers)) {
      const found = resolved(document, header)
      faults.push(
        ...valueFaults(
          document,
          { description: found?.description, ...resolved(document, found?.schema) },
          `${at} ${status} ${name}`,
        ),
      )
    }
  }
  return faults
}

/**
 * Looks an OpenAPI 3.1 document through: references, identifiers, permissions, and that every parameter, header and
 * property has a description and an example that fits.
 * @returns a line for each fault
 */
export function openApiFaults(document: Json): readonly string[] {
  const operations = operationsOf(document)
  const faults: string[] = []
  if (document.openapi !== '3.1.0') faults.push('It is not OpenAPI 3.1.0')
  const ids = operations.map(({ operation }) => operation.operationId)
  if (new Set(ids).size < ids.length) faults.push('Two operations have the same operationId')
  const tags = new Set(objects(document.tags).map(([, { name }]) => name))
  const components = isObject(document.components) ? document.components : {}
  const schemes = new Set(objects(components.securitySchemes).map(([name]) => name))
  for (const { path, operation } of operations) {
    for (const tag of Array.isArray(operation.tags) ? operation.tags : []) {
      if (!tags.has(tag)) faults.push(`${path}: the tag ${String(tag)} is not described`)
    }
    const security = Array.isArray(operation.security) ? operation.security : undefined
    if (!security) faults.push(`${path}: does not say who may`)
    for (const requirement of security ?? []) {
      for (const scheme of Object.keys(requirement))
        if (!schemes.has(scheme)) faults.push(`${path}: there is no ${scheme}`)
    }
  }
  const schemas = objects(components.schemas).flatMap(([name, schema]) => schemaFaults(document, schema, name))
  return [
    ...faults,
    ...danglingRefs(document, document, '#'),
    ...schemas,
    ...operations.flatMap((operation) => operationFaults(document, operation)),
  ]
}
