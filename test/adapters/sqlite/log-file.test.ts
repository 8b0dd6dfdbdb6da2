import { copyFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSqliteEventStore, type SqliteEventStoreOptions } from '../../../src/adapters/sqlite/event-store.ts'
import { CorruptLogError, InDoubtError, NewerVersionError } from '../../../src/engine/errors.ts'
import { type EventStore, noStream } from '../../../src/engine/event-store.ts'
import { follow, logOf, recordedOf, streamOf } from '../../contract/log-readers.ts'
import { eventOfBytes, newEvent, newEvents } from '../../contract/new-event.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

function newFile(): string {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  return join(directory.path, 'log.db')
}

async function open(file: string, options: Omit<SqliteEventStoreOptions, 'file'> = {}): Promise<EventStore> {
  const store = await openSqliteEventStore({ file, ...options })
  onTestFinished(() => store.close())
  return store
}

/** A connection beside the store's own. */
function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  onTestFinished(() => {
    if (database.isOpen) database.close()
  })
  return database
}

/** A closed log of some events. */
async function filledFile(events = 200): Promise<string> {
  const file = newFile()
  const store = await open(file)
  const numbered = Array.from({ length: events }, (_, number) => newEvent({ data: { name: `event ${number}` } }))
  await store.append('cart-1', noStream, numbered)
  await store.close()
  return file
}

async function expectDamage(file: string, read: () => Promise<unknown>, place: string): Promise<void> {
  const error = await read().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(CorruptLogError)
  for (const part of [file, place, 'backup']) expect(String(error)).toContain(part)
}

describe('a damaged event', () => {
  test.each([
    ['data', `UPDATE events SET data = '{"quantity":2}' WHERE position = 3`],
    ['metadata', `UPDATE events SET metadata = replace(metadata, 'ada', 'bob') WHERE position = 3`],
    ['type', `UPDATE events SET type = 'ItemLost' WHERE position = 3`],
    ['id', `UPDATE events SET id = upper(id) || 'x' WHERE position = 3`],
    ['checksum', 'UPDATE events SET checksum = checksum + 1 WHERE position = 3'],
    ['stream', `UPDATE streams SET name = 'cart-3' WHERE name = 'cart-2'`],
  ])('is refused by every way of reading: its %s', async (_, damage) => {
    const file = newFile()
    const store = await open(file, { maxLiveEvents: 0 })
    await store.append('cart-1', noStream, newEvents(2))
    await store.append('cart-2', noStream, newEvents(2))
    const stream = damage.includes('cart-3') ? 'cart-3' : 'cart-2'
    connect(file).exec(damage)
    await expectDamage(file, () => store.eventAt(3), 'position 3')
    await expectDamage(file, () => logOf(store), 'position 3')
    await expectDamage(file, () => logOf(store, 0, { types: new Set(['Unknown']) }), 'position 3')
    await expectDamage(file, () => streamOf(store, stream), `revision 0 of stream ${stream}`)
    expect(await follow(store).ended).toBeInstanceOf(CorruptLogError)
    expect(await streamOf(store, 'cart-1')).toHaveLength(2)
  })

  test('is noticed where it is missing, or in another place', async () => {
    const file = newFile()
    const store = await open(file)
    await store.append('cart-1', noStream, newEvents(5))
    const database = connect(file)
    database.exec('UPDATE events SET revision = 9 WHERE position = 3')
    await expectDamage(file, () => logOf(store), 'position 3')
    await expectDamage(file, () => streamOf(store, 'cart-1'), 'no revision 2')
    database.exec('DELETE FROM events WHERE position = 3')
    await expectDamage(file, () => logOf(store), 'no event at position 3')
    await expectDamage(file, () => streamOf(store, 'cart-1'), 'no revision 2')
    expect(await logOf(store, 3)).toHaveLength(2)
  })

  test('is noticed where a bit of the file has flipped', async () => {
    const file = await filledFile()
    const bytes = readFileSync(file)
    // SQLite may have left copies of a row behind.
    for (let place = bytes.indexOf('event 99'); place >= 0; place = bytes.indexOf('event 99', place)) {
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
    }
    writeFileSync(file, bytes)
    const store = await open(file)
    await expectDamage(file, () => logOf(store), 'position 100')
  })

  test('at the end of the log is noticed when it is opened', async () => {
    const file = await filledFile()
    const database = connect(file)
    database.exec(`UPDATE events SET data = '{}' WHERE position = 200`)
    database.close()
    await expectDamage(file, () => open(file), 'position 200')
    await expectDamage(file, () => open(file, { readOnly: true }), 'position 200')
  })

  test('that is no JSON is refused', async () => {
    const file = newFile()
    const store = await open(file)
    await store.append('cart-1', noStream, [{ ...newEvent(), dataJson: '{' }])
    await expectDamage(file, () => store.eventAt(1), 'position 1 is no JSON')
  })
})

describe('a file', () => {
  test.each([0, 100, 4_096, 4_196, 20_480])('that was cut off at %i bytes is refused', async (bytes) => {
    const file = await filledFile()
    truncateSync(file, bytes)
    await expectDamage(file, () => open(file), 'damaged')
    await expectDamage(file, () => open(file), 'damaged')
    expect(statSync(file).size).toBe(bytes)
  })

  test('that is empty is refused before SQLite deletes what is beside it', async () => {
    const file = newFile()
    writeFileSync(file, '')
    writeFileSync(`${file}-wal`, 'precious')
    await expectDamage(file, () => open(file), 'empty')
    expect(readFileSync(`${file}-wal`, 'utf8')).toBe('precious')
  })

  test('that is missing, with its write-ahead log there, is not made anew', async () => {
    const file = newFile()
    writeFileSync(`${file}-wal`, 'precious')
    await expectDamage(file, () => open(file), 'missing')
    expect(existsSync(file)).toBe(false)
  })

  test('of another kind is refused', async () => {
    const file = newFile()
    writeFileSync(file, 'Dear diary,'.repeat(1_000))
    await expectDamage(file, () => open(file), 'damaged')
    const other = newFile()
    const database = connect(other)
    database.exec('CREATE TABLE events (a)')
    database.close()
    await expectDamage(other, () => open(other), 'damaged')
  })

  test('of a newer layout is refused, with what to do', async () => {
    const file = await filledFile(1)
    const database = connect(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    for (const readOnly of [false, true]) {
      const error = await open(file, { readOnly }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NewerVersionError)
      expect(String(error)).toContain(`${file} has layout 99`)
    }
    expect(connect(file).prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
  })

  test('whose making was cut short is made again', async () => {
    const file = newFile()
    writeFileSync(`${file}.new`, 'half of a log')
    writeFileSync(`${file}.new-wal`, 'the other half')
    const store = await open(file)
    await store.append('cart-1', noStream, newEvents(1))
    expect(existsSync(`${file}.new`)).toBe(false)
    expect(existsSync(`${file}.new-wal`)).toBe(false)
  })

  test('as a crash leaves it has all that was answered', async () => {
    const file = newFile()
    const store = await open(file)
    const copy = newFile()
    for (let revision = noStream; revision < 20; revision++) {
      await store.append('cart-1', revision, newEvents(1))
      if (revision % 5 !== 0) continue
      for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix)
      const copied = await open(copy)
      expect(await logOf(copied)).toEqual(await logOf(store))
      expect(copied.logId).toBe(store.logId)
      await copied.close()
    }
  })

  test('stands alone when it is closed', async () => {
    const file = await filledFile()
    expect(existsSync(`${file}-wal`)).toBe(false)
  })
})

describe('a store that is open only to be read', () => {
  test('reads what another one writes, and writes nothing', async () => {
    const file = newFile()
    const store = await open(file)
    const reader = await open(file, { readOnly: true })
    expect([store.soleWriter, reader.soleWriter]).toEqual([true, false])
    await store.append('cart-1', noStream, newEvents(3))
    expect(await logOf(reader)).toEqual(await logOf(store))
    expect(reader.logId).toBe(store.logId)
    await expect(reader.append('cart-1', 2, newEvents(1))).rejects.toThrow('only to be read')
    await expect(reader.saveCheckpoint('refund', await reader.head())).rejects.toThrow('only to be read')
    expect(await follow(reader).ended).toMatchObject({ message: expect.stringContaining('only to be read') })
    await reader.close()
    await expect(reader.head()).rejects.toMatchObject({ code: 'log-closed' })
    await store.append('cart-1', 2, newEvents(1))
  })
})

test('a store that is not there is not made by reading it', async () => {
  const file = newFile()
  await expect(open(file, { readOnly: true })).rejects.toThrow(`There is no event log ${file}`)
  expect(existsSync(file)).toBe(false)
})

describe('writing', () => {
  test('that another connection keeps from happening is refused, and goes on later', async () => {
    const file = newFile()
    const store = await open(file, { busyTimeoutMs: 1 })
    const follower = follow(store)
    const events = newEvents(2)
    await store.append('cart-1', noStream, events)
    const other = connect(file)
    other.exec('BEGIN IMMEDIATE')
    const refused = await Promise.allSettled([
      store.append('cart-1', 1, newEvents(1)),
      store.append('cart-2', 5, events),
    ])
    for (const result of refused) {
      expect(result).toMatchObject({ reason: { name: 'UnavailableError', code: 'log-unavailable' } })
    }
    other.exec('ROLLBACK')
    expect(await logOf(store)).toHaveLength(2)
    const { positions } = await store.append('cart-1', 1, newEvents(1))
    await follower.reached(positions[0] ?? Number.NaN)
    expect(follower.events).toStrictEqual(await logOf(store))
    await follower.stop()
  })

  test('goes on in another thread when its own dies, and what it had is in doubt', async () => {
    const threads: Worker[] = []
    const note = (thread: Worker) => threads.push(thread)
    process.on('worker', note)
    onTestFinished(() => void process.off('worker', note))
    const store = await open(newFile())
    const follower = follow(store)
    await store.append('cart-1', noStream, newEvents(1))
    for (let revision = 0; revision < 6; revision += 2) {
      const events = newEvents(2)
      const appended = store.append('cart-1', revision, events)
      await turn() // so that the group is on its way
      const killed = threads.at(-1)?.terminate()
      const error = await appended.catch((thrown: unknown) => thrown)
      await killed
      if (error instanceof Error) expect(error).toBeInstanceOf(InDoubtError)
      const result = await store.append('cart-1', revision, events)
      expect(await streamOf(store, 'cart-1', revision + 1)).toEqual(recordedOf('cart-1', revision, events, result))
      await follower.reached(result.positions.at(-1) ?? Number.NaN)
      expect(follower.events).toStrictEqual(await logOf(store))
    }
    expect(threads.length).toBeGreaterThan(1)
    await follower.stop()
  })

  test('saves checkpoints also where nothing is appended', async () => {
    const file = newFile()
    const store = await open(file, { checkpointDelayMs: 1 })
    await store.saveCheckpoint('refund', { logId: store.logId, position: 0, eventId: '' })
    const other = connect(file)
    await expect.poll(() => other.prepare('SELECT name FROM checkpoints').all()).toEqual([{ name: 'refund' }])
  })

  test('keeps the write-ahead log short, though somebody always reads', async () => {
    const file = newFile()
    const maxWalBytes = 1_000_000
    const store = await open(file, { maxWalBytes })
    const [one, other] = [connect(file), connect(file)]
    const done = new AbortController()
    async function readAlways(): Promise<void> {
      for (let [next, last] = [one, other]; !done.signal.aborted; [next, last] = [last, next]) {
        next.exec('BEGIN; SELECT count(*) FROM events')
        if (last.isTransaction) last.exec('ROLLBACK')
        await turn()
      }
    }
    const reading = readAlways()
    let largest = 0
    for (let revision = noStream; revision < 60; revision++) {
      await store.append('cart-1', revision, [eventOfBytes(200_000)])
      largest = Math.max(largest, statSync(`${file}-wal`).size)
    }
    done.abort()
    await reading
    expect(largest).toBeLessThan(6 * maxWalBytes)
    expect(await logOf(store)).toHaveLength(61)
  })
})
