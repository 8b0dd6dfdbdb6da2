import { DatabaseSync } from 'node:sqlite'
import { isSqliteError } from './database.ts'

class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
}

const busy = 5

/**
 * Takes a lock that the operating system lets go of when the process ends, however it ends: an exclusive transaction on
 * a file of its own.
 * @throws DirectoryInUseError when another process has it
 */
export function lockDirectory(file: string): { release(): void } {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isSqliteError(error) && error.errcode % 256 === busy) {
      throw new DirectoryInUseError(
        'Another Daybook is running on this data directory. Stop it, or choose another DAYBOOK_DATA_DIR.',
      )
    }
    throw error
  }
  return { release: () => database.close() }
}
