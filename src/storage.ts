import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { WindowsClass } from './adapters/redis/rate-limit-windows.ts'
import { openSqliteCredentialStore } from './adapters/sqlite/credential-store.ts'
import { CorruptDatabaseError, isCorrupt, isSqliteError } from './adapters/sqlite/database.ts'
import { lockDirectory } from './adapters/sqlite/directory-lock.ts'
import { openSqliteEventStore } from './adapters/sqlite/event-store.ts'
import { openSqliteJobQueue } from './adapters/sqlite/job-queue.ts'
import { openSqliteKeyVault } from './adapters/sqlite/key-vault.ts'
import { openSqliteReadStore } from './adapters/sqlite/read-store.ts'
import type { Config } from './config.ts'
import type { Clock } from './engine/clock.ts'
import type { ClusterPorts } from './engine/cluster.ts'
import { accountsSecret, type CredentialStore } from './engine/credential-store.ts'
import type { Ports } from './engine/engine.ts'
import { CorruptLogError, UnavailableError } from './engine/errors.ts'
import type { EventStore } from './engine/event-store.ts'
import type { KeyVault } from './engine/key-vault.ts'
import { openDocumentServer, openJobServer, openLogServer, type ServerSettings } from './servers.ts'

export interface Storage extends Ports {
  readonly credentials: CredentialStore
  /** What processes share, where several may run. */
  readonly shared?: Pick<ClusterPorts, 'coordination' | 'signal'>
  /** Counts requests for all processes together; absent where there is one alone. */
  readonly rateLimitStore?: WindowsClass
  /** What about the servers' settings an operator should know. */
  readonly warnings: readonly string[]
  close(): Promise<void>
}

/** The files of a data directory. */
export function filesOf(directory: string) {
  return {
    lock: join(directory, 'lock.db'),
    log: join(directory, 'log.db'),
    vault: join(directory, 'vault.db'),
    credentials: join(directory, 'credentials.db'),
    jobs: join(directory, 'jobs.db'),
    readModels: join(directory, 'read'),
    server: join(directory, 'server.json'),
  }
}

export type DataFiles = ReturnType<typeof filesOf>

/** Makes a directory with those that it is in. Node's own way does not return where the system lets nobody make one. */
export function makeDirectory(directory: string): void {
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

/** Opens what nothing can replace. @throws CorruptDatabaseError that says what is lost with it */
function irreplaceable<Opened>(file: string, holds: string, open: (options: { file: string }) => Opened): Opened {
  try {
    return open({ file })
  } catch (error) {
    if (!isCorrupt(error)) throw error
    throw new CorruptDatabaseError(`${file} is damaged. It has ${holds}: restore it from a backup.`, { cause: error })
  }
}

/** The settings that say where everything is kept. */
export type StorageSettings = Pick<Config, 'DAYBOOK_DATA_DIR'> & Partial<ServerSettings>

/** Whether any part is kept in files, so that only this process may run. */
export function usesFiles({ EVENTSTOREDB_URL, MONGODB_URL, REDIS_URL }: StorageSettings): boolean {
  return EVENTSTOREDB_URL === undefined || MONGODB_URL === undefined || REDIS_URL === undefined
}

/**
 * Opens the log, the read models, the jobs and the keys: each on the server that the settings name for it, or in a file. With one
 * of them in files the directory belongs to this process alone.
 * @throws DirectoryInUseError when another process has the directory open
 * @throws CorruptLogError, CorruptDatabaseError, NewerVersionError as the adapters
 * @throws ServerUnreachableError when a server does not answer
 */
export async function openStorage(
  settings: StorageSettings,
  clock: Clock,
  onError: (error: unknown) => void,
): Promise<Storage> {
  const { EVENTSTOREDB_URL, MONGODB_URL, REDIS_URL, DAYBOOK_DATA_DIR: directory } = settings
  const files = filesOf(directory)
  const opened = new AsyncDisposableStack()
  const close = () => opened.disposeAsync()
  const keep = <P extends { close(): Promise<void> }>(port: P): P => opened.adopt(port, (each) => each.close())
  try {
    if (usesFiles(settings)) {
      makeDirectory(directory)
      if (EVENTSTOREDB_URL === undefined && MONGODB_URL === undefined) assertLogIsThere(files)
      const lock = lockDirectory(files.lock)
      opened.defer(lock.release)
    }
    const store = keep(
      EVENTSTOREDB_URL === undefined
        ? await openSqliteEventStore({ file: files.log })
        : await openLogServer(EVENTSTOREDB_URL, clock, onError),
    )
    const mongo = MONGODB_URL === undefined ? undefined : keep(await openDocumentServer(MONGODB_URL, settings, onError))
    if (mongo) await assertKeysAreThere(store, mongo.vault)
    if (!mongo && !existsSync(files.vault) && (await store.head()).position > 0) {
      throw new CorruptDatabaseError(
        `${files.vault} is missing, though there is a log. It has the keys of all personal data: restore it from a backup.`,
      )
    }
    const vault = mongo?.vault ?? keep(irreplaceable(files.vault, 'the keys of all personal data', openSqliteKeyVault))
    if (!mongo) await assertCredentialsAreThere(vault, files.credentials)
    const credentials =
      mongo?.credentials ?? keep(irreplaceable(files.credentials, "customers' accounts", openSqliteCredentialStore))
    const readStore = mongo?.readStore ?? keep(openSqliteReadStore({ directory: files.readModels, onError }))
    const redis = REDIS_URL === undefined ? undefined : keep(await openJobServer(REDIS_URL, settings, onError))
    const queue = redis?.queue ?? keep(openSqliteJobQueue({ file: files.jobs, clock, onError }))
    return {
      store,
      vault,
      credentials,
      readStore,
      queue,
      clock,
      ...(mongo && redis && EVENTSTOREDB_URL && { shared: { coordination: mongo.coordination, signal: redis.signal } }),
      ...(redis && { rateLimitStore: redis.rateLimitStore }),
      warnings: redis?.warnings ?? [],
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A shop makes secrets in its vault before anything can happen in it: where something has, an empty vault is another one. */
async function assertKeysAreThere(store: EventStore, vault: KeyVault): Promise<void> {
  if ((await store.head()).position === 0) return
  for await (const entries of vault.entries()) if (entries.length > 0) return
  throw new CorruptDatabaseError(
    'MongoDB has no keys, though there is a log. They are the keys of all personal data: restore the database _keys from a backup, set MONGODB_URL to where they are, or bring a shop there with daybook copy.',
  )
}

/** The secret that accounts are kept by is made when they are first opened: where it is, so were they. */
async function assertCredentialsAreThere(vault: KeyVault, file: string): Promise<void> {
  if (existsSync(file)) return
  for await (const entries of vault.entries()) {
    if (!entries.some(({ kind, name }) => kind === 'secret' && name === accountsSecret)) continue
    throw new CorruptDatabaseError(
      `${file} is missing, though it was there. It has customers' accounts: restore it from a backup. To go on without them, put an empty file there; then people register anew by mail.`,
    )
  }
}

function assertLogIsThere(files: DataFiles): void {
  if (!existsSync(files.vault) || existsSync(files.log)) return
  throw new CorruptLogError(
    `${files.log} is missing, though its keys are there. Restore it from a backup, or take another DAYBOOK_DATA_DIR for a new shop.`,
  )
}

/** What a thread that builds read models needs: the log to read, and the read models to write. */
export async function openBuildStorage(
  settings: StorageSettings,
  clock: Clock,
): Promise<Pick<Storage, 'store' | 'readStore' | 'close'>> {
  const { EVENTSTOREDB_URL, MONGODB_URL, DAYBOOK_DATA_DIR: directory } = settings
  const files = filesOf(directory)
  const onError = () => {}
  const opened = new AsyncDisposableStack()
  const keep = <P extends { close(): Promise<void> }>(port: P): P => opened.adopt(port, (each) => each.close())
  const store = keep(
    EVENTSTOREDB_URL === undefined
      ? await openSqliteEventStore({ file: files.log, readOnly: true })
      : await openLogServer(EVENTSTOREDB_URL, clock, onError),
  )
  const readStore =
    MONGODB_URL === undefined
      ? keep(openSqliteReadStore({ directory: files.readModels, cachedCharacters: 0, checkpointsElsewhere: false }))
      : keep(await openDocumentServer(MONGODB_URL, settings, onError)).readStore
  return { store, readStore, close: () => opened.disposeAsync() }
}
