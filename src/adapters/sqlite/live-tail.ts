import type { RecordedEvent } from '../../engine/event-store.ts'

/**
 * The end of the log in memory, bounded, for all subscribers together: each has only its position. One who is too slow
 * finds that the tail no longer begins at its position, and reads the store instead.
 */
export interface LiveTail {
  /** Takes the events of an append that is durable, in log order. */
  add(events: readonly RecordedEvent[], bytes: number): void
  /**
   * The events behind a position, none when there is nothing newer.
   * @returns undefined when the store has to be asked
   */
  after(position: number, limit: number): readonly RecordedEvent[] | undefined
  /** Position of the last event that is known of. */
  head(): number
  /** Forgets what it holds: the log may have events that nobody has told of. */
  lose(): void
  /** Wakes those who wait for something new. */
  wake(): void
  /** Registers who is to be woken. @returns what takes it back */
  onWake(waker: () => void): () => void
}

/**
 * @param head position of the last event in the store
 * @param maxEvents and `maxBytes`: what is kept of the log's end
 */
export function liveTail(head: number, maxEvents: number, maxBytes: number): LiveTail {
  const wakers = new Set<() => void>()
  let events: RecordedEvent[] = []
  let sizes: number[] = []
  /** Those before it have been dropped, and are cut off from time to time. */
  let first = 0
  let bytes = 0
  /** All events behind this position are here; undefined when that is not known. */
  let from: number | undefined = head
  let last = head

  function drop(): void {
    while (first < events.length && (events.length - first > maxEvents || bytes > maxBytes)) {
      from = events[first]?.position
      bytes -= sizes[first] ?? 0
      first++
    }
    if (first < 1_024 || first < events.length / 2) return
    events = events.slice(first)
    sizes = sizes.slice(first)
    first = 0
  }

  return {
    add(added, addedBytes) {
      const bytesEach = addedBytes / added.length
      for (const event of added) {
        from ??= event.position - 1
        events.push(event)
        sizes.push(bytesEach)
        bytes += bytesEach
        last = event.position
      }
      drop()
    },

    after(position, limit) {
      if (from === undefined || position < from) return undefined
      // Positions in the store have no gaps.
      const start = events.length - (last - position)
      return position >= last ? [] : events.slice(start, start + limit)
    },

    head: () => last,

    lose() {
      events = []
      sizes = []
      first = 0
      bytes = 0
      from = undefined
      for (const wake of wakers) wake()
    },

    wake() {
      for (const wake of wakers) wake()
    },

    onWake(waker) {
      wakers.add(waker)
      return () => wakers.delete(waker)
    },
  }
}
