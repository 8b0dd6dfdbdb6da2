import type { ReadCacheStatus } from '../../engine/read-store.ts'

/**
 * What was read, kept in memory within one budget for all that is kept: about the most recently used half of it stays.
 * A key needs no more than one look into a map, so that a page of eighty documents is cheap.
 */
export interface DocumentCache {
  /** A part with keys of its own. */
  space<Value>(): CacheSpace<Value>
  status(): ReadCacheStatus
}

export interface CacheSpace<Value> {
  get(key: string): Value | undefined
  /** @param size about how much of the budget it takes, in characters of text */
  set(key: string, value: Value, size: number): void
  delete(key: string): void
  clear(): void
  /** Forgets everything, and takes no part in the cache any more. */
  close(): void
}

interface Kept<Value> {
  readonly value: Value
  readonly size: number
}

/** What each entry costs beside its text. */
const entrySize = 200
/** One that takes more than this share of the budget is not kept, for too much would go for it. */
const largestShare = 1 / 16

/**
 * Makes a cache of two ages: what is asked for becomes young, and when the young ones fill half of the budget they
 * become old, and what was old before is forgotten.
 * @param budget how much is kept, in characters of text; 0 keeps nothing
 */
export function documentCache(budget: number): DocumentCache {
  const spaces = new Map<() => void, () => number>()
  let young = 0
  let hits = 0
  let misses = 0

  function grow(size: number): void {
    young += size
    if (young <= budget / 2) return
    young = 0
    for (const age of spaces.keys()) age()
  }

  return {
    space<Value>(): CacheSpace<Value> {
      let recent = new Map<string, Kept<Value>>()
      let older = new Map<string, Kept<Value>>()
      /** This space's part of what is young. */
      let recentSize = 0
      function age(): void {
        older = recent
        recent = new Map()
        recentSize = 0
      }
      function giveBack(size: number): void {
        recentSize -= size
        young -= size
      }
      function keep(key: string, kept: Kept<Value>): void {
        giveBack(recent.get(key)?.size ?? 0)
        recent.set(key, kept)
        recentSize += kept.size
        grow(kept.size)
      }
      function clear(): void {
        giveBack(recentSize)
        if (recent.size > 0) recent = new Map()
        if (older.size > 0) older = new Map()
      }
      spaces.set(age, () => recent.size + older.size)
      return {
        get(key) {
          const found = recent.get(key)
          if (found !== undefined) {
            hits++
            return found.value
          }
          const aged = older.get(key)
          if (aged === undefined) {
            misses++
            return undefined
          }
          hits++
          older.delete(key)
          keep(key, aged)
          return aged.value
        },
        set(key, value, size) {
          const whole = size + entrySize
          if (whole > budget * largestShare) return
          keep(key, { value, size: whole })
        },
        delete(key) {
          giveBack(recent.get(key)?.size ?? 0)
          recent.delete(key)
          older.delete(key)
        },
        clear,
        close() {
          clear()
          spaces.delete(age)
        },
      }
    },
    status: () => ({
      entries: spaces.values().reduce((sum, entries) => sum + entries(), 0),
      capacityCharacters: budget,
      hits,
      misses,
    }),
  }
}
