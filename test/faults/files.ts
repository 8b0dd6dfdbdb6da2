import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { filesOf } from '../../src/storage.ts'

/** What tests do to the files of a server that does not run. */

const Event = z.object({ position: z.int(), type: z.string(), stream: z.string() })
export type LoggedEvent = z.output<typeof Event>

/** All events of a data directory, in order. */
export function eventsIn(directory: string): readonly LoggedEvent[] {
  const database = new DatabaseSync(filesOf(directory).log, { readOnly: true })
  try {
    const sql =
      'SELECT position, type, name AS stream FROM events JOIN streams ON streams.id = stream ORDER BY position'
    return database
      .prepare(sql)
      .all()
      .map((row) => Event.parse(row))
  } finally {
    database.close()
  }
}

/** Lets process managers begin at the beginning, as if nothing of how far they had come was written before a crash. */
export function forgetCheckpoints(directory: string): void {
  const database = new DatabaseSync(filesOf(directory).log)
  database.exec('DELETE FROM checkpoints')
  database.close()
}

/** Flips a bit in each place where a file holds a text: a database may have left copies of a row behind. */
export function flipBit(file: string, text: string): void {
  const bytes = readFileSync(file)
  const first = bytes.indexOf(text)
  if (first < 0) throw new Error(`${file} does not hold ${text}`)
  for (let place = first; place >= 0; place = bytes.indexOf(text, place))
    bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  writeFileSync(file, bytes)
}

/** Overwrites all of a file but its first pages; the first of all says what it is. */
export function scribbleOver(file: string, pagesKept = 1): void {
  const bytes = readFileSync(file)
  bytes.fill(0xa5, pagesKept * 4_096)
  writeFileSync(file, bytes)
}

/** Puts a file in the place of another, as who restores a backup does it. */
export function replaceFile(backup: string, file: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
  cpSync(backup, file)
}
