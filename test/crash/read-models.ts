import { cpSync } from 'node:fs'
import { expect } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { type Definitions, projectionsOf } from '../../src/engine/engine.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import type { EventRegistry } from '../../src/engine/events.ts'
import { type Projection, specOf } from '../../src/engine/projection.ts'
import { project } from '../../src/engine/projector.ts'
import type { Generation, ReadStore } from '../../src/engine/read-store.ts'
import { forReading } from '../../src/shop.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** A generation as a server left it, and what the log makes of its projection up to the same position. */
interface Pair {
  readonly projection: Projection
  readonly left: Generation
  readonly folded: Generation
  readonly upTo: number
  readonly isLive: boolean
}

export interface Compared {
  readonly generations: number
  readonly documents: number
  /** How far each live read model had come. */
  readonly positions: ReadonlyMap<string, number>
  /** The documents of the live read models, by read model, collection and id. */
  readonly contents: ReadonlyMap<string, unknown>
}

const everyDocument = 'every document'
const batchSize = 1_000
const mostDocuments = 10_000_000

/** Copies what a dead server has left, so that looking at it changes nothing for the next one. */
export function copyOf(directory: string): { readonly path: string; readonly remove: () => void } {
  const copy = temporaryDirectory()
  // What connections share is made anew by the first one; what a dead process has left of it means nothing.
  cpSync(directory, copy.path, { recursive: true, filter: (file) => !file.endsWith('-shm') })
  return copy
}

/**
 * Compares every document of every generation with a fold of the log from nothing, up to where the generation has come.
 * @param readStore what nobody writes meanwhile
 * @param definitions what the shop is made of, where that is not what it is now
 */
export async function compareReadModels(
  store: EventStore,
  readStore: ReadStore,
  { upcast }: EventRegistry,
  definitions: Definitions = forReading([]),
): Promise<Compared> {
  const memory = memoryReadStore()
  const projections = new Map(projectionsOf(definitions).map((projection) => [projection.name, projection]))
  const pairs: Pair[] = []
  const positions = new Map<string, number>()
  for (const { id, projection: name, state } of await readStore.generations()) {
    const projection = projections.get(name)
    const left = projection && (await readStore.openGeneration(id, specOf(projection)))
    if (!projection || !left) throw new Error(`The generation ${id} can't be opened`)
    const checkpoint = await left.checkpoint()
    const event = checkpoint && checkpoint.position > 0 ? await store.eventAt(checkpoint.position) : undefined
    if (event) expect(checkpoint, `checkpoint of ${id}`).toMatchObject({ logId: store.logId, eventId: event.id })
    const collections = projection.collections.map(({ name, indexes }) => ({
      name,
      indexes: { ...indexes, [everyDocument]: [] },
    }))
    const folded = await memory.createGeneration({ ...specOf(projection), collections })
    const upTo = checkpoint?.position ?? 0
    pairs.push({ projection, left, folded, upTo, isLive: state === 'live' })
    if (state === 'live') positions.set(name, upTo)
  }
  expect([...positions.keys()].toSorted()).toEqual([...projections.keys()].toSorted())

  for await (const { events, position, eventId } of store.readAll({ after: 0, batchSize })) {
    const upcasted = events.map(upcast)
    for (const { projection, folded, upTo } of pairs) {
      const matching = upcasted.filter((event) => event.position <= upTo && projection.types.has(event.type))
      await project(projection, folded, matching, { logId: store.logId, position, eventId })
    }
  }
  let documents = 0
  const contents = new Map<string, unknown>()
  for (const pair of pairs) documents += await compare(pair, contents)
  return { generations: pairs.length, documents, positions, contents }
}

async function compare({ projection, left, folded, isLive }: Pair, contents: Map<string, unknown>): Promise<number> {
  let documents = 0
  for (const { name: collection } of projection.collections) {
    const wanted = await folded.find({ collection, index: everyDocument, limit: mostDocuments })
    expect(await left.count(collection), `number of documents in ${left.id}/${collection}`).toBe(wanted.length)
    for (let first = 0; first < wanted.length; first += batchSize) {
      const some = wanted.slice(first, first + batchSize)
      const found = await left.read(some.map(({ id }) => ({ collection, id })))
      const bodies = (all: readonly ({ readonly id: string; readonly body: unknown } | undefined)[]) =>
        all.map((each) => each && [each.id, each.body])
      expect(bodies(found), `documents of ${left.id}/${collection}`).toEqual(bodies(some))
    }
    documents += wanted.length
    if (!isLive) continue
    for (const { id, body } of wanted) contents.set(`${projection.name} ${collection} ${id}`, body)
  }
  return documents
}
