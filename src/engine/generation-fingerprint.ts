import type { ProjectionSpec } from './read-store.ts'

/**
 * What a generation was made with, as a string that is the same whatever the order of collections and indexes.
 * @param layout version of the adapter's own layout; a generation of another one is built anew
 */
export function generationFingerprint(spec: ProjectionSpec, layout: number): string {
  const collections = spec.collections.map(({ name, indexes }) => [name, sorted(Object.entries(indexes))] as const)
  return JSON.stringify([layout, spec.name, spec.version, sorted(collections)])
}

function sorted<Named extends readonly [string, unknown]>(entries: readonly Named[]): readonly Named[] {
  return entries.toSorted(([left], [right]) => (left < right ? -1 : 1))
}
