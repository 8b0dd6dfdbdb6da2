import type { Checkpoint } from './event-store.ts'
import type { Collection, Projection } from './projection.ts'
import type { Generation } from './read-store.ts'
import { type Part, shardOf } from './shards.ts'

/** Documents of what has ended long ago leave a read model; the log keeps what they were made of. */

const pageSize = 500
/** Documents that are looked at for one sweep, more than can have ended since the one before it. */
const mostExamined = 4_000

/**
 * Removes documents that have ended so long ago that their collection does not keep them. Whether they have follows from the
 * log: its own time counts, not that of a clock.
 * @param at ISO 8601, when the latest event was recorded that the generation has seen
 * @param place how far the generation is
 * @param part the hash shards that are written; all if absent
 * @returns how many were removed
 */
export async function expire(
  { collections }: Pick<Projection, 'collections'>,
  generation: Generation,
  at: string,
  place: Checkpoint,
  part?: Part,
): Promise<number> {
  let removed = 0
  for (const collection of collections) removed += await expireIn(collection, generation, at, place, part)
  return removed
}

async function expireIn(
  { name, keeps }: Collection,
  generation: Generation,
  at: string,
  place: Checkpoint,
  part: Part | undefined,
): Promise<number> {
  if (keeps === undefined) return 0
  const to = new Date(Date.parse(at) - keeps.forMs).toISOString()
  let removed = 0
  let after: Awaited<ReturnType<Generation['keys']>>[number] | undefined
  for (let examined = 0; examined < mostExamined; examined += pageSize) {
    const found = await generation.find({
      collection: name,
      index: keeps.index,
      from: '',
      to,
      limit: pageSize,
      ...(after && { after }),
    })
    const writes = found.flatMap(({ id, position: expectedPosition }) => {
      const shard = part ? shardOf(`${name}/${id}`, part.of) : 0
      if (part && !part.fences.has(shard)) return []
      return [{ collection: name, id, shard, expectedPosition, position: place.position, body: undefined }]
    })
    // What is not there any more as it was found has gone on, and may not have ended: the next sweep looks again.
    if (writes.length > 0) removed += writes.length - (await generation.write(writes, place)).length
    after = found.at(-1)?.key
    if (found.length < pageSize) break
  }
  return removed
}
