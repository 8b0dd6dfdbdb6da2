import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { NewerVersionError } from '../engine/errors.ts'

/** What a backup says of itself: written last, so that one that was cut off has none. */

const format = 1

const File = z.object({
  name: z.string().regex(/^[a-z]+\.db$/),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Version of the tables in it. */
  layout: z.int().min(1),
})

const Manifest = z.object({
  format: z.literal(format),
  /** Version of Daybook that made it. */
  daybook: z.string(),
  takenAt: z.iso.datetime(),
  log: z.object({ id: z.string(), position: z.int().min(0), eventId: z.string(), events: z.int().min(0) }),
  files: z.array(File).min(1),
})

export type BackupFile = z.output<typeof File>
export type Manifest = z.output<typeof Manifest>

export const manifestName = 'manifest.json'

/** What is in a directory is no backup, or not all of one, or not what it was. */
export class BrokenBackupError extends Error {
  override readonly name = 'BrokenBackupError'
}

export function manifestOf(content: Omit<Manifest, 'format'>): Manifest {
  return { format, ...content }
}

/**
 * Reads what a backup says of itself.
 * @throws BrokenBackupError where there is none, or none that can be read
 * @throws NewerVersionError when a newer Daybook made it in another form
 */
export function readManifest(directory: string): Manifest {
  const parsed = parse(read(directory), directory)
  const version = z.object({ format: z.int() }).safeParse(parsed).data?.format
  if (version !== undefined && version > format) {
    throw new NewerVersionError(
      `The backup in ${directory} has format ${version}; this version of Daybook knows ${format}. Use the version that made it, or a newer one.`,
    )
  }
  const { success, data } = Manifest.safeParse(parsed)
  if (!success) throw new BrokenBackupError(`${join(directory, manifestName)} is not what Daybook writes.`)
  return data
}

function read(directory: string): string {
  try {
    return readFileSync(join(directory, manifestName), 'utf8')
  } catch (error) {
    throw new BrokenBackupError(
      `There is no whole backup in ${directory}: it has no ${manifestName}, which is written last. Take another backup.`,
      { cause: error },
    )
  }
}

function parse(text: string, directory: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BrokenBackupError(`${join(directory, manifestName)} is damaged. Take another backup.`, { cause: error })
  }
}
