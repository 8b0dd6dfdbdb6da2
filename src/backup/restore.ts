import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { memoryReadStore } from '../adapters/memory/read-store.ts'
import { openSqliteCredentialStore } from '../adapters/sqlite/credential-store.ts'
import { intoOneFile } from '../adapters/sqlite/database-copy.ts'
import { lockDirectory } from '../adapters/sqlite/directory-lock.ts'
import { openSqliteEventStore } from '../adapters/sqlite/event-store.ts'
import { openSqliteKeyVault } from '../adapters/sqlite/key-vault.ts'
import { customer } from '../domain/customer.ts'
import type { Clock } from '../engine/clock.ts'
import { ask } from '../engine/command.ts'
import { sessionKind } from '../engine/credential-store.ts'
import { commandSide, type Definitions, defaultLimits } from '../engine/engine.ts'
import { derivedId } from '../engine/streams.ts'
import { type DataFiles, makeDirectory } from '../storage.ts'
import { sha256, sync } from './durable-file.ts'
import { type InForce, inForceOf } from './in-force.ts'
import type { Manifest } from './manifest.ts'
import { BrokenBackupError } from './manifest.ts'
import { partsOf } from './parts.ts'
import { assertEmpty } from './take.ts'

export interface RestoreOptions {
  /** Where the backup is, which was verified. */
  readonly backup: string
  readonly manifest: Manifest
  /** Where it goes: a data directory that is not there yet, or is empty. */
  readonly files: DataFiles
  /** Persons who were forgotten after the backup was taken, and who must be again. */
  readonly forgotten: readonly string[]
  /** What the shop is made of. */
  readonly definitions: Definitions
  readonly clock: Clock
  /** Asked between two steps; what it throws ends this. */
  readonly onStep: () => void
}

/** What a restore has ended, and what it brought back. */
export interface Restored {
  /** Sessions that were ended. */
  readonly sessions: number
  readonly inForce: InForce
}

/**
 * Makes a data directory of a backup. Read models and jobs are made by the first start. The log comes last, under its own name
 * only when all else is done: until then nothing there can be started. What fails, or is stopped, leaves nothing behind.
 * @throws NotEmptyError when there is something already
 * @throws BrokenBackupError when what was copied is not what the manifest says
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { files } = options
  const directory = dirname(files.log)
  assertEmpty(directory, 'Restore into a data directory of its own, or move what is there away.')
  const isNew = !existsSync(directory)
  makeDirectory(directory)
  const staged = `${files.log}.restoring`
  const lock = lockDirectory(files.lock)
  const copied = partsOf(files)
  try {
    for (const { name, file } of copied.toReversed()) {
      await copyVerified(options, name, file === files.log ? staged : file)
    }
    const sessions = await endSessions(options)
    const inForce = await goOnWith(options, staged)
    sync(staged)
    intoOneFile(staged)
    renameSync(staged, files.log)
    sync(directory)
    return { sessions, inForce }
  } catch (error) {
    for (const path of [staged, ...copied.map(({ file }) => file)]) {
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
    }
    throw error
  } finally {
    lock.release()
    if (!existsSync(files.log)) {
      rmSync(files.lock, { force: true })
      if (isNew) rmSync(directory, { recursive: true })
    }
  }
}

async function copyVerified({ backup, manifest, onStep }: RestoreOptions, name: string, target: string): Promise<void> {
  onStep()
  const source = join(backup, name)
  copyFileSync(source, target)
  chmodSync(target, 0o600)
  sync(target)
  const said = manifest.files.find((file) => file.name === name)
  if ((await sha256(target, onStep)) !== said?.sha256)
    throw new BrokenBackupError(`${source} is not what was written: its checksum is wrong. Use another backup.`)
}

/**
 * Everybody logs in anew: a session that was ended since then, because it was stolen, would be good again.
 * @returns how many there were
 */
async function endSessions({ files, onStep }: RestoreOptions): Promise<number> {
  await using opened = new AsyncDisposableStack()
  const credentials = opened.adopt(openSqliteCredentialStore({ file: files.credentials }), (each) => each.close())
  let ended = 0
  for await (const entries of credentials.entries()) {
    onStep()
    const sessions = entries.filter(({ kind }) => kind === sessionKind)
    await Promise.all(sessions.map(({ kind, id }) => credentials.remove(kind, id)))
    ended += sessions.length
  }
  return ended
}

/** Forgets whom it is told to. @returns what is in force in the log */
async function goOnWith(options: RestoreOptions, log: string): Promise<InForce> {
  const { forgotten, definitions, clock, onStep } = options
  if (forgotten.length > 0) await eraseKeys(options)
  const store = await openSqliteEventStore({ file: log })
  try {
    const { handler } = commandSide(definitions, { store, readStore: memoryReadStore(), clock }, defaultLimits)
    for (const person of forgotten) {
      onStep()
      const id = derivedId('restore', store.logId, 'forget', person)
      await handler.handle({
        ...ask(customer, person, 'ForgetCustomer', {}),
        id,
        actor: { kind: 'system', id: 'restore' },
        correlationId: id,
      })
    }
    return await inForceOf(store, handler, onStep)
  } finally {
    await store.close()
  }
}

/** Deletes the keys and accounts of whom it is told to forget: the work that follows from it goes on with the first start. */
async function eraseKeys({ files, forgotten, onStep }: RestoreOptions): Promise<void> {
  await using opened = new AsyncDisposableStack()
  const vault = opened.adopt(openSqliteKeyVault({ file: files.vault }), (each) => each.close())
  const credentials = opened.adopt(openSqliteCredentialStore({ file: files.credentials }), (each) => each.close())
  for (const person of forgotten) {
    onStep()
    await vault.forget(person)
    await credentials.forget(person)
  }
}
