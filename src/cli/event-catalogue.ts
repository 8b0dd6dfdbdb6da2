import { z } from 'zod'
import type { Definitions } from '../engine/engine.ts'
import type { EventDefinition } from '../engine/events.ts'
import { personalPaths } from '../engine/personal-data.ts'

/** `daybook events`: what can be in the log of a shop, also by its extensions, as a page in Markdown. */

type Schema = z.core.JSONSchema._JSONSchema

interface Field {
  /** From the top, such as `lines[].sku`; `[]` is each element of a list or a map. */
  readonly path: string
  readonly type: string
  readonly description: string
  readonly isOptional: boolean
  readonly isPersonal: boolean
}

/** A value that may be one of several is each of them; that personal data may be null is said by its being personal. */
function variantsOf(schema: Schema): readonly Exclude<Schema, boolean>[] {
  if (typeof schema === 'boolean') return []
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return variants.flatMap(variantsOf)
  return schema.type === 'null' ? [] : [schema]
}

function typeOf(schema: Schema): string {
  const names = variantsOf(schema).map((each) => {
    if (each.const !== undefined) return JSON.stringify(each.const)
    if (each.enum) return each.enum.map((value) => JSON.stringify(value)).join(' or ')
    const elements = elementsOf(each)
    if (elements) return `${each.type === 'array' ? 'list' : 'map'} of ${typeOf(elements)}`
    if (each.format === 'date-time') return 'time'
    return each.type ?? 'any'
  })
  return [...new Set(names)].join(' or ') || 'any'
}

/** What a list or a map has many of; undefined for what is neither. */
function elementsOf({ type, items, properties, additionalProperties }: Exclude<Schema, boolean>): Schema | undefined {
  if (type === 'array') return items === undefined || Array.isArray(items) ? {} : items
  return type === 'object' && properties === undefined ? (additionalProperties ?? {}) : undefined
}

/** The fields within a value, each under its path. */
function fieldsOf(schema: Schema, path: string, personal: readonly string[]): readonly Field[] {
  const isWithin = personal.some((each) => each === path)
  const found = variantsOf(schema).flatMap((each): readonly Field[] => {
    const elements = elementsOf(each)
    if (elements) return fieldsOf(elements, `${path}[]`, isWithin ? [...personal, `${path}[]`] : personal)
    return Object.entries(each.properties ?? {}).flatMap(([name, inner]): readonly Field[] => {
      const innerPath = path === '' ? name : `${path}.${name}`
      const all = isWithin ? [...personal, innerPath] : personal
      const field = {
        path: innerPath,
        type: typeOf(inner),
        description: (typeof inner === 'object' && inner.description) || '',
        isOptional: !each.required?.includes(name),
        isPersonal: all.includes(innerPath),
      }
      return [field, ...fieldsOf(inner, innerPath, all)]
    })
  })
  return [...new Map(found.map((field) => [field.path, field])).values()]
}

function pathOf(names: readonly string[]): string {
  return names.reduce((path, name) => (name === '*' ? `${path}[]` : path === '' ? name : `${path}.${name}`), '')
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function rowOf({ path, type, description, isOptional, isPersonal }: Field): string {
  const marks = [isOptional && 'optional', isPersonal && '**personal**'].filter(Boolean).join(', ')
  return `| \`${path}\` | ${escaped(type)} | ${escaped(description)} | ${marks} |`
}

const headOfFields = '| field | type | what it is | |\n| --- | --- | --- | --- |'

/** Who looks at an event, in a sentence for each kind. */
function readersOf(type: string, { projections, processes, jobs }: Omit<Definitions, 'aggregates'>): string {
  const kinds = {
    'Read models': projections,
    'Process managers': processes.filter(({ listening }) => listening === undefined),
    Jobs: jobs,
  }
  const sentences = Object.entries(kinds).flatMap(([kind, all]) => {
    const names = all.filter(({ types }) => types.has(type)).map(({ name }) => `\`${name}\``)
    return names.length === 0 ? [] : [`${kind}: ${names.join(', ')}.`]
  })
  return sentences.join(' ') || 'Only decisions look at it.'
}

function sectionOf({ type, version, schema }: EventDefinition, definitions: Definitions): string {
  const personal = personalPaths(schema).map(pathOf)
  const fields = fieldsOf(z.toJSONSchema(schema, { unrepresentable: 'any' }), '', personal)
  return [
    `### ${type}`,
    `Version ${version}. ${readersOf(type, definitions)}`,
    fields.length === 0 ? 'No fields.' : [headOfFields, ...fields.map(rowOf)].join('\n'),
  ].join('\n\n')
}

/**
 * Lists all events of a shop by their aggregates: versions, fields, and who looks at them.
 * @returns Markdown from the second heading on
 */
export function eventCatalogue(definitions: Definitions): string {
  const sections = definitions.aggregates.map(({ events }) =>
    [`## ${events.category}`, ...Array.from(events.byType.values(), (event) => sectionOf(event, definitions))].join(
      '\n\n',
    ),
  )
  return `${sections.join('\n\n')}\n`
}
