import type { Db } from 'mongodb'
import type { Snapshot } from '../../engine/read-store.ts'
import { guarded, isDuplicateKey } from './connection.ts'

interface StoredSnapshot {
  readonly _id: string
  readonly logId: string
  readonly stateVersion: number
  readonly revision: number
  readonly position: number
  /** JSON. */
  readonly state: string
}

export interface Snapshots {
  load(stream: string): Promise<Snapshot | undefined>
  save(snapshot: Snapshot): Promise<void>
}

export const snapshotCollection = 'snapshots'
/** MongoDB takes 16 MiB, with all around it. */
const maxStateBytes = 15_000_000

/**
 * Snapshots of streams. None is precious: one that can't be kept or read is made again from the events.
 * @param onError told of those
 */
export function snapshotsIn(database: Db, onError: (error: unknown) => void): Snapshots {
  // One that is lost with a primary was not needed.
  const snapshots = database.collection<StoredSnapshot>(snapshotCollection, { writeConcern: { w: 1 } })

  return {
    load: (stream) =>
      guarded(async () => {
        const found = await snapshots.findOne({ _id: stream })
        if (found === null) return undefined
        const { logId, stateVersion, revision, position, state } = found
        try {
          return { stream, logId, stateVersion, revision, position, state: JSON.parse(state) }
        } catch (error) {
          onError(error)
          return undefined
        }
      }),

    save: ({ stream, state, ...snapshot }) =>
      guarded(async () => {
        const json = JSON.stringify(state)
        const bytes = Buffer.byteLength(json)
        if (bytes > maxStateBytes) {
          onError(new RangeError(`The state of ${stream} has ${bytes} bytes, and snapshots at most ${maxStateBytes}`))
          return
        }
        const { logId, revision } = snapshot
        const isOlder = { $or: [{ logId: { $ne: logId } }, { revision: { $lte: revision } }] }
        try {
          await snapshots.replaceOne({ _id: stream, ...isOlder }, { ...snapshot, state: json }, { upsert: true })
        } catch (error) {
          // There is a newer one.
          if (!isDuplicateKey(error)) throw error
        }
      }),
  }
}
