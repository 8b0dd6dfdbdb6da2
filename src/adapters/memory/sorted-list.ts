/**
 * Binary search in a sorted list.
 * @param reached false for the items at the front, true for all the others
 * @returns index of the first item that is reached, the list's length if none is
 */
export function firstIndex<Item>(list: readonly Item[], reached: (item: Item) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = list[middle]
    if (item !== undefined && reached(item)) high = middle
    else low = middle + 1
  }
  return low
}

/** Puts an item into a sorted list. */
export function insertSorted<Item>(list: Item[], item: Item, compare: (left: Item, right: Item) => number): void {
  list.splice(
    firstIndex(list, (other) => compare(other, item) >= 0),
    0,
    item,
  )
}

/** Takes an item, or what compares as equal to it, out of a sorted list; nothing happens if it is not there. */
export function removeSorted<Item>(list: Item[], item: Item, compare: (left: Item, right: Item) => number): void {
  const index = firstIndex(list, (other) => compare(other, item) >= 0)
  const found = list[index]
  if (found !== undefined && compare(found, item) === 0) list.splice(index, 1)
}
