import { hash } from 'node:crypto'
import type { Fences } from './read-store.ts'

/** The hash shards of something that this process holds, of so many that there are. */
export interface Part {
  readonly of: number
  readonly fences: Fences
}

/** Whether the same things are held under the same tokens. */
export function sameTokens<Key>(one: ReadonlyMap<Key, number>, other: ReadonlyMap<Key, number>): boolean {
  return one.size === other.size && [...one].every(([key, token]) => other.get(key) === token)
}

/**
 * The hash shards that are held of something.
 * @param leaseOf the name of the lease on a shard
 */
export function fencesOf(
  held: ReadonlyMap<string, number>,
  shards: number,
  leaseOf: (shard: number) => string,
): Fences {
  const found = new Map<number, number>()
  for (let shard = 0; shard < shards; shard++) {
    const token = held.get(leaseOf(shard))
    if (token !== undefined) found.set(shard, token)
  }
  return found
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
 * Shares names out among members: each goes to the one with the highest hash of both that still has room, so that all have about
 * as many. One that comes takes some from each, one that goes leaves its own to the others, and little else moves.
 * Thaler, Ravishankar: Using name-based mappings to increase hit rates (rendezvous hashing), 1998; with the bound of
 * Mirrokni, Thorup, Zadimoghaddam: Consistent hashing with bounded loads, 2016.
 * @returns the member of each name; none if there are no members
 */
export function shareOut(names: readonly string[], members: readonly string[]): ReadonlyMap<string, string> {
  const room = new Map(members.map((member) => [member, Math.ceil(names.length / members.length)]))
  const owners = new Map<string, string>()
  for (const name of [...names].sort()) {
    const weights = [...room].map(([member, left]) => ({ member, left, weight: hashOf(`${member} ${name}`) }))
    const [first] = weights.filter(({ left }) => left > 0).sort((one, other) => other.weight - one.weight)
    if (first === undefined) continue
    owners.set(name, first.member)
    room.set(first.member, first.left - 1)
  }
  return owners
}
