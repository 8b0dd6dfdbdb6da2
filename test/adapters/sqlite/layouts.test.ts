import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../../src/adapters/sqlite/database.ts'
import { NewerVersionError } from '../../../src/engine/errors.ts'
import { filesOf } from '../../../src/storage.ts'
import { startChild } from '../../child-process.ts'
import { keptStores } from '../../history/store/files.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

/**
 * How an older layout is brought to a later one. As yet there has been one layout of each file: the later ones are this test's own,
 * of a log that release 0.1.0 has left.
 */

const present = 'SELECT 1' // what 0.1.0 has made
const later = [
  present,
  "ALTER TABLE events ADD COLUMN note TEXT NOT NULL DEFAULT ''; UPDATE events SET note = type",
  'CREATE INDEX events_by_note ON events (note)',
]

function keptLog(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  keptStores()[0]?.unpack(path)
  return filesOf(path).log
}

function open(file: string, layouts: readonly string[]): DatabaseSync {
  return openDatabase({ file, layouts, synchronous: 'full', exists: true })
}

function look(file: string) {
  const database = new DatabaseSync(file)
  try {
    return {
      layout: database.prepare('PRAGMA user_version').get()?.user_version,
      tables: database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all(),
      events: database.prepare('SELECT count(*) AS events, sum(checksum) AS sum FROM events').get(),
      integrity: database.prepare('PRAGMA integrity_check').get()?.integrity_check,
    }
  } finally {
    database.close()
  }
}

describe('a file of an older layout', () => {
  test('is brought to the present one, step by step, with all that it has', () => {
    const file = keptLog()
    const before = look(file)
    expect(before).toMatchObject({ layout: 1, integrity: 'ok' })
    open(file, later.slice(0, 2)).close()
    const database = open(file, later)
    expect(database.prepare('SELECT count(*) AS noted FROM events WHERE note = type').get()).toEqual({
      noted: before.events?.events,
    })
    database.close()
    expect(look(file)).toMatchObject({ layout: 3, events: before.events, integrity: 'ok' })
  })

  test('stays as it was when a step fails', () => {
    const file = keptLog()
    const before = look(file)
    expect(() => open(file, [...later, 'CREATE TABLE events (one TEXT)'])).toThrow('already exists')
    expect(look(file)).toEqual(before)
    open(file, later).close()
    expect(look(file)).toMatchObject({ layout: 3, events: before.events })
  })

  test.each(['before', 'after'])('is whole after a kill just %s it is committed', async (moment) => {
    const file = keptLog()
    const before = look(file)
    const child = startChild({
      command: [process.execPath, fileURLToPath(new URL('./upgrade-and-die.ts', import.meta.url)), file, moment],
      environment: { ...process.env, LAYOUTS: JSON.stringify(later) },
    })
    expect((await child.ended).signal, child.output()).toBe('SIGKILL')
    if (moment === 'before') expect(look(file)).toEqual(before)
    else expect(look(file)).toMatchObject({ layout: 3, events: before.events, integrity: 'ok' })
    open(file, later).close()
    expect(look(file)).toMatchObject({ layout: 3, events: before.events, integrity: 'ok' })
  })
})

test('a file of a newer layout is refused, and nothing is done to it', () => {
  const file = keptLog()
  open(file, later).close()
  const before = look(file)
  expect(() => open(file, [present])).toThrow(NewerVersionError)
  expect(() => open(file, [present])).toThrow(
    `${file} has layout 3; this version of Daybook knows 1. Use the version that wrote it, or a newer one.`,
  )
  expect(look(file)).toEqual(before)
})
