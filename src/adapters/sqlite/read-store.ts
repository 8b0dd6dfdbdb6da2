import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { generationFingerprint } from '../../engine/generation-fingerprint.ts'
import type { Generation, GenerationInfo, ProjectionSpec, ReadStore } from '../../engine/read-store.ts'
import { checkpointer } from './checkpointer.ts'
import {
  CorruptDatabaseError,
  deleteDatabase,
  inTransaction,
  isCorrupt,
  number,
  openReplaceable,
  preparedStatements,
  text,
} from './database.ts'
import { documentCache } from './document-cache.ts'
import { generationLayout, openGenerationFile } from './generation.ts'
import { openSnapshots } from './snapshots.ts'

export interface SqliteReadStoreOptions {
  readonly directory: string
  /** How much of what was read is kept in memory, in characters of JSON, which take about three bytes each; by default 8 million. */
  readonly cachedCharacters?: number
  /** False where waiting for the disk keeps nobody waiting, as in a thread that builds: it puts write-ahead logs away itself. */
  readonly checkpointsElsewhere?: boolean
  /** Told of damage that was found; what is damaged is made again. */
  readonly onError?: (error: unknown) => void
}

const layout = `CREATE TABLE generation (
  id TEXT PRIMARY KEY, projection TEXT NOT NULL, version INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired')), fingerprint TEXT NOT NULL
) STRICT`
const list = 'SELECT id, projection, version, state FROM generation ORDER BY rowid'
const select = 'SELECT projection, state, fingerprint FROM generation WHERE id = ?'
const insert = "INSERT INTO generation (id, projection, version, state, fingerprint) VALUES (?, ?, ?, 'building', ?)"
const retire = "UPDATE generation SET state = 'retired' WHERE projection = ? AND state = 'live' AND id <> ?"
const enliven = "UPDATE generation SET state = 'live' WHERE id = ?"
const remove = 'DELETE FROM generation WHERE id = ?'

const pointerFile = 'generations.db'
const snapshotFile = 'snapshots.db'
const projectionName = /^[a-z0-9-]+$/
const generationFile = /^(?<id>[a-z0-9-]+-\d+-[0-9a-f]{12})\.db/

/**
 * Opens the read models in a directory: a file for each generation, one that says which they are, and one of snapshots.
 * Nothing there is precious. What is damaged or missing counts as not there, and is made again from the log.
 * @throws NewerVersionError for files of a newer version
 */
export function openSqliteReadStore(options: SqliteReadStoreOptions): ReadStore {
  const { directory, cachedCharacters = 8_000_000, checkpointsElsewhere = true, onError = () => {} } = options
  const checkpoints = checkpointsElsewhere ? checkpointer() : undefined
  const cache = documentCache(cachedCharacters)
  const pointers = openReplaceable(
    { file: join(directory, pointerFile), layouts: [layout], synchronous: 'full' }, // a swap survives the power
    onError,
  )
  const snapshots = openSnapshots(join(directory, snapshotFile), onError)
  const prepared = preparedStatements(pointers)
  const opened = new Set<Generation>()
  const fileOf = (id: string) => join(directory, `${id}.db`)
  deleteOrphans()

  /** Deletes files without a pointer and pointers without a file, both left by a crash. */
  function deleteOrphans(): void {
    inTransaction(pointers, () => {
      const known = new Set(infos().map(({ id }) => id))
      for (const name of readdirSync(directory)) {
        const id = generationFile.exec(name)?.groups?.id
        if (id !== undefined && !known.has(id)) deleteDatabase(fileOf(id))
      }
      for (const id of known) if (!existsSync(fileOf(id))) prepared(remove).run(id)
    })
  }

  function infos(): GenerationInfo[] {
    return prepared(list)
      .all()
      .map((row) => ({
        id: text(row.id),
        projection: text(row.projection),
        version: number(row.version),
        state: stateOf(text(row.state)),
        shards: 1,
      }))
  }

  function open(id: string, spec: ProjectionSpec, exists: boolean): Generation {
    const generation = openGenerationFile({
      file: fileOf(id),
      id,
      spec,
      exists,
      cache,
      checkpoints,
      onCorrupt(error) {
        onError(error)
        prepared(remove).run(id) // so that it is built anew
      },
      onClose: (closed) => opened.delete(closed),
    })
    opened.add(generation)
    return generation
  }

  async function createGenerationToFill(spec: ProjectionSpec, shards = 1): Promise<Generation> {
    if (shards !== 1) throw new RangeError('A generation in files belongs to one process and has one shard')
    if (!projectionName.test(spec.name)) throw new RangeError(`${spec.name} is no name for a file`)
    const id = `${spec.name}-${spec.version}-${randomBytes(6).toString('hex')}`
    // The pointer appears with the file, so that nobody takes the file for an orphan.
    return inTransaction(pointers, () => {
      prepared(insert).run(id, spec.name, spec.version, generationFingerprint(spec, generationLayout))
      return open(id, spec, false)
    })
  }

  return {
    async generations() {
      return infos().filter(({ id }) => existsSync(fileOf(id)))
    },

    async createGeneration(spec, shards) {
      const generation = await createGenerationToFill(spec, shards)
      await generation.makeIndexes()
      return generation
    },

    createGenerationToFill,

    async openGeneration(id, spec) {
      if (
        prepared(select).get(id)?.fingerprint !== generationFingerprint(spec, generationLayout) ||
        !existsSync(fileOf(id))
      )
        return undefined
      try {
        return open(id, spec, true)
      } catch (error) {
        if (!isCorrupt(error)) throw error
        onError(error)
        prepared(remove).run(id)
        return undefined
      }
    },

    async makeLive(id) {
      inTransaction(pointers, () => {
        const row = prepared(select).get(id)
        if (row === undefined) throw new RangeError(`There is no generation ${id}`)
        prepared(retire).run(text(row.projection), id)
        prepared(enliven).run(id)
      })
    },

    async dropGeneration(id) {
      inTransaction(pointers, () => {
        if (prepared(select).get(id)?.state === 'live') throw new RangeError(`Generation ${id} is live`)
        prepared(remove).run(id)
      })
      for (const generation of opened) if (generation.id === id) await generation.close()
      deleteDatabase(fileOf(id))
    },

    async loadSnapshot(stream) {
      return snapshots.load(stream)
    },

    async saveSnapshot(snapshot) {
      snapshots.save(snapshot)
    },

    cacheStatus: cache.status,

    async close() {
      await checkpoints?.close()
      for (const generation of opened) await generation.close()
      snapshots.close()
      if (pointers.isOpen) pointers.close()
    },
  }
}

function stateOf(state: string): GenerationInfo['state'] {
  if (state === 'building' || state === 'live' || state === 'retired') return state
  throw new CorruptDatabaseError(`A generation is ${state}`)
}
