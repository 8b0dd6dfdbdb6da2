import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'

/** The thread of a log without anything around it: events go into SQLite as they are, durable when it says so. */

const { file, like } = z.object({ file: z.string(), like: z.string() }).parse(workerData)
const Row = z.object({ type: z.string(), data: z.string(), metadata: z.string(), id: z.string() })

const source = new DatabaseSync(like, { readOnly: true })
const samples = source
  .prepare('SELECT id, type, data, metadata FROM events ORDER BY position DESC LIMIT 1000')
  .all()
  .map((row) => Row.parse(row))
source.close()

const database = new DatabaseSync(file)
database.exec('PRAGMA journal_mode = WAL')
database.exec('PRAGMA synchronous = FULL')
database.exec(
  `CREATE TABLE events (
     position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL,
     id TEXT NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL, metadata TEXT NOT NULL, checksum INTEGER NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX events_by_stream ON events (stream, revision)`,
)
const insert = database.prepare(
  'INSERT INTO events (position, stream, revision, id, type, data, metadata, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, 0)',
)
const eventsOfStream = 6
let position = 0

parentPort?.on('message', (count: number) => {
  database.exec('BEGIN IMMEDIATE')
  for (let inserted = 0; inserted < count; inserted++) {
    const sample = samples[position % samples.length]
    if (sample === undefined) throw new Error(`There are no events in ${like}`)
    const { id, type, data, metadata } = sample
    insert.run(position + 1, Math.floor(position / eventsOfStream), position % eventsOfStream, id, type, data, metadata)
    position++
  }
  database.exec('COMMIT')
  parentPort?.postMessage(count)
})
