import { closeSync, openSync, readSync } from 'node:fs'

/** What SQLite's threads tell each other of a checkpoint of the write-ahead log, in the file `-shm` that they map. */

// https://www.sqlite.org/walformat.html: WalCkptInfo, behind two copies of the header.
const backfilledAt = 96
const attemptedAt = 128
const sizeBytes = 136

/**
 * Whether a checkpoint of a database is under way, or was when its process died: more frames were to be copied into
 * the database than are known to have been.
 * @param database path of the database
 */
export function isInCheckpoint(database: string): boolean {
  const index = Buffer.alloc(sizeBytes)
  try {
    const file = openSync(`${database}-shm`, 'r')
    try {
      if (readSync(file, index, 0, sizeBytes, 0) < sizeBytes) return false
    } finally {
      closeSync(file)
    }
  } catch {
    return false // nobody has it open
  }
  // The machine's own order of bytes, which is little-endian wherever Node runs.
  return index.readUInt32LE(attemptedAt) > index.readUInt32LE(backfilledAt)
}
