import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkCopy, copyDatabase } from '../adapters/sqlite/database-copy.ts'
import { CorruptLogError } from '../engine/errors.ts'
import type { EventRegistry } from '../engine/events.ts'
import type { DataFiles } from '../storage.ts'
import { sha256, sync, writeDurably } from './durable-file.ts'
import { checkLogAndKeys, type LostKeys } from './lost-keys.ts'
import { type BackupFile, type Manifest, manifestName, manifestOf } from './manifest.ts'
import { isReadable, type Part, type Parts, partsOf } from './parts.ts'

export interface TakeOptions {
  readonly files: DataFiles
  /** Where the backup goes: a directory that is not there yet, or is empty. */
  readonly directory: string
  /** Of Daybook. */
  readonly version: string
  /** The events of the shop; without them it is not found out whose keys are lost. */
  readonly registry?: EventRegistry
  /** ISO 8601 */
  readonly now: string
  /** Told how much was done; what it throws stops the backup. */
  readonly onProgress: (progress: TakeProgress) => void
}

/** A backup that is done. */
export interface Taken {
  readonly manifest: Manifest
  /** Whose personal data it has without a key; absent where that is not known. */
  readonly lostKeys?: LostKeys
}

/** How far a backup is: bytes while it is copied, positions of the log while that is verified. */
export interface TakeProgress {
  readonly step: 'copy' | 'verify'
  readonly done: number
  readonly total: number
}

/** Where a backup was to go, there is something already. */
class NotEmptyError extends Error {
  override readonly name = 'NotEmptyError'
}

/** @throws NotEmptyError unless a directory is empty, or not there */
export function assertEmpty(directory: string, advice: string): void {
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new NotEmptyError(`${directory} is not empty. ${advice}`)
}

/**
 * Copies what is precious in a data directory, while others write there, and reads all of the copy. The manifest comes last. What
 * fails, or is stopped, leaves nothing behind.
 * @throws NotEmptyError when there is something in the directory already
 * @throws CorruptLogError, CorruptDatabaseError when what was copied is damaged
 */
export async function takeBackup(options: TakeOptions): Promise<Taken> {
  const { directory, version, now } = options
  assertEmpty(directory, 'A backup has a directory of its own.')
  const isNew = !existsSync(directory)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  try {
    const parts = partsOf(options.files)
    // All of them before any is read again: the less time lies between the log and its keys, the better.
    for (const part of parts) await copyPart(options, part)
    const files: BackupFile[] = []
    for (const { name } of parts) files.push(await describe(options, name))
    const { log, lostKeys } = checkCopiedLog(options, parts, files)
    const manifest = manifestOf({ daybook: version, takenAt: now, log, files })
    writeDurably(join(directory, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`)
    if (isNew) sync(dirname(directory))
    return { manifest, ...(lostKeys && { lostKeys }) }
  } catch (error) {
    discard(options, isNew)
    throw error
  }
}

async function copyPart({ directory, onProgress }: TakeOptions, { name, file }: Part): Promise<void> {
  if (!existsSync(file)) throw new Error(`${file} is missing: there is no shop there, or not all of one.`)
  const target = join(directory, name)
  await copyDatabase(file, target, ({ bytes, totalBytes }) =>
    onProgress({ step: 'copy', done: bytes, total: totalBytes }),
  )
  sync(target)
}

async function describe({ directory, onProgress }: TakeOptions, name: string): Promise<BackupFile> {
  const file = join(directory, name)
  const layout = checkCopy(file)
  const sum = await sha256(file, () => onProgress({ step: 'verify', done: 0, total: 0 }))
  return { name, bytes: statSync(file).size, sha256: sum, layout }
}

/** @throws CorruptLogError that names the log itself: the copy is what that is */
function checkCopiedLog(
  { directory, registry, onProgress }: TakeOptions,
  [{ name, file }, vault]: Parts,
  copied: readonly BackupFile[],
): ReturnType<typeof checkLogAndKeys> {
  const copy = join(directory, name)
  const keys = isReadable(vault, copied) ? join(directory, vault.name) : undefined
  try {
    return checkLogAndKeys(copy, keys, registry, (done, total) => onProgress({ step: 'verify', done, total }))
  } catch (error) {
    if (!(error instanceof CorruptLogError)) throw error
    throw new CorruptLogError(error.message.replaceAll(copy, file), { cause: error })
  }
}

/** Takes back what was made; the directory was empty before. */
function discard({ directory, files }: TakeOptions, isNew: boolean): void {
  for (const name of [manifestName, ...partsOf(files).map((part) => part.name)]) {
    for (const suffix of ['', '-journal', '.new']) rmSync(join(directory, name + suffix), { force: true })
  }
  if (isNew) rmdirSync(directory)
}
