import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { groupWriter } from './group-writer.ts'
import type { Group, GroupAnswer } from './log-group.ts'
import type { LogWriterOptions } from './writer-thread.ts'

/** The thread that writes the log: it alone waits for the disk. */

const { file, busyTimeoutMs, maxWalBytes }: LogWriterOptions = workerData
const maxCachedStreams = 20_000
/** A reader that is slower than this puts the shortening off, rather than the appends. */
const shortenTimeoutMs = 100

let opened: ReturnType<typeof openLog> | undefined
let shortenAtBytes = maxWalBytes

function openLog() {
  // Not by openDatabase: it opens and closes the file, by which POSIX takes their locks from the connections of other threads.
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
  try {
    database.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${maxWalBytes}`)
    return { database, write: groupWriter(database, maxCachedStreams) }
  } catch (error) {
    database.close()
    throw error
  }
}

function answerTo(group: Group): GroupAnswer {
  try {
    opened ??= openLog()
  } catch (error) {
    return { kind: 'failed', outcome: 'not-written', message: error instanceof Error ? error.message : String(error) }
  }
  return opened.write(group)
}

/** Readers that always overlap keep SQLite from beginning the write-ahead log anew: then they have to wait for once. */
function keepWalShort(): void {
  if (opened === undefined || walBytes() < shortenAtBytes) return
  const { database } = opened
  database.exec(`PRAGMA busy_timeout = ${shortenTimeoutMs}`)
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch {
    // Nothing is lost by it: what a full or failing disk does not take stays in the write-ahead log.
  }
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  shortenAtBytes = walBytes() + maxWalBytes
}

function walBytes(): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

parentPort?.on('message', (message: Group | 'close') => {
  if (message === 'close') {
    opened?.database.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(answerTo(message))
  keepWalShort()
})
