import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { NewerVersionError } from '../../engine/errors.ts'

/** How the SQLite adapters open a file, upgrade its layout, and read what it says. */

export interface DatabaseOptions {
  readonly file: string
  /** SQL that makes the first layout, then that of each upgrade. How many there are is the version of the layout. */
  readonly layouts: readonly string[]
  /** With `full` a commit is on the disk when it returns; with `normal` the latest ones may be lost with the power. */
  readonly synchronous: 'full' | 'normal'
  /** Overwrites what is deleted with zeros. */
  readonly secureDelete?: boolean
  /** An empty file is no database, then, but a damaged one. */
  readonly exists?: boolean
  /** How long a statement waits for another connection. */
  readonly busyTimeoutMs?: number
}

const defaultBusyTimeoutMs = 10_000
/** SQLITE_CORRUPT, SQLITE_NOTADB */
const corruptCodes = new Set([11, 26])

/**
 * Makes a file that only its owner can read; SQLite gives its further files the same mode. One that is there is not
 * touched: closing any descriptor of it would drop the locks that SQLite holds in this process (POSIX, fcntl).
 */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/**
 * Opens a database of ours, makes it if there is none (readable by its owner only), and upgrades an older layout in one transaction.
 * @throws NewerVersionError for a layout that this version does not know
 */
export function openDatabase(options: DatabaseOptions): DatabaseSync {
  mkdirSync(dirname(options.file), { recursive: true })
  makeFile(options.file)
  const database = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs ?? defaultBusyTimeoutMs })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`PRAGMA synchronous = ${options.synchronous}`)
    // Where the system can flush only to the drive's own memory (macOS), what must be kept asks for the drive's flush, too.
    if (options.synchronous === 'full') database.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    if (options.secureDelete === true) database.exec('PRAGMA secure_delete = ON')
    upgrade(database, options)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Opens a database that can be made again from elsewhere. One that is corrupt is set aside under another name,
 * in the place of the one set aside before it.
 * @param onCorrupt is told why a database was set aside
 * @throws NewerVersionError for a layout that this version does not know
 */
export function openReplaceable(options: DatabaseOptions, onCorrupt: (error: unknown) => void): DatabaseSync {
  try {
    const database = openDatabase(options)
    try {
      checkIntegrity(database)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (!isCorrupt(error)) throw error
    onCorrupt(error)
    deleteDatabase(`${options.file}.corrupt`)
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(options.file + suffix)) renameSync(options.file + suffix, `${options.file}.corrupt${suffix}`)
    }
    return openDatabase(options)
  }
}

/** Deletes a database with the files that SQLite keeps beside it; nothing happens where there is none. */
export function deleteDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

/** Runs a function in a write transaction, which an error rolls back. */
export function inTransaction<Result>(database: DatabaseSync, run: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  return orRollBack(database, () => {
    const result = run()
    database.exec('COMMIT')
    return result
  })
}

/**
 * Runs a function in the write transaction that is open, or in one that stays open until `commit`. An error undoes what
 * the function did; one of the disk can undo the whole transaction.
 */
export function inOpenTransaction<Result>(database: DatabaseSync, run: () => Result): Result {
  if (!database.isTransaction) database.exec('BEGIN IMMEDIATE')
  database.exec('SAVEPOINT step')
  try {
    const result = run()
    database.exec('RELEASE step')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK TO step; RELEASE step')
    throw error
  }
}

/** Commits the transaction that is open, if there is one; an error rolls it back. */
export function commit(database: DatabaseSync): void {
  if (database.isTransaction) orRollBack(database, () => database.exec('COMMIT'))
}

function orRollBack<Result>(database: DatabaseSync, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Prepares each statement once, for statements whose texts are few. */
export function preparedStatements(database: DatabaseSync): (sql: string) => StatementSync {
  const prepared = new Map<string, StatementSync>()
  return (sql) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
}

/** What a database holds is not what this code wrote. */
export class CorruptDatabaseError extends Error {
  override readonly name = 'CorruptDatabaseError'
}

/** Whether an error says that the file is damaged, or no database at all. */
export function isCorrupt(error: unknown): boolean {
  if (error instanceof CorruptDatabaseError) return true
  return isSqliteError(error) && corruptCodes.has(error.errcode & 0xff) // the low byte is the primary code
}

/** Whether SQLite threw this error. */
export function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** A column that holds text. @throws CorruptDatabaseError if it holds something else */
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value === 'string') return value
  throw new CorruptDatabaseError(`Text expected, found ${typeof value}`)
}

/** A column that holds a number. @throws CorruptDatabaseError if it holds something else */
export function number(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number') return value
  throw new CorruptDatabaseError(`A number expected, found ${typeof value}`)
}

/** A column that holds bytes. @throws CorruptDatabaseError if it holds something else */
export function bytes(value: SQLOutputValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw new CorruptDatabaseError(`Bytes expected, found ${typeof value}`)
}

function upgrade(database: DatabaseSync, { file, layouts, exists }: DatabaseOptions): void {
  const version = () => number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (version() === layouts.length) return
  inTransaction(database, () => {
    const from = version() // another thread may have upgraded it meanwhile
    if (from > layouts.length) {
      throw new NewerVersionError(
        `${file} has layout ${from}; this version of Daybook knows ${layouts.length}. Use the version that wrote it, or a newer one.`,
      )
    }
    if (exists === true && from === 0) throw new CorruptDatabaseError(`${file} is empty`)
    for (const layout of layouts.slice(from)) database.exec(layout)
    database.exec(`PRAGMA user_version = ${layouts.length}`)
  })
}

function checkIntegrity(database: DatabaseSync): void {
  const result = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (result !== 'ok') throw new CorruptDatabaseError(String(result))
}
