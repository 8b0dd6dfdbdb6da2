import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { CorruptLogError, NewerVersionError, UnavailableError } from '../../engine/errors.ts'
import { deleteDatabase, isCorrupt, isSqliteError, number, openDatabase } from './database.ts'

/** The file of the log: its tables, how it is made, and what is said when it fails. */

/**
 * Positions have no gaps, so that a missing row is noticed. There is no index by event id: what is appended twice is
 * found by its stream and revision.
 */
const layouts: readonly string[] = [
  `CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), log_id TEXT NOT NULL) STRICT;
   CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE events (
     position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL,
     id TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, checksum INTEGER NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);
   CREATE TABLE checkpoints (
     name TEXT PRIMARY KEY, log_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL
   ) STRICT`,
]

/** The newest layout of a log that this version knows. */
export const logLayout = layouts.length

/**
 * Makes the log if there is none, and brings an older layout to the present one. Call it before anything else in the
 * process has the file open.
 * @throws CorruptLogError for a file that is damaged, or no log
 * @throws NewerVersionError for a layout that this version does not know
 */
export function prepareLog(file: string): void {
  try {
    if (!existsSync(file)) makeLog(file)
    // SQLite would take an empty file for a new one, and delete its write-ahead log.
    if (statSync(file).size === 0) throw corruptLog(file, 'the file is empty')
    const database = openDatabase({ file, layouts, synchronous: 'full', exists: true })
    // After a crash the write-ahead log may hold what has not reached the disk yet: nobody may read that before it has.
    database.exec('PRAGMA wal_checkpoint')
    database.close()
  } catch (error) {
    throw logError(file, error)
  }
}

/** A crash leaves no half-made log: it is made under another name. */
function makeLog(file: string): void {
  if (existsSync(`${file}-wal`)) throw corruptLog(file, `the file is missing, though ${file}-wal is there`)
  const making = `${file}.new`
  deleteDatabase(making)
  const database = openDatabase({ file: making, layouts, synchronous: 'full' })
  database.prepare('INSERT INTO meta (one, log_id) VALUES (1, ?)').run(randomUUID())
  database.close()
  renameSync(making, file)
  syncDirectory(dirname(file))
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** @throws NewerVersionError, CorruptLogError unless the file has the present layout */
export function checkLayout(file: string, database: DatabaseSync): void {
  const version = number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (version > layouts.length) {
    throw new NewerVersionError(
      `${file} has layout ${version}; this version of Daybook knows ${layouts.length}. Use the version that wrote it, or a newer one.`,
    )
  }
  if (version < layouts.length) throw corruptLog(file, `it has layout ${version}, not ${layouts.length}`)
}

/** The checksum of an event: everything that is stored of it counts. */
export function checksum(
  position: number,
  stream: string,
  revision: number,
  id: string,
  type: string,
  data: string,
  metadata: string,
): number {
  return crc32(`${position}\n${stream}\n${revision}\n${id}\n${type}\n${data}\n${metadata}`)
}

/** Says that a log is damaged, where, and what to do. */
export function corruptLog(file: string, damage: string, cause?: unknown): CorruptLogError {
  return new CorruptLogError(
    `The event log ${file} is damaged: ${damage}. Restore it from a backup: stop Daybook, put the backup in the place of ${file}, delete ${file}-wal and ${file}-shm, and start again. What follows from the log is made anew by itself.`,
    { cause },
  )
}

/** Says in the port's words what SQLite could not do; other errors stay as they are. */
export function logError(file: string, error: unknown): unknown {
  if (isCorrupt(error)) return corruptLog(file, error instanceof Error ? error.message : String(error), error)
  if (!isSqliteError(error)) return error
  return new UnavailableError('log-unavailable', 'The event log does not answer now. Try again.', 1, { cause: error })
}
