import { hash } from 'node:crypto'
import type { Fences } from './read-store.ts'

/** The hash shards of something that this process holds, of so many that there are. */
export interface Part {
  readonly of: number
  readonly fences: Fences
}

/** Thirty-two bits of a hash that is the same in every process and every version. */
function hashOf(text: string): number {
  return hash('sha256', text, 'buffer').readUInt32BE(0)
}

/** The hash shard of a document, a process or whatever else has a name: from 0 to below `shards`. */
export function shardOf(name: string, shards: number): number {
  return shards === 1 ? 0 : hashOf(name) % shards
}

/**
 * The one of some members that something belongs to: who has the highest hash with its name. One that comes takes some from
 * each, one that goes leaves its own to all others, and nothing else moves.
 * Thaler, Ravishankar: Using name-based mappings to increase hit rates (rendezvous hashing), 1998.
 * @returns undefined if there are no members
 */
export function ownerOf(name: string, members: readonly string[]): string | undefined {
  let owner: string | undefined
  let highest = -1
  for (const member of [...members].sort()) {
    const weight = hashOf(`${member} ${name}`)
    if (weight > highest) [owner, highest] = [member, weight]
  }
  return owner
}
