import { type EventFilter, type EventStore, noStream, type RecordedEvent } from '../../src/engine/event-store.ts'
import { newEvent } from './new-event.ts'

/** A log of several types and categories, and what may be asked of it. */

const types = ['ItemAdded', 'ItemRemoved', 'Shipped']
const categories = ['cart', 'cartLine', 'order']

export const filters: readonly EventFilter[] = [
  {},
  { types: new Set(['ItemAdded']) },
  { types: new Set(['ItemAdded', 'Shipped']) },
  { categories: new Set(['cart']) },
  { types: new Set(['Shipped']), categories: new Set(['cartLine', 'order']) },
  { exceptTypes: new Set(['ItemAdded', 'Unknown']) },
  { exceptTypes: new Set(['ItemRemoved']), categories: new Set(['order']) },
  { types: new Set(['Unknown']) },
  { types: new Set() },
  { categories: new Set(['car']) },
]

/** Appends events of every type to streams of every category, one to three at once. */
export async function fill(store: EventStore, appends: number): Promise<void> {
  const revisions = new Map<string, number>()
  for (let number = 0; number < appends; number++) {
    const stream = `${categories[number % 3]}-${number % 5}`
    const events = Array.from({ length: 1 + (number % 3) }, (_, index) =>
      newEvent({ type: types[(number + index) % 3] ?? '', data: { number, index } }),
    )
    const { revision } = await store.append(stream, revisions.get(stream) ?? noStream, events)
    revisions.set(stream, revision)
  }
}

/** What a filter means, told in other words than those of the engine. */
export function isAmong({ types, exceptTypes, categories }: EventFilter, { type, stream }: RecordedEvent): boolean {
  const ofType = (types === undefined || [...types].includes(type)) && ![...(exceptTypes ?? [])].includes(type)
  return ofType && (categories === undefined || [...categories].some((category) => stream.startsWith(`${category}-`)))
}
