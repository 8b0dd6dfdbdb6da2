import type { EventFilter } from '../../engine/event-store.ts'
import type { ServerFilter } from './read-request.ts'
import { ownTypePrefix } from './stored-event.ts'

/**
 * The part of a filter that the server can see to, which need not be all of it: readers look at each event once more.
 * Expressions are such as .NET and JavaScript understand alike. A filter on streams can't name those of the server, for
 * their names begin with a dollar sign.
 * @returns `everything` when the server had better send all, `nothing` when no event can match
 */
export function serverFilter(filter: EventFilter | undefined): ServerFilter | 'everything' | 'nothing' {
  const { types, exceptTypes, categories } = filter ?? {}
  if (types?.size === 0 || categories?.size === 0) return 'nothing'
  if (types !== undefined) return { types: `^(?:${alternatives(types)})$` }
  if (categories !== undefined) return { streamPrefixes: [...categories].map((category) => `${category}-`) }
  if (exceptTypes === undefined || exceptTypes.size === 0) return 'everything'
  return { types: `^(?!\\$|${escaped(ownTypePrefix)}|(?:${alternatives(exceptTypes)})$)` }
}

function alternatives(types: ReadonlySet<string>): string {
  return [...types].map(escaped).join('|')
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
