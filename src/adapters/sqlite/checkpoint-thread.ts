import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort } from 'node:worker_threads'

/** The thread that brings what is in write-ahead logs into their files: it waits for the disk, so that nobody else has to. */

function checkpoint(file: string): void {
  const url = pathToFileURL(file)
  url.searchParams.set('mode', 'rw') // one that was dropped meanwhile is not made again
  const database = new DatabaseSync(url)
  try {
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)')
  } finally {
    database.close()
  }
}

parentPort?.on('message', (file: string) => {
  try {
    checkpoint(file)
  } catch {
    // Nothing is lost by it: the write-ahead log goes on growing, and its writer puts it away.
  }
  parentPort?.postMessage(file)
})
