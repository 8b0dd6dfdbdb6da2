import { List, Map as PersistentMap } from 'immutable'

/** A memory of the newest entries, up to a bound. Persistent: adding to it copies little. */
export interface Newest<V> {
  /** Number of entries that are kept. */
  readonly bound: number
  readonly byKey: PersistentMap<string, V>
  /** The keys in the order they came, as a ring: when it is full, the next key takes the place of the oldest. */
  readonly ring: List<string>
  /** Place in the ring of the next key. */
  readonly next: number
}

type Entry<V> = [key: string, value: V]

/**
 * A memory that has kept these entries.
 * @param bound number of entries that it keeps at most
 * @param entries as `entriesOf` returns them: oldest first, no more than the bound, each key once
 */
export function newest<V>(bound: number, entries: readonly Entry<V>[] = []): Newest<V> {
  return {
    bound,
    byKey: PersistentMap(entries),
    ring: List(entries.map(([key]) => key)),
    next: entries.length % bound,
  }
}

/**
 * Adds an entry; one with the same key keeps its place and gets the new value.
 * @returns the memory with it, and the entry that was forgotten for it, if any
 */
export function keep<V>(
  memory: Newest<V>,
  key: string,
  value: V,
): { readonly memory: Newest<V>; readonly forgotten?: Entry<V> } {
  const { bound, byKey, ring, next } = memory
  if (byKey.has(key)) return { memory: { ...memory, byKey: byKey.set(key, value) } }
  const kept = { bound, byKey: byKey.set(key, value), ring: ring.set(next, key), next: (next + 1) % bound }
  const oldest = ring.get(next)
  if (oldest === undefined) return { memory: kept }
  const oldestValue = byKey.get(oldest)
  return {
    memory: { ...kept, byKey: kept.byKey.delete(oldest) },
    ...(oldestValue !== undefined && { forgotten: [oldest, oldestValue] }),
  }
}

/** The entries as plain values, oldest first. */
export function entriesOf<V>({ byKey, ring, next }: Newest<V>): Entry<V>[] {
  const keys = ring.toArray()
  return [...keys.slice(next), ...keys.slice(0, next)].flatMap((key): Entry<V>[] => {
    const value = byKey.get(key)
    return value === undefined ? [] : [[key, value]]
  })
}
