import { z } from 'zod'

/** What a change of a JSON Schema breaks for those who send what it describes, or receive it. */

/** `sent` by clients: what was taken before must be taken. `received` by them: only what could come before may come. */
export type Direction = 'sent' | 'received'

const Node = z.record(z.string(), z.unknown())
type Node = z.output<typeof Node>

/** Of a document, both before and after. */
export interface Documents {
  readonly before: unknown
  readonly after: unknown
}

const annotations = /^(?:title|description|examples?|deprecated|\$comment|\$schema|\$id|id|readOnly|writeOnly|x-.*)$/
/** Keywords that are compared by what they mean; a change of any other one is a break. */
const understood = new Set([
  'type',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'items',
  'pattern',
  'format',
  'default',
  'minimum',
  'exclusiveMinimum',
  'minLength',
  'minItems',
  'minProperties',
  'maximum',
  'exclusiveMaximum',
  'maxLength',
  'maxItems',
  'maxProperties',
])
const lowest = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const highest = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']

export function nodeOf(value: unknown): Node {
  return Node.safeParse(value).data ?? {}
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

/** Follows a reference within a document; what is none is itself. */
export function resolve(document: unknown, value: unknown): Node {
  const { $ref: reference } = nodeOf(value)
  if (typeof reference !== 'string') return nodeOf(value)
  const target = reference
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((found, part) => nodeOf(found)[part.replaceAll('~1', '/').replaceAll('~0', '~')], document)
  return resolve(document, target)
}

/**
 * Compares two schemas.
 * @param documents where their references lead
 * @param at what is compared, for people
 * @returns what breaks, each a sentence; nothing where all goes on
 */
export function schemaBreaks(
  documents: Documents,
  before: unknown,
  after: unknown,
  direction: Direction,
  at: string,
): readonly string[] {
  const under = new Set<string>()

  function compare(one: unknown, other: unknown, place: string): readonly string[] {
    const pair = textOf([nodeOf(one).$ref, nodeOf(other).$ref])
    const isReferred = pair !== '[null,null]'
    if (isReferred && under.has(pair)) return [] // it is being compared further out
    if (isReferred) under.add(pair)
    try {
      const [old, present] = [alternatives(documents.before, one), alternatives(documents.after, other)]
      const [covered, covering] = direction === 'sent' ? [old, present] : [present, old]
      return covered.flatMap((each) => {
        const tries = covering.map((candidate) =>
          direction === 'sent' ? plain(each, candidate, place) : plain(candidate, each, place),
        )
        if (tries.some((breaks) => breaks.length === 0)) return []
        const [only] = tries
        if (tries.length === 1 && only) return only
        return [`${place}: ${shortOf(each)} ${direction === 'sent' ? 'is not taken any more' : 'is new'}`]
      })
    } finally {
      if (isReferred) under.delete(pair)
    }
  }

  /** Two schemas without alternatives. */
  function plain(old: Node, present: Node, place: string): readonly string[] {
    const [wide, narrow] = direction === 'sent' ? [present, old] : [old, present]
    const breaks = [
      ...typeBreaks(wide, narrow, place),
      ...valueBreaks(wide, narrow, place),
      ...limitBreaks(wide, narrow, place),
    ]
    for (const keyword of ['pattern', 'format']) {
      if (wide[keyword] !== undefined && wide[keyword] !== narrow[keyword])
        breaks.push(`${place}: its ${keyword} was ${textOf(old[keyword])} and is ${textOf(present[keyword])}`)
    }
    if (direction === 'sent' && 'default' in old && textOf(old.default) !== textOf(present.default))
      breaks.push(`${place}: its default was ${textOf(old.default)} and is ${textOf(present.default)}`)
    for (const keyword of new Set([...Object.keys(old), ...Object.keys(present)])) {
      if (understood.has(keyword) || annotations.test(keyword) || textOf(old[keyword]) === textOf(present[keyword]))
        continue
      breaks.push(`${place}: its ${keyword} was ${textOf(old[keyword])} and is ${textOf(present[keyword])}`)
    }
    if (old.items !== undefined || present.items !== undefined)
      breaks.push(...compare(old.items ?? {}, present.items ?? {}, `${place}[]`))
    if (old.propertyNames !== undefined || present.propertyNames !== undefined)
      breaks.push(...compare(old.propertyNames ?? {}, present.propertyNames ?? {}, `names in ${place}`))
    return [...breaks, ...fieldBreaks(old, present, place)]
  }

  function fieldBreaks(old: Node, present: Node, place: string): readonly string[] {
    const [fields, later] = [nodeOf(old.properties), nodeOf(present.properties)]
    const [needed, neededLater] = [namesOf(old.required), namesOf(present.required)]
    const breaks: string[] = []
    for (const [name, field] of Object.entries(fields)) {
      const inside = `${place}.${name}`
      if (name in later) breaks.push(...compare(field, later[name], inside))
      else if (direction === 'received' || present.additionalProperties === false) breaks.push(`${inside} was removed`)
    }
    if (direction === 'sent') {
      for (const name of neededLater) if (!needed.has(name)) breaks.push(`${place}.${name} is required`)
    } else {
      for (const name of needed)
        if (name in later && !neededLater.has(name)) breaks.push(`${place}.${name} may be missing`)
    }
    const [others, othersLater] = [old.additionalProperties, present.additionalProperties]
    if (typeof others === 'object' && typeof othersLater === 'object')
      breaks.push(...compare(others, othersLater, `${place}.*`))
    else if (direction === 'sent' && others !== false && othersLater === false && isObject(old))
      breaks.push(`${place}: fields of other names are not taken any more`)
    else if (typeof others === 'object' && othersLater === undefined && direction === 'received')
      breaks.push(`${place}.* may be anything`)
    return breaks
  }

  return compare(before, after, at)
}

function isObject({ type }: Node): boolean {
  return type === 'object'
}

function namesOf(required: unknown): ReadonlySet<string> {
  return new Set(z.array(z.string()).safeParse(required).data ?? [])
}

/** What a schema allows, one by one: of `anyOf` and of several types. */
function alternatives(document: unknown, value: unknown): readonly Node[] {
  const { anyOf, oneOf, ...rest } = resolve(document, value)
  const choices = anyOf ?? oneOf
  if (Array.isArray(choices))
    return choices
      .flatMap((choice: unknown) => alternatives(document, choice))
      .map((choice) => ({ ...rest, ...choice }))
  if (Array.isArray(rest.type)) return rest.type.map((type: unknown) => ({ ...rest, type }))
  return [rest]
}

/** @param wide has to allow what `narrow` allows */
function typeBreaks(wide: Node, narrow: Node, place: string): string[] {
  if (wide.type === undefined || wide.type === narrow.type) return []
  if (wide.type === 'number' && narrow.type === 'integer') return []
  return [`${place}: its type was one of ${textOf(wide.type)} and ${textOf(narrow.type)}, and is the other`]
}

function valuesOf({ enum: values, const: only }: Node): readonly string[] | undefined {
  if (only !== undefined) return [textOf(only)]
  return Array.isArray(values) ? values.map(textOf) : undefined
}

function valueBreaks(wide: Node, narrow: Node, place: string): string[] {
  const allowed = valuesOf(wide)
  if (allowed === undefined) return []
  const values = valuesOf(narrow)
  if (values === undefined) return [`${place}: its values are ${allowed.join(', ')} on one side, and any on the other`]
  const outside = values.filter((value) => !allowed.includes(value))
  return outside.length === 0 ? [] : [`${place}: ${outside.join(', ')} is on one side only`]
}

function limitBreaks(wide: Node, narrow: Node, place: string): string[] {
  const breaks: string[] = []
  for (const [keywords, isWithin] of [
    [lowest, (limit: number, value: number) => value >= limit],
    [highest, (limit: number, value: number) => value <= limit],
  ] as const) {
    for (const keyword of keywords) {
      const [limit, value] = [wide[keyword], narrow[keyword]]
      if (typeof limit !== 'number' || (typeof value === 'number' && isWithin(limit, value))) continue
      breaks.push(`${place}: its ${keyword} is ${limit} on one side, and ${textOf(value)} on the other`)
    }
  }
  return breaks
}

function shortOf(node: Node): string {
  const values = valuesOf(node)
  return values ? values.join(' or ') : textOf(node.type ?? node).slice(0, 100)
}
