import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CorruptDatabaseError, isCorrupt, isSqliteError } from './adapters/sqlite/database.ts'
import { lockDirectory } from './adapters/sqlite/directory-lock.ts'
import { openSqliteEventStore } from './adapters/sqlite/event-store.ts'
import { openSqliteJobQueue } from './adapters/sqlite/job-queue.ts'
import { openSqliteKeyVault } from './adapters/sqlite/key-vault.ts'
import { openSqliteReadStore } from './adapters/sqlite/read-store.ts'
import type { Clock } from './engine/clock.ts'
import type { Ports } from './engine/engine.ts'
import { CorruptLogError, UnavailableError } from './engine/errors.ts'
import type { KeyVault } from './engine/key-vault.ts'

export interface Storage extends Ports {
  close(): Promise<void>
}

/** The files of a data directory. */
export function filesOf(directory: string) {
  return {
    lock: join(directory, 'lock.db'),
    log: join(directory, 'log.db'),
    vault: join(directory, 'vault.db'),
    jobs: join(directory, 'jobs.db'),
    readModels: join(directory, 'read'),
    server: join(directory, 'server.json'),
  }
}

/** Makes a directory with those that it is in. Node's own way does not return where the system lets nobody make one. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  if (dirname(directory) !== directory) makeDirectory(dirname(directory))
  mkdirSync(directory, { mode: 0o700 })
}

/** Says which directory could not be opened for the system's sake, and what to do; other errors stay as they are. */
export function openingError(directory: string, error: unknown): unknown {
  const cause = error instanceof UnavailableError ? error.cause : error
  const isOfTheSystem = isSqliteError(cause) || (cause instanceof Error && 'syscall' in cause && 'path' in cause)
  if (!isOfTheSystem) return error
  return new Error(
    `The data directory ${directory} can't be opened: ${cause.message}. Make room on its disk, and see to it that this user may write there; or choose another DAYBOOK_DATA_DIR.`,
    { cause: error },
  )
}

function openVault(file: string): KeyVault {
  try {
    return openSqliteKeyVault({ file })
  } catch (error) {
    if (!isCorrupt(error)) throw error
    throw new CorruptDatabaseError(
      `${file} is damaged. It has the keys of all personal data: restore it from a backup.`,
      { cause: error },
    )
  }
}

/**
 * Opens the embedded storage for this process alone.
 * @param directory made if it is not there
 * @throws DirectoryInUseError when another process has it open
 * @throws CorruptLogError, CorruptDatabaseError, NewerVersionError as the adapters
 */
export async function openStorage(
  directory: string,
  clock: Clock,
  onError: (error: unknown) => void,
): Promise<Storage> {
  makeDirectory(directory)
  const files = filesOf(directory)
  if (existsSync(files.vault) && !existsSync(files.log)) {
    throw new CorruptLogError(
      `${files.log} is missing, though its keys are there. Restore it from a backup, or take another DAYBOOK_DATA_DIR for a new shop.`,
    )
  }
  const lock = lockDirectory(files.lock)
  const opened = new AsyncDisposableStack()
  opened.defer(lock.release)
  const close = () => opened.disposeAsync()
  const keep = <P extends { close(): Promise<void> }>(port: P): P => opened.adopt(port, (each) => each.close())
  try {
    const store = keep(await openSqliteEventStore({ file: files.log }))
    if (!existsSync(files.vault) && (await store.head()).position > 0) {
      throw new CorruptDatabaseError(
        `${files.vault} is missing, though there is a log. It has the keys of all personal data: restore it from a backup.`,
      )
    }
    const vault = keep(openVault(files.vault))
    const readStore = keep(openSqliteReadStore({ directory: files.readModels, onError }))
    const queue = keep(openSqliteJobQueue({ file: files.jobs, clock, onError }))
    return { store, vault, readStore, queue, clock, close }
  } catch (error) {
    await close()
    throw error
  }
}
