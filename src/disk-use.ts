import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** What a data directory takes, in bytes. */
export interface DiskUse {
  /** By what is kept in them, each with its write-ahead log; all files of read models together. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  /** What this user can still write on that disk. */
  readonly freeBytes: number
  readonly totalBytes: number
}

const parts = ['log', 'vault', 'jobs', 'credentials', 'read'] as const
/** A directory of files that belong to others is none of ours to count. */
const mostFiles = 1_000

async function bytesOf(directory: string, isOfPart: (name: string) => boolean): Promise<number> {
  const names = (await readdir(directory)).filter(isOfPart).slice(0, mostFiles)
  // One that is dropped meanwhile takes nothing any more.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/**
 * Sizes of the files of a data directory, and what is left on its disk.
 * @param directory that is there
 * @throws errors of the file system
 */
export async function diskUse(directory: string): Promise<DiskUse> {
  const files = await Promise.all(
    parts.map(async (name) => ({
      name,
      bytes:
        name === 'read'
          ? await bytesOf(join(directory, name), () => true).catch(() => 0)
          : await bytesOf(directory, (file) => file.startsWith(`${name}.db`)),
    })),
  )
  const { bsize, bavail, blocks } = await statfs(directory)
  return { files, freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}
