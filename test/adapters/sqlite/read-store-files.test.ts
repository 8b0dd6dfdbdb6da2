import { fork } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteReadStore } from '../../../src/adapters/sqlite/read-store.ts'
import { NewerVersionError } from '../../../src/engine/errors.ts'
import type { Generation, ReadStore } from '../../../src/engine/read-store.ts'
import { at, ordersSpec, put } from '../../read-store-orders.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let store: ReadStore
let errors: unknown[]

const open = () => openSqliteReadStore({ directory: directory.path, onError: (error) => errors.push(error) })
const files = () => readdirSync(directory.path).sort()
const pathOf = (name: string) => join(directory.path, name)

beforeEach(() => {
  directory = temporaryDirectory()
  errors = []
  store = open()
})

afterEach(async () => {
  await store.close()
  directory.remove()
})

/** A live generation with documents, closed. */
async function liveGeneration(documents = 3): Promise<string> {
  const generation = await store.createGeneration(ordersSpec)
  await fill(generation, documents)
  await store.makeLive(generation.id)
  await generation.close()
  return generation.id
}

function fill(generation: Generation, documents: number): Promise<unknown> {
  const writes = Array.from({ length: documents }, (_, number) =>
    put(`order-${number}`, 1, { status: 'x'.repeat(200) }),
  )
  return generation.write(writes, at(1))
}

function layoutVersion(name: string, version: number): void {
  const database = new DatabaseSync(pathOf(name))
  database.exec(`PRAGMA user_version = ${version}`)
  database.close()
}

describe('the files of the read store', () => {
  test('are one for each generation, deleted with it though it is open', async () => {
    const id = await liveGeneration()
    const next = await store.createGeneration(ordersSpec)
    await fill(next, 3)
    expect(id).toMatch(/^orders-3-[0-9a-f]{12}$/)
    expect(files()).toEqual(expect.arrayContaining([`${id}.db`, `${next.id}.db`, `${next.id}.db-wal`]))
    await store.dropGeneration(next.id)
    expect(files().filter((name) => name.startsWith(next.id))).toEqual([])
    expect(existsSync(pathOf(`${id}.db`))).toBe(true)
    await expect(next.count('orders')).rejects.toMatchObject({ code: 'generation-closed' })
  })

  test('can be read by their owner only', async () => {
    const id = await liveGeneration()
    for (const name of [`${id}.db`, 'generations.db', 'generations.db-wal', 'snapshots.db']) {
      expect(statSync(pathOf(name)).mode & 0o777).toBe(0o600)
    }
  })

  test('that no pointer knows are deleted when the store is opened, and nothing else', async () => {
    const id = await liveGeneration()
    await store.close()
    const orphans = ['orders-3-0123456789ab.db', 'orders-3-0123456789ab.db-wal', 'orders-3-0123456789ab.db-shm']
    for (const name of [...orphans, 'notes.db', 'orders.txt']) writeFileSync(pathOf(name), 'x')
    store = open()
    const left = files()
    expect(left).toEqual(expect.arrayContaining([`${id}.db`, 'notes.db', 'orders.txt']))
    expect(left).not.toEqual(expect.arrayContaining([orphans[0]]))
    expect(left.filter((name) => orphans.includes(name))).toEqual([])
  })

  test('of a generation that is being made are no orphans to another thread', async () => {
    const made = await store.createGeneration(ordersSpec)
    const other = open()
    expect(await other.openGeneration(made.id, ordersSpec)).toBeDefined()
    await other.close()
    await fill(made, 3)
    expect(await made.count('orders')).toBe(3)
  })

  test('keep no batch without its checkpoint when the process dies', async () => {
    const generation = await store.createGeneration(ordersSpec)
    await fill(generation, 10)
    await expect(generation.write([put('a', 2, {}), put('b', 2, { status: ['x'] })], at(2))).rejects.toThrow(TypeError)
    expect(await generation.count('orders')).toBe(10)
    expect(await generation.checkpoint()).toEqual(at(1))
  })
})

describe('damage to the read store', () => {
  test.each([
    ['deleted', (file: string) => rmSync(file)],
    ['emptied', (file: string) => truncateSync(file)],
    ['no database', (file: string) => writeFileSync(file, 'not a database, '.repeat(1_000))],
  ])('a generation that is %s counts as not there', async (_, damage) => {
    const id = await liveGeneration()
    damage(pathOf(`${id}.db`))
    expect(await store.openGeneration(id, ordersSpec)).toBeUndefined()
    expect(await store.generations()).toEqual([])
    await store.close()
    store = open()
    expect(await store.generations()).toEqual([])
    expect(files().filter((name) => name.startsWith(id))).toEqual([])
  })

  test('a generation whose damage shows only when it is read is gone from then on', async () => {
    const id = await liveGeneration(2_000)
    const file = pathOf(`${id}.db`)
    const bytes = readFileSync(file)
    bytes.fill(0xff, 20 * 4096)
    writeFileSync(file, bytes)
    const generation = await store.openGeneration(id, ordersSpec)
    const ids = Array.from({ length: 2_000 }, (_, number) => ({ collection: 'orders', id: `order-${number}` }))
    await expect(generation?.read(ids)).rejects.toMatchObject({ name: 'UnavailableError', code: 'generation-corrupt' })
    expect(errors).toHaveLength(1)
    expect(await store.generations()).toEqual([])
  })

  test('a document that is no JSON is damage', async () => {
    const id = await liveGeneration()
    const database = new DatabaseSync(pathOf(`${id}.db`))
    database.exec(`UPDATE orders SET _body = '{' WHERE _id = 'order-1'`)
    database.close()
    const generation = await store.openGeneration(id, ordersSpec)
    const find = generation?.find({ collection: 'orders', index: 'byStatus', limit: 9 })
    await expect(find).rejects.toMatchObject({ code: 'generation-corrupt' })
  })

  test('damaged pointers are set aside and made anew', async () => {
    const id = await liveGeneration()
    await store.close()
    writeFileSync(pathOf('generations.db'), 'not a database, '.repeat(1_000))
    store = open()
    expect(errors).toHaveLength(1)
    expect(await store.generations()).toEqual([])
    expect(files()).toContain('generations.db.corrupt')
    expect(files()).not.toContain(`${id}.db`)
    expect(await store.openGeneration(await liveGeneration(), ordersSpec)).toBeDefined()
  })

  test('pointers that say nonsense are damaged', async () => {
    await liveGeneration()
    await store.close()
    const file = pathOf('generations.db')
    writeFileSync(file, readFileSync(file, 'latin1').replace('live', 'lime'), 'latin1')
    store = open()
    expect(errors).toHaveLength(1)
    expect(await store.generations()).toEqual([])
  })

  test('a flipped bit in a snapshot makes it one that is not there', async () => {
    const snapshot = { stream: 'a', logId: 'log-1', stateVersion: 1, revision: 5, position: 9 }
    await store.saveSnapshot({ ...snapshot, state: { total: 1234567 } })
    await store.close()
    const file = pathOf('snapshots.db')
    writeFileSync(file, readFileSync(file, 'latin1').replace('1234567', '1234566'), 'latin1')
    store = open()
    expect(await store.loadSnapshot('a')).toBeUndefined()
    expect(errors).toHaveLength(1)
    await store.saveSnapshot({ ...snapshot, state: 'again' })
    expect(await store.loadSnapshot('a')).toEqual({ ...snapshot, state: 'again' })
  })

  test.each(['generations.db', 'snapshots.db'])('a newer layout of %s is refused and left as it is', async (name) => {
    const id = await liveGeneration()
    await store.close()
    layoutVersion(name, 99)
    expect(open).toThrow(NewerVersionError)
    layoutVersion(name, 1)
    store = open()
    expect((await store.generations()).map((info) => info.id)).toEqual([id])
  })
})

describe('a process that is killed while it writes', () => {
  test('leaves whole batches and their checkpoint', { timeout: 60_000 }, async () => {
    const child = fork(new URL('./write-generation.ts', import.meta.url), [directory.path])
    const id = await new Promise<string>((resolve) => child.once('message', (message) => resolve(String(message))))
    await new Promise((resolve) => child.on('message', (message) => message === 'half' && resolve(undefined)))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const generation = await open().openGeneration(id, ordersSpec)
    const position = (await generation?.checkpoint())?.position ?? 0
    expect(position).toBeGreaterThanOrEqual(100)
    expect(await generation?.count('orders')).toBe(position * 50)
  })
})

test('a write-ahead log that has grown is put away by another thread than that of its writer', async () => {
  const generation = await store.createGeneration(ordersSpec)
  const file = pathOf(`${generation.id}.db`)
  const before = statSync(file).size
  let position = 0
  async function writeSome(): Promise<number> {
    position++
    const writes = Array.from({ length: 500 }, (_, number) =>
      put(`${position}-${number}`, position, { status: 'open' }),
    )
    await generation.write(writes, at(position))
    await generation.flush()
    return statSync(file).size
  }
  await expect.poll(writeSome).toBeGreaterThan(before)
  // The writer would do it only when the log has become ten times as long.
  expect(statSync(`${file}-wal`).size).toBeLessThan(20_000_000)
  await store.close()
  expect(
    await open()
      .openGeneration(generation.id, ordersSpec)
      .then((opened) => opened?.count('orders')),
  ).toBe(position * 500)
})

describe('a thread that writes a generation', () => {
  test('and one that reads it do not wait for each other, and no batch is seen in part', {
    timeout: 60_000,
  }, async () => {
    const worker = new Worker(new URL('./write-generation.ts', import.meta.url), { workerData: directory.path })
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    const id = await new Promise<string>((resolve) => worker.once('message', resolve))
    const generation = await store.openGeneration(id, ordersSpec)
    let seen = 0
    for (let position = 0; position < 200; ) {
      const count = (await generation?.count('orders')) ?? 0
      position = (await generation?.checkpoint())?.position ?? 0
      expect(count % 50).toBe(0)
      expect(position).toBeGreaterThanOrEqual(count / 50) // the checkpoint was read after the count
      seen = Math.max(seen, count)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
    expect(await generation?.count('orders')).toBe(200 * 50)
    expect(seen).toBeGreaterThan(0)
  })
})
