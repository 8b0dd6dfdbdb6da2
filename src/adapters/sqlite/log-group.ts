import type { Checkpoint } from '../../engine/event-store.ts'

/** What goes to the thread that writes the log, and comes back: flat lists, which cross over several times faster than objects. */

/** Appends that are written in one transaction. */
export interface Group {
  /** The stream of each append. */
  readonly streams: readonly string[]
  /** Two numbers for each append: the expected revision, and how many events there are. */
  readonly numbers: readonly number[]
  /** Four texts for each event: id, type, data, metadata. */
  readonly texts: readonly string[]
  readonly checkpoints: readonly NamedCheckpoint[]
}

export interface NamedCheckpoint {
  readonly name: string
  readonly checkpoint: Checkpoint
}

export type GroupAnswer = Written | Failed

export interface Written {
  readonly kind: 'written'
  /** For each append the position of its first event, behind which the others follow without a gap; 0 if it was not written. */
  readonly firstPositions: readonly number[]
  /** Those that were not written, by their place in the group. */
  readonly repeated: readonly { readonly index: number; readonly positions: readonly number[] }[]
  readonly conflicts: readonly { readonly index: number; readonly actualRevision: number }[]
  /** How long it took until all of it was on the disk, in milliseconds. */
  readonly tookMs: number
}

/** Nothing was written, or nobody knows whether it was. */
export interface Failed {
  readonly kind: 'failed'
  readonly outcome: 'not-written' | 'corrupt' | 'in-doubt'
  readonly message: string
}

export const cellsPerEvent = 4

/** An item of one of the lists. @throws RangeError when the list is too short */
export function cell<Value>(list: readonly Value[], index: number): Value {
  const value = list[index]
  if (value === undefined) throw new RangeError(`A group has no item ${index}`)
  return value
}
