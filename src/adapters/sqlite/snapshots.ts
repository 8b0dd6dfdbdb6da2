import type { SQLOutputValue } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { Snapshot } from '../../engine/read-store.ts'
import { CorruptDatabaseError, isCorrupt, number, openReplaceable, preparedStatements, text } from './database.ts'

/** The snapshots of long streams, in a file of their own: when it is lost, no read model is. */

export interface Snapshots {
  load(stream: string): Snapshot | undefined
  save(snapshot: Snapshot): void
  close(): void
}

const layout = `CREATE TABLE snapshot (
  stream TEXT PRIMARY KEY, log_id TEXT NOT NULL, state_version INTEGER NOT NULL, revision INTEGER NOT NULL,
  position INTEGER NOT NULL, state TEXT NOT NULL, checksum INTEGER NOT NULL
) STRICT`
const select = 'SELECT * FROM snapshot WHERE stream = ?'
const upsert = `INSERT INTO snapshot (stream, log_id, state_version, revision, position, state, checksum)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET log_id = excluded.log_id, state_version = excluded.state_version, revision = excluded.revision,
    position = excluded.position, state = excluded.state, checksum = excluded.checksum
  WHERE log_id <> excluded.log_id OR revision <= excluded.revision`

/**
 * Opens the file of the snapshots, and makes it if there is none or a damaged one.
 * @throws NewerVersionError for a file of a newer version
 */
export function openSnapshots(file: string, onCorrupt: (error: unknown) => void): Snapshots {
  const database = openReplaceable({ file, layouts: [layout], synchronous: 'normal' }, onCorrupt)
  const prepared = preparedStatements(database)

  /** A snapshot that cannot be read or kept is one that was never made. */
  function unlessCorrupt<Result>(run: () => Result): Result | undefined {
    try {
      return run()
    } catch (error) {
      if (!isCorrupt(error)) throw error
      onCorrupt(error)
      return undefined
    }
  }

  return {
    load: (stream) => unlessCorrupt(() => snapshotOf(stream, prepared(select).get(stream))),

    save({ state, ...snapshot }) {
      const json = JSON.stringify(state)
      const { stream, logId, stateVersion, revision, position } = snapshot
      const sum = checksum(snapshot, json)
      unlessCorrupt(() => prepared(upsert).run(stream, logId, stateVersion, revision, position, json, sum))
    },

    close() {
      if (database.isOpen) database.close()
    },
  }
}

function snapshotOf(stream: string, row: Record<string, SQLOutputValue> | undefined): Snapshot | undefined {
  if (row === undefined) return undefined
  const snapshot = {
    stream,
    logId: text(row.log_id),
    stateVersion: number(row.state_version),
    revision: number(row.revision),
    position: number(row.position),
  }
  const json = text(row.state)
  // Decisions rest on it, so that a flipped bit must not pass.
  if (checksum(snapshot, json) !== row.checksum) throw new CorruptDatabaseError(`The snapshot of ${stream} is damaged`)
  return { ...snapshot, state: JSON.parse(json) }
}

function checksum(snapshot: Omit<Snapshot, 'state'>, json: string): number {
  const { stream, logId, stateVersion, revision, position } = snapshot
  return crc32(json, crc32(JSON.stringify([stream, logId, stateVersion, revision, position])))
}
