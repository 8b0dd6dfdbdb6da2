import { type Db, ObjectId } from 'mongodb'
import type { GenerationInfo, ProjectionSpec } from '../../engine/read-store.ts'
import { isDuplicateKey } from './connection.ts'

/** What is known of a generation. */
interface Entry {
  readonly version: number
  readonly shards: number
  readonly fingerprint: string
  /** Unix time in milliseconds, by the clock of who made it. */
  readonly madeAt: number
  /** False while its collections are made. */
  readonly isReady: boolean
  /** It has been the live one. */
  readonly hasServed?: true
}

/** One document for each projection, so that a swap is one write. */
interface StoredPointer {
  readonly _id: string
  readonly live?: string
  readonly generations?: Readonly<Record<string, Entry>>
}

/** A generation that is there, or is being made. */
export interface Pointer extends Omit<Entry, 'hasServed'>, GenerationInfo {}

export interface Pointers {
  /** The oldest first. */
  all(): Promise<readonly Pointer[]>
  get(id: string): Promise<Pointer | undefined>
  /** Makes one that is not ready. @returns its id */
  add(spec: ProjectionSpec, shards: number, fingerprint: string): Promise<string>
  /** Says that its collections are made. @returns false if it was removed meanwhile */
  setReady(id: string): Promise<boolean>
  /** Makes it the live one of its projection. @returns false if there is no such generation */
  makeLive(id: string): Promise<boolean>
  /** Removes it, if it is there. @returns false if it is the live one */
  remove(id: string): Promise<boolean>
}

/** Name of their collection. */
export const pointerCollection = 'generations'

const projectionName = /^[a-z0-9-]+$/
const generationId = /^(?<projection>[a-z0-9-]+)-\d+-[0-9a-f]{24}$/
const collectionOfGeneration = /^(?<id>[a-z0-9-]+-\d+-[0-9a-f]{24})\./

/** The projection that a generation is of, as its id says; undefined for what is no id of one. */
function projectionOf(id: string): string | undefined {
  return generationId.exec(id)?.groups?.projection
}

/** The generation that a collection belongs to; undefined for those of others. */
export function generationOfCollection(collection: string): string | undefined {
  return collectionOfGeneration.exec(collection)?.groups?.id
}

/** Which generations there are, and which of them are live. */
export function pointersIn(database: Db): Pointers {
  const pointers = database.collection<StoredPointer>(pointerCollection)

  /** Changes the entry of a generation. @returns false if there is none */
  async function update(id: string, filter: object, change: object): Promise<boolean> {
    const projection = projectionOf(id)
    if (projection === undefined) return false
    const { matchedCount } = await pointers.updateOne({ _id: projection, ...filter }, change)
    return matchedCount > 0
  }

  return {
    async all() {
      const found = await pointers.find().toArray()
      return found.flatMap(pointersOf).sort((one, other) => one.madeAt - other.madeAt || (one.id < other.id ? -1 : 1))
    },

    async get(id) {
      const found = await pointers.findOne({ _id: projectionOf(id) ?? '' })
      return found === null ? undefined : pointersOf(found).find((each) => each.id === id)
    },

    async add({ name, version }, shards, fingerprint) {
      if (!projectionName.test(name)) throw new RangeError(`${name} is no name for collections`)
      const id = `${name}-${version}-${new ObjectId().toHexString()}`
      const entry: Entry = { version, shards, fingerprint, madeAt: Date.now(), isReady: false }
      const set = () => pointers.updateOne({ _id: name }, { $set: { [`generations.${id}`]: entry } }, { upsert: true })
      try {
        await set()
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
        await set() // another has made the projection's document at this moment
      }
      return id
    },

    setReady: (id) => {
      const there = { [`generations.${id}`]: { $exists: true } }
      return update(id, there, { $set: { [`generations.${id}.isReady`]: true } })
    },

    makeLive: (id) => {
      const ready = { [`generations.${id}.isReady`]: true }
      return update(id, ready, { $set: { live: id, [`generations.${id}.hasServed`]: true } })
    },

    async remove(id) {
      await update(id, { live: { $ne: id } }, { $unset: { [`generations.${id}`]: '' } })
      return (await pointers.findOne({ live: id })) === null
    },
  }
}

function pointersOf({ _id: projection, live, generations = {} }: StoredPointer): readonly Pointer[] {
  return Object.entries(generations).map(([id, { hasServed, ...entry }]) => {
    const state = id === live ? 'live' : hasServed ? 'retired' : 'building'
    return { ...entry, id, projection, state }
  })
}
