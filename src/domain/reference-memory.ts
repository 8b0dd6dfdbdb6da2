import { Map as PersistentMap } from 'immutable'
import { entriesOf, keep, type Newest, newest } from './newest.ts'

/**
 * A bounded memory of business references, such as delivery notes, that never takes an old one for a new one. The
 * newest are known with what they stood for. Those forgotten leave a trace in a Bloom filter, which has no false
 * negatives: what it has seen it always knows. It can take a new reference for a forgotten one, which is refused to be
 * safe and goes through under another name: 1 in 3 million after 10,000 references were forgotten, 1 in 3,000 after 100,000.
 */
export interface ReferenceMemory {
  readonly known: Newest<string>
  /** Words of 32 bits of the filter, by their place; those that are 0 are left out. */
  readonly traces: PersistentMap<number, number>
}

const knownBound = 1_000
const filterBits = 2 ** 22
const tracesOfEach = 3

/** FNV-1a over the UTF-16 units, mixed at the end as in MurmurHash3. It is part of saved states: never change it. */
function hash(text: string, seed: number): number {
  let value = seed
  for (let place = 0; place < text.length; place++) value = Math.imul(value ^ text.charCodeAt(place), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

function placesOf(reference: string): readonly number[] {
  const start = hash(reference, 0x811c9dc5)
  const step = hash(reference, 0x9747b28c) | 1
  return Array.from({ length: tracesOfEach }, (_, number) => (start + number * (step >>> 0)) % filterBits)
}

/** A memory of nothing. */
export function noReferences(): ReferenceMemory {
  return { known: newest(knownBound), traces: PersistentMap() }
}

/** `forgotten`: it may have been here, but nobody can say any more what it stood for. `new`: it certainly was not. */
export type Recollection =
  | { readonly kind: 'known'; readonly content: string }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'new' }

/** What is known of a reference. */
export function recall({ known, traces }: ReferenceMemory, reference: string): Recollection {
  const content = known.byKey.get(reference)
  if (content !== undefined) return { kind: 'known', content }
  if (traces.isEmpty()) return { kind: 'new' }
  const isTraced = placesOf(reference).every((place) => ((traces.get(place >>> 5) ?? 0) >>> (place & 31)) & 1)
  return { kind: isTraced ? 'forgotten' : 'new' }
}

/**
 * Remembers a reference.
 * @param content what it stands for, by which a repetition is told from another use of it
 */
export function remember({ known, traces }: ReferenceMemory, reference: string, content: string): ReferenceMemory {
  const { memory, forgotten } = keep(known, reference, content)
  if (forgotten === undefined) return { known: memory, traces }
  const withTrace = traces.withMutations((words) => {
    for (const place of placesOf(forgotten[0])) words.update(place >>> 5, 0, (word) => word | (1 << (place & 31)))
  })
  return { known: memory, traces: withTrace }
}

export interface SavedReferences {
  readonly known: [string, string][]
  readonly traces: [number, number][]
}

/** As plain JSON, for snapshots. */
export function saveReferences({ known, traces }: ReferenceMemory): SavedReferences {
  return { known: entriesOf(known), traces: traces.toArray() }
}

/** From plain JSON. */
export function loadReferences({ known, traces }: SavedReferences): ReferenceMemory {
  return { known: newest(knownBound, known), traces: PersistentMap(traces) }
}
