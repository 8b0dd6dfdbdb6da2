/** Numbers that look random and are the same each time, so that what is made up with them can be made again. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number
  /** A whole number, both bounds included. */
  between(least: number, most: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  /** One of the items, each as likely as its weight says. */
  weighted<T>(items: readonly [T, ...T[]], weightOf: (item: T) => number): T
}

/** Mulberry32, by Tommy Ettinger. @param seed a whole number */
export function random(seed: number): Random {
  let state = seed
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  function weighted<T>(items: readonly [T, ...T[]], weightOf: (item: T) => number): T {
    let rest = next() * items.reduce((sum, item) => sum + weightOf(item), 0)
    for (const item of items) {
      rest -= weightOf(item)
      if (rest < 0) return item
    }
    return items[0]
  }
  return {
    next,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    weighted,
  }
}
