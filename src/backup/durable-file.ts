import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Brings what was written in a file, or the names in a directory, to the disk. Not for a database that is open in this process. */
export function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } catch (error) {
    // Windows has no way to do that for a directory, nor for what is open to be read.
    if (process.platform !== 'win32') throw error
  } finally {
    closeSync(descriptor)
  }
}

/** Writes a file for its owner alone: after a crash all of it is there, or nothing. */
export function writeDurably(file: string, text: string): void {
  const making = `${file}.new`
  writeFileSync(making, text, { mode: 0o600 })
  sync(making)
  renameSync(making, file)
  sync(dirname(file))
}

/**
 * The SHA-256 of a file, in hex.
 * @param onChunk told of each mebibyte that was read; what it throws ends this
 */
export async function sha256(file: string, onChunk: () => void): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk)
    onChunk()
  }
  return hash.digest('hex')
}
