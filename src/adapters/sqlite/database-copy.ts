import { closeSync, openSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { CorruptDatabaseError, number } from './database.ts'

/** Copies of databases that others write meanwhile. */

/** About a mebibyte; between two steps the copy can be slowed down, and stopped. */
const pagesOfStep = 256
const busyTimeoutMs = 10_000

export interface CopyProgress {
  readonly bytes: number
  readonly totalBytes: number
}

/**
 * Copies a database as it is at one moment, however long it takes: by a read transaction of its own, which keeps no writer
 * waiting. Until it is done, the write-ahead log can't begin anew. The copy is one file, which needs no write-ahead log to be
 * read. It is on the disk when this resolves.
 * @param target where there is nothing yet; readable for its owner alone
 * @param onStep told after each mebibyte; what it throws stops the copy, and this rejects with it
 */
export async function copyDatabase(
  file: string,
  target: string,
  onStep: (progress: CopyProgress) => void,
): Promise<void> {
  closeSync(openSync(target, 'wx', 0o600))
  const source = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
  try {
    source.exec('BEGIN')
    const pageBytes = number(source.prepare('PRAGMA page_size').get()?.page_size)
    // The first read fixes the moment.
    source.prepare('SELECT count(*) FROM sqlite_schema').get()
    await backup(source, target, {
      rate: pagesOfStep,
      progress({ totalPages, remainingPages }) {
        onStep({ bytes: (totalPages - remainingPages) * pageBytes, totalBytes: totalPages * pageBytes })
      },
    })
  } finally {
    source.close()
  }
  intoOneFile(target)
}

/** Brings all that a database has into its one file, which then can be renamed: a write-ahead log does not go along. */
export function intoOneFile(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = DELETE')
  } finally {
    database.close()
  }
}

/**
 * Reads all of a database that nobody writes, without changing it.
 * @returns the version of its layout
 * @throws CorruptDatabaseError when it is damaged
 */
export function checkCopy(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const result = database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check
    if (result !== 'ok') throw new CorruptDatabaseError(`${file} is damaged: ${String(result)}`)
    return number(database.prepare('PRAGMA user_version').get()?.user_version)
  } finally {
    database.close()
  }
}
