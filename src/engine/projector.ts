import { UnavailableError } from './errors.ts'
import type { Checkpoint } from './event-store.ts'
import type { Recorded } from './events.ts'
import type { Change, Collection, Projection } from './projection.ts'
import type { Document, DocumentKey, DocumentWrite, Generation, StoredDocument } from './read-store.ts'
import { type Part, shardOf } from './shards.ts'

/** An event that a projection fails on. It stops that projection alone, until it is mended or an operator skips the event. */
export class PoisonEventError extends Error {
  override readonly name = 'PoisonEventError'
  readonly event: Recorded
  constructor(projection: string, event: Recorded, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(
      `Projection ${projection} fails on event ${event.id} (${event.type}) at position ${event.position}: ${reason}`,
      { cause },
    )
    this.event = event
  }
}

interface Step {
  readonly event: Recorded
  readonly change: Change
}

/** A document and all that a batch does to it. */
interface Touched {
  readonly key: DocumentKey
  readonly shard: number
  readonly steps: Step[]
}

const maxRounds = 20

/**
 * Folds a batch of events into a generation: reads the documents that it touches in one read, folds in memory, writes
 * them in one write and the checkpoint after them. Exactly once in effect: documents skip what they have seen.
 * @param events upcast, in log order; those at or before a document's position are skipped by that document
 * @param checkpoint how far the generation has come with this batch
 * @param part the hash shards of documents that are folded, all if absent; what is computed from a document is in its shard
 * @throws PoisonEventError when the projection fails on an event; everything before that event has then been written
 * @throws FencedError as the generation's `write`
 */
export async function project(
  definition: Projection,
  generation: Generation,
  events: readonly Recorded[],
  checkpoint: Checkpoint,
  part?: Part,
): Promise<void> {
  const touched = new Map<string, Touched>()
  let poison: PoisonEventError | undefined
  for (const event of events) {
    try {
      for (const change of definition.route(event)) {
        const name = `${change.collection}/${change.id}`
        const known = touched.get(name)
        const shard = known?.shard ?? (part ? shardOf(name, part.of) : 0)
        if (part && !part.fences.has(shard)) continue
        if (known) known.steps.push({ event, change })
        else {
          const key = { collection: change.collection, id: change.id }
          touched.set(name, { key, shard, steps: [{ event, change }] })
        }
      }
    } catch (error) {
      poison = new PoisonEventError(definition.name, event, error)
      break
    }
  }
  try {
    await writeAll(definition, generation, [...touched.values()], poison ? undefined : checkpoint)
  } catch (error) {
    // What an index can't hold is the fault of an event too: one by one they show which.
    if (error instanceof TypeError)
      return await projectOneByOne(definition, generation, events, checkpoint, part, error)
    if (!(error instanceof PoisonEventError)) throw error
    const before = events.slice(0, events.indexOf(error.event))
    const last = before.at(-1)
    if (last)
      await project(definition, generation, before, { ...checkpoint, position: last.position, eventId: last.id }, part)
    throw error
  }
  if (poison) {
    const last = events[events.indexOf(poison.event) - 1]
    if (last) await generation.write([], { ...checkpoint, position: last.position, eventId: last.id })
    throw poison
  }
}

async function projectOneByOne(
  definition: Projection,
  generation: Generation,
  events: readonly Recorded[],
  checkpoint: Checkpoint,
  part: Part | undefined,
  error: TypeError,
): Promise<void> {
  const [first, ...others] = events
  if (first === undefined) throw error
  if (others.length === 0) throw new PoisonEventError(definition.name, first, error)
  for (const event of events) {
    const place = { ...checkpoint, position: event.position, eventId: event.id }
    await project(definition, generation, [event], place, part)
  }
  await generation.write([], checkpoint)
}

/** Writes what the batch makes of the documents; those that somebody else wrote meanwhile are read again and folded on. */
async function writeAll(
  definition: Projection,
  generation: Generation,
  touched: readonly Touched[],
  checkpoint: Checkpoint | undefined,
): Promise<void> {
  let left = touched
  for (let round = 0; round < maxRounds; round++) {
    const stored = await generation.read(left.map(({ key }) => key))
    const writes = left.flatMap((each, index) => foldDocument(definition, each, stored[index]))
    const writtenBefore = round === 0 ? [] : left.flatMap((each, index) => asWritten(each, stored[index]))
    const derived = await derivedWrites(definition, generation, [...writes, ...writtenBefore], round === 0)
    const final = checkpoint ?? (await generation.checkpoint())
    const all = [...derived, ...writes.map(({ write }) => write)]
    if (all.length === 0 && checkpoint === undefined) return
    if (final === undefined) return
    const missed = await generation.write(all, final)
    if (missed.length === 0) return
    const names = new Set(missed.map(({ collection, id }) => `${collection}/${id}`))
    const sources = new Map(derived.map((write) => [`${write.collection}/${write.id}`, write.source]))
    const again = new Set([...names].map((name) => sources.get(name) ?? name))
    left = touched.filter(({ key }) => again.has(`${key.collection}/${key.id}`))
  }
  throw new UnavailableError('contention', `Another writer keeps changing the documents of ${definition.name}.`)
}

interface Folded {
  readonly write: DocumentWrite
  /** There was nothing before, not even a tombstone. */
  readonly isNew: boolean
  readonly before: Document | undefined
  /** The last event that it has seen. */
  readonly event: Recorded
}

function foldDocument(
  definition: Projection,
  { key, shard, steps }: Touched,
  stored: StoredDocument | undefined,
): Folded[] {
  const before = stored?.body
  let body = before
  let last: Recorded | undefined
  for (const { event, change } of steps) {
    // Several changes of one event may touch one document; only events that it had seen when it was read are skipped.
    if (stored !== undefined && event.position <= stored.position) continue
    try {
      body = change.evolve(body)
    } catch (error) {
      throw new PoisonEventError(definition.name, event, error)
    }
    last = event
  }
  if (body === before || last === undefined) return []
  const { position } = last
  const write = { ...key, shard, expectedPosition: stored?.position, position, body }
  return [{ write, isNew: stored === undefined, before, event: last }]
}

/** A document that an earlier round has written, whose entries may have missed. */
function asWritten({ key, shard, steps }: Touched, stored: StoredDocument | undefined): Folded[] {
  const event = steps.at(-1)?.event
  if (stored === undefined || event === undefined || stored.position < event.position) return []
  const { position, body } = stored
  return [
    { write: { ...key, shard, expectedPosition: position, position, body }, isNew: false, before: undefined, event },
  ]
}

interface DerivedWrite extends DocumentWrite {
  /** The document that the entry is computed from. */
  readonly source: string
}

/**
 * The writes that bring computed collections in line with the documents they are computed from.
 * @param trustsNew takes it that what is new has no entries, without a look: if it has, the write misses them
 */
async function derivedWrites(
  definition: Projection,
  generation: Generation,
  folded: readonly Folded[],
  trustsNew: boolean,
): Promise<readonly DerivedWrite[]> {
  const entriesFor = (some: readonly Folded[]) =>
    definition.collections.flatMap((target) => some.flatMap((each) => entriesOf(definition, target, each)))
  const isTrusted = ({ isNew }: Folded) => trustsNew && isNew
  const added = entriesFor(folded.filter(isTrusted))
  const wanted = entriesFor(folded.filter((each) => !isTrusted(each)))
  if (wanted.length === 0) return added
  const stored = await generation.read(wanted)
  const changed = wanted.flatMap((write, index) => {
    const known = stored[index]
    if (known !== undefined && known.position >= write.position) return []
    if (known?.body === undefined && write.body === undefined) return []
    return [{ ...write, expectedPosition: known?.position }]
  })
  return [...added, ...changed]
}

function entriesOf(definition: Projection, target: Collection, folded: Folded): readonly DerivedWrite[] {
  try {
    return entryChanges(target, folded)
  } catch (error) {
    throw new PoisonEventError(definition.name, folded.event, error)
  }
}

const noEntries: ReadonlyMap<string, Document> = new Map()

function entryChanges(target: Collection, { write, before }: Pick<Folded, 'write' | 'before'>): DerivedWrite[] {
  const { derived } = target
  if (derived === undefined || derived.from !== write.collection) return []
  const old = before ? derived.entries(write.id, before) : noEntries
  const next = write.body ? derived.entries(write.id, write.body) : noEntries
  const entry = (id: string, body: Document | undefined): DerivedWrite => ({
    collection: target.name,
    id,
    expectedPosition: undefined,
    position: write.position,
    body,
    ...(write.shard !== undefined && { shard: write.shard }),
    source: `${write.collection}/${write.id}`,
  })
  const gone = [...old.keys()].filter((id) => !next.has(id)).map((id) => entry(id, undefined))
  const changed = [...next].filter(([id, body]) => JSON.stringify(body) !== JSON.stringify(old.get(id)))
  return [...gone, ...changed.map(([id, body]) => entry(id, body))]
}
