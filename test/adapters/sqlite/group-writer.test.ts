import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { groupWriter } from '../../../src/adapters/sqlite/group-writer.ts'
import type { Group } from '../../../src/adapters/sqlite/log-group.ts'
import { prepareLog } from '../../../src/adapters/sqlite/log-layout.ts'
import { openLogReader } from '../../../src/adapters/sqlite/log-reader.ts'
import { type NewEvent, noStream, type RecordedEvent } from '../../../src/engine/event-store.ts'
import { eventOfBytes, newEvents } from '../../contract/new-event.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

function openLog(maxCachedStreams = 100) {
  const directory = temporaryDirectory()
  const file = join(directory.path, 'log.db')
  prepareLog(file)
  const database = new DatabaseSync(file)
  const reader = openLogReader(file)
  onTestFinished(() => {
    reader.close()
    database.close()
    directory.remove()
  })
  const log = (): readonly RecordedEvent[] => reader.batch(0, undefined, 1_000)?.events ?? []
  return { file, database, log, write: groupWriter(database, maxCachedStreams), reader }
}

type Append = readonly [stream: string, expectedRevision: number, events: readonly NewEvent[]]

function groupOf(...appends: readonly Append[]): Group {
  return {
    streams: appends.map(([stream]) => stream),
    numbers: appends.flatMap(([, expectedRevision, events]) => [expectedRevision, events.length]),
    texts: appends.flatMap(([, , events]) =>
      events.flatMap(({ id, type, dataJson, metadataJson }) => [id, type, dataJson, metadataJson]),
    ),
    checkpoints: [],
  }
}

test('what is refused leaves the rest of its group as it is', () => {
  const { write, log } = openLog()
  const [a, b] = [newEvents(2), newEvents(1)]
  expect(
    write(groupOf(['cart-1', noStream, a], ['cart-1', noStream, b], ['cart-1', noStream, a], ['cart-1', 1, b])),
  ).toEqual({
    kind: 'written',
    firstPositions: [1, 0, 0, 3],
    repeated: [{ index: 2, positions: [1, 2] }],
    conflicts: [{ index: 1, actualRevision: 1 }],
    tookMs: expect.any(Number),
  })
  expect(log().map(({ id }) => id)).toEqual([...a, ...b].map(({ id }) => id))
})

test('revisions are right also for streams that are no longer in the cache', () => {
  const { write } = openLog(1)
  for (let revision = noStream; revision < 5; revision++) {
    const appends = ['cart-1', 'cart-2', 'cart-3'].map((stream): Append => [stream, revision, newEvents(1)])
    expect(write(groupOf(...appends))).toMatchObject({ conflicts: [], repeated: [] })
  }
  expect(write(groupOf(['cart-1', 2, newEvents(1)]))).toMatchObject({ conflicts: [{ index: 0, actualRevision: 5 }] })
})

test('a full disk refuses the whole group, and takes later ones when there is room', () => {
  const { database, write, log } = openLog()
  write(groupOf(['cart-1', noStream, newEvents(1)]))
  const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count)
  database.exec(`PRAGMA max_page_count = ${pages + 10}`)
  const group = groupOf(['cart-2', noStream, newEvents(1)], ['cart-1', 0, [eventOfBytes(900_000)]])
  expect(write(group)).toMatchObject({ kind: 'failed', outcome: 'not-written' })
  expect(log()).toHaveLength(1)
  expect(write(groupOf(['cart-2', noStream, newEvents(1)]))).toMatchObject({ firstPositions: [2] })
  database.exec('PRAGMA max_page_count = 100000')
  expect(write(groupOf(['cart-1', 0, [eventOfBytes(900_000)]]))).toMatchObject({ firstPositions: [3] })
  expect(log().map(({ position }) => position)).toEqual([1, 2, 3])
})

test('a commit that fails for no known reason is in doubt', () => {
  const { database, write, log } = openLog()
  write(groupOf(['cart-1', noStream, newEvents(1)]))
  database.exec(`CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER broken AFTER INSERT ON events BEGIN INSERT INTO child VALUES (1); END`)
  expect(write(groupOf(['cart-1', 0, newEvents(1)]))).toMatchObject({ kind: 'failed', outcome: 'in-doubt' })
  database.exec('DROP TRIGGER broken')
  expect(write(groupOf(['cart-1', 0, newEvents(1)]))).toMatchObject({ firstPositions: [2] })
  expect(log()).toHaveLength(2)
})

test('checkpoints alone cost no sync, appends do', () => {
  const { database, write, reader } = openLog()
  const synchronous: unknown[] = []
  database.function('note_synchronous', () => {
    synchronous.push(database.prepare('PRAGMA synchronous').get()?.synchronous)
    return null
  })
  database.exec('CREATE TEMP TRIGGER noted AFTER INSERT ON checkpoints BEGIN SELECT note_synchronous(); END')
  const checkpoint = { logId: 'a-log', position: 7, eventId: 'an-event' }
  const group = { ...groupOf(), checkpoints: [{ name: 'refund', checkpoint }] }
  expect(write(group)).toMatchObject({ kind: 'written' })
  expect(reader.checkpoint('refund')).toEqual(checkpoint)
  write({ ...groupOf(['cart-1', noStream, newEvents(1)]), checkpoints: group.checkpoints })
  expect(synchronous).toEqual([1, 2])
})
