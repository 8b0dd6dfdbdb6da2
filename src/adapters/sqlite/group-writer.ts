import type { DatabaseSync } from 'node:sqlite'
import { LRUCache } from 'lru-cache'
import { noStream } from '../../engine/event-store.ts'
import { isCorrupt, isSqliteError, number } from './database.ts'
import { cell, cellsPerEvent, type Failed, type Group, type GroupAnswer, type Written } from './log-group.ts'
import { checksum } from './log-layout.ts'

interface Stream {
  readonly id: number
  readonly revision: number
}

/** SQLITE_BUSY, SQLITE_READONLY, SQLITE_FULL: the commit did not get as far as the frame that makes it valid. */
const notCommittedCodes = new Set([5, 8, 13])
const missing: Stream = { id: 0, revision: noStream }

/**
 * Writes groups of appends, each group in one transaction: all that can be is written, or nothing.
 * @param database an open log, to which nobody else writes
 * @param maxCachedStreams streams whose revisions are kept in memory
 */
export function groupWriter(database: DatabaseSync, maxCachedStreams: number): (group: Group) => GroupAnswer {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const findStream = database.prepare(
    'SELECT id, (SELECT max(revision) FROM events WHERE stream = streams.id) AS revision FROM streams WHERE name = ?',
  )
  const addStream = database.prepare('INSERT INTO streams (name) VALUES (?)')
  const addEvent = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const eventsBehind = database.prepare(
    'SELECT position, id FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?',
  )
  const findLast = database.prepare('SELECT max(position) AS position FROM events')
  const saveCheckpoint = database.prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)')
  const streams = new LRUCache<string, Stream>({ max: maxCachedStreams })
  let lastPosition: number | undefined

  function streamOf(name: string): Stream {
    const cached = streams.get(name)
    if (cached !== undefined) return cached
    const row = findStream.get(name)
    return row === undefined ? missing : { id: number(row.id), revision: number(row.revision) }
  }

  /** The positions of the events if just these are there already. */
  function positionsOf(stream: Stream, expectedRevision: number, ids: readonly string[]): number[] | undefined {
    const rows = eventsBehind.all(stream.id, expectedRevision, ids.length)
    const same = rows.length === ids.length && rows.every((row, index) => row.id === ids[index])
    return same ? rows.map((row) => number(row.position)) : undefined
  }

  function writeAll(group: Group): Omit<Written, 'tookMs'> {
    const firstPositions: number[] = []
    const repeated: { index: number; positions: number[] }[] = []
    const conflicts: { index: number; actualRevision: number }[] = []
    let next = (lastPosition ?? Number(findLast.get()?.position ?? 0)) + 1
    let place = 0
    for (const [index, name] of group.streams.entries()) {
      const expectedRevision = cell(group.numbers, index * 2)
      const end = place + cell(group.numbers, index * 2 + 1) * cellsPerEvent
      const stream = streamOf(name)
      if (stream.revision === expectedRevision) {
        const id = stream === missing ? Number(addStream.run(name).lastInsertRowid) : stream.id
        let revision = expectedRevision
        firstPositions.push(next)
        for (; place < end; place += cellsPerEvent) {
          revision++
          const eventId = cell(group.texts, place)
          const type = cell(group.texts, place + 1)
          const data = cell(group.texts, place + 2)
          const metadata = cell(group.texts, place + 3)
          const sum = checksum(next, name, revision, eventId, type, data, metadata)
          addEvent.run(next++, id, revision, eventId, type, data, metadata, sum)
        }
        streams.set(name, { id, revision })
      } else {
        const ids: string[] = []
        for (; place < end; place += cellsPerEvent) ids.push(cell(group.texts, place))
        const positions = positionsOf(stream, expectedRevision, ids)
        firstPositions.push(0)
        if (positions) repeated.push({ index, positions })
        else conflicts.push({ index, actualRevision: stream.revision })
        if (stream !== missing) streams.set(name, stream)
      }
    }
    for (const { name, checkpoint } of group.checkpoints) {
      saveCheckpoint.run(name, checkpoint.logId, checkpoint.position, checkpoint.eventId)
    }
    lastPosition = next - 1
    return { kind: 'written', firstPositions, repeated, conflicts }
  }

  /** What was remembered may be of the transaction that failed. */
  function failed(error: unknown, committing: boolean): Failed {
    streams.clear()
    lastPosition = undefined
    if (database.isTransaction) database.exec('ROLLBACK')
    const message = error instanceof Error ? error.message : String(error)
    if (!committing) return { kind: 'failed', outcome: isCorrupt(error) ? 'corrupt' : 'not-written', message }
    const notCommitted = isSqliteError(error) && notCommittedCodes.has(error.errcode & 0xff)
    return { kind: 'failed', outcome: notCommitted ? 'not-written' : 'in-doubt', message }
  }

  function write(group: Group): GroupAnswer {
    const startedAt = performance.now()
    let committing = false
    try {
      begin.run()
      const answer = writeAll(group)
      committing = true
      commit.run()
      return { ...answer, tookMs: performance.now() - startedAt }
    } catch (error) {
      return failed(error, committing)
    }
  }

  return (group) => {
    if (group.streams.length > 0) return write(group)
    // Checkpoints alone may be lost with the power, and are not worth a sync.
    database.exec('PRAGMA synchronous = NORMAL')
    try {
      return write(group)
    } finally {
      database.exec('PRAGMA synchronous = FULL')
    }
  }
}
