import { statSync } from 'node:fs'
import { join } from 'node:path'
import { checkCopy } from '../adapters/sqlite/database-copy.ts'
import { NewerVersionError } from '../engine/errors.ts'
import type { EventRegistry } from '../engine/events.ts'
import type { DataFiles } from '../storage.ts'
import { sha256 } from './durable-file.ts'
import { checkLogAndKeys, type LostKeys } from './lost-keys.ts'
import { BrokenBackupError, type Manifest, readManifest } from './manifest.ts'
import { isReadable, partsOf } from './parts.ts'

export interface VerifyOptions {
  /** Where the backup is. */
  readonly directory: string
  /** Where it would be restored. */
  readonly files: DataFiles
  /** The events of the shop. */
  readonly registry: EventRegistry
  /** Told how far it is, in positions of the log; what it throws ends this. */
  readonly onProgress: (position: number, head: number) => void
}

/** A backup that is whole. */
export interface Verified {
  readonly manifest: Manifest
  /** Whose personal data it has without a key; absent where its layouts are older, and can't be read before they are restored. */
  readonly lostKeys?: LostKeys
}

/**
 * Reads all of a backup: every file is what was written, and every event has its own checksum.
 * @throws BrokenBackupError when something is missing or was changed
 * @throws NewerVersionError for what a newer Daybook wrote
 */
export async function verifyBackup({ directory, files, registry, onProgress }: VerifyOptions): Promise<Verified> {
  const manifest = readManifest(directory)
  const parts = partsOf(files)
  for (const { name, bytes, sha256: expected, layout } of manifest.files) {
    const part = parts.find((each) => each.name === name)
    if (part === undefined || layout > part.layout) {
      throw new NewerVersionError(
        `${join(directory, name)} was written by Daybook ${manifest.daybook}, and this one does not know it. Restore it with that version, or a newer one.`,
      )
    }
    const file = join(directory, name)
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined) throw broken(file, 'is missing')
    if (found.size !== bytes) throw broken(file, `has ${found.size} bytes instead of ${bytes}`)
    if ((await sha256(file, () => onProgress(0, manifest.log.position))) !== expected)
      throw broken(file, 'is not what was written: its checksum is wrong')
    if (checkCopy(file) !== layout) throw broken(file, 'has another layout than its manifest says')
  }
  for (const { name } of parts)
    if (!manifest.files.some((file) => file.name === name)) throw broken(join(directory, name), 'is missing')
  const [log, vault] = parts
  // What is in an older layout was verified when it was copied.
  if (!isReadable(log, manifest.files) || !isReadable(vault, manifest.files)) return { manifest }
  const places = [join(directory, log.name), join(directory, vault.name)] as const
  const { log: found, lostKeys } = checkLogAndKeys(...places, registry, onProgress)
  assertSame(manifest.log, found, directory)
  return { manifest, ...(lostKeys && { lostKeys }) }
}

function assertSame(said: Manifest['log'], found: Manifest['log'], directory: string): void {
  const isSame =
    said.id === found.id &&
    said.position === found.position &&
    said.eventId === found.eventId &&
    said.events === found.events
  if (!isSame) throw broken(directory, 'has a log that is not the one that its manifest says')
}

function broken(path: string, damage: string): BrokenBackupError {
  return new BrokenBackupError(`${path} ${damage}. Use another backup.`)
}
