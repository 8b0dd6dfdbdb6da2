import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type Connection, connect, succeed } from '../../src/cli/connection.ts'
import { importOnlineRetail } from '../../src/cli/import.ts'
import { readConfig } from '../../src/config.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { sampleRows, writeSample } from './online-retail/sample.ts'
import { printedLines } from './printed.ts'

const { printed } = printedLines()

const figures = () => printed.map((row) => row.trim().split(/\s{2,}/))

/** A whole Daybook in this process on a directory of its own, and a directory for files. */
async function open() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const connection = await connect(
    readConfig({ DAYBOOK_DATA_DIR: join(path, 'data'), DAYBOOK_PORT: '0', DAYBOOK_METRICS_PORT: '0' }),
  )
  onTestFinished(() => connection.close())
  const rejects = join(path, 'rejects.csv')
  const get = async (route: string) => z.looseObject({}).parse((await succeed(connection.send('GET', route))).body)
  return { connection, directory: path, rejects, get }
}

/** Counts what is sent, and lets something happen just before one of the requests. */
function counted(connection: Connection, at = Number.POSITIVE_INFINITY, happen = () => {}) {
  const commands: string[] = []
  let count = 0
  const counting: Connection = {
    ...connection,
    send(method, path, options) {
      if (++count === at) happen()
      if (method !== 'GET') commands.push(`${method} ${path}`)
      return connection.send(method, path, options)
    },
  }
  return { connection: counting, commands }
}

const Head = z.object({ items: z.array(z.object({ position: z.number(), lag: z.number() })) })

async function eventCount(get: (route: string) => Promise<unknown>): Promise<number> {
  const { items } = Head.parse(await get('/v1/projections'))
  return Math.max(...items.map(({ position, lag }) => position + lag))
}

describe('an import', () => {
  test('brings in orders, goods, stock and refunds, and reconciles them to the penny', async () => {
    const { connection, directory, rejects, get } = await open()
    await importOnlineRetail(connection, writeSample(directory, 'sample.csv.gz'), { rejects })

    expect(figures()).toEqual(
      expect.arrayContaining([
        ['read from the file', '24'],
        ['2010-12', 'IE', '1', '1', '8', '8', '81.48', '81.48', 'equal'],
        ['2011-01', 'JE', '1', '1', '13', '13', '38.35', '38.35', 'equal'],
        ['2010-12', 'all', '4', '4', '36', '36', '215.48', '215.48', 'equal'],
        ['all', 'all', '12', '12', '31.44', '31.44', 'equal'],
        ['Everything is equal.'],
      ]),
    )
    expect(readFileSync(rejects, 'utf8').trim().split('\n')).toHaveLength(9)
    expect(await get('/v1/orders/online-retail-536365')).toMatchObject({
      number: '536365',
      customerId: '17850',
      email: null,
      status: 'completed',
      placedAt: '2010-12-01T08:26:00.000Z',
      totals: { total: 5_196 },
      refunds: expect.arrayContaining([
        expect.objectContaining({ refundId: 'C536380', lines: [{ lineId: '2', quantity: 1 }], total: 339 }),
        expect.objectContaining({ refundId: 'C536382', lines: [{ lineId: '1', quantity: 4 }], total: 1_020 }),
      ]),
    })
  })

  test('leaves nothing of what it sold in stock, and nothing in the shop that is no goods', async () => {
    const { connection, directory, rejects, get } = await open()
    await importOnlineRetail(connection, writeSample(directory), { rejects })
    expect(await get('/v1/stock-levels/85123A')).toMatchObject({ onHand: 0, reserved: 0 })
    expect(await get('/v1/stock-levels/71053')).toMatchObject({ onHand: 0, reserved: 0 })
    expect((await connection.send('GET', '/v1/stock-levels/POST')).status).toBe(404)
    const sold = await get('/v1/products?language=en&currency=GBP&category=online-retail')
    expect(sold.items).toHaveLength(5)
  })

  test('run again sends nothing', async () => {
    const { connection, directory, rejects, get } = await open()
    const file = writeSample(directory)
    await importOnlineRetail(connection, file, { rejects })
    const before = await eventCount(get)
    const again = counted(connection)
    await importOnlineRetail(again.connection, file, { rejects })
    expect(again.commands).toEqual([])
    expect(await eventCount(get)).toBe(before)
  })

  test('of a second file brings in what that has, also of the same goods', async () => {
    const { connection, directory, rejects, get } = await open()
    await importOnlineRetail(connection, writeSample(directory), { rejects })
    const rows = ['600001,85123A,WHITE HEART,2,2011-03-01T08:26:00,2.55,17850,United Kingdom']
    await importOnlineRetail(connection, writeSample(directory, 'second.csv', rows), { rejects })
    expect(await get('/v1/orders/online-retail-600001')).toMatchObject({ totals: { total: 510 } })
  })

  test('stopped anywhere goes on with the same command, and nothing is there twice', async () => {
    const whole = await open()
    await importOnlineRetail(whole.connection, writeSample(whole.directory), whole)

    const { connection, directory, rejects, get } = await open()
    const file = writeSample(directory)
    // Each run gets a little further: there are 5 orders to ask for, and 30 commands.
    for (const at of [3, 8, 13, 18, 23, 28]) {
      const stopping = new AbortController()
      const { connection: stopped } = counted(connection, at, () => stopping.abort())
      const run = importOnlineRetail(stopped, file, { rejects, signal: stopping.signal })
      await expect(run).rejects.toThrow('Run the same command again')
    }
    await importOnlineRetail(connection, file, { rejects })
    expect(await get('/v1/stock-levels/85123A')).toMatchObject({ onHand: 0 })
    expect(await eventCount(get)).toBe(await eventCount(whole.get))
  })

  test('leaves what the shop has changed since as it is', async () => {
    const { connection, directory, rejects, get } = await open()
    const file = writeSample(directory)
    const stopping = new AbortController()
    const { connection: stopped } = counted(connection, 30, () => stopping.abort())
    await expect(importOnlineRetail(stopped, file, { rejects, signal: stopping.signal })).rejects.toThrow()
    const texts = { en: { title: 'Heart', description: 'White.' } }
    await succeed(connection.send('POST', '/v1/products/online-retail-85123A/texts', { body: { texts } }))
    await importOnlineRetail(connection, file, { rejects })
    expect(await get('/v1/products/online-retail-85123A?language=en&currency=GBP')).toMatchObject({ title: 'Heart' })
  })

  test('of a file that is cut short sends nothing and leaves no file', async () => {
    const { connection, directory, rejects } = await open()
    const { connection: counting, commands } = counted(connection)
    const cut = writeSample(directory, 'cut.csv', [...sampleRows, sampleRows[0].slice(0, 40)])
    await expect(importOnlineRetail(counting, cut, { rejects })).rejects.toThrow('Nothing was imported')
    expect(commands).toEqual([])
    expect(existsSync(rejects)).toBe(false)
  })

  test('fails when the figures differ', async () => {
    const { connection, directory, rejects } = await open()
    await importOnlineRetail(connection, writeSample(directory), { rejects })
    const dearer = sampleRows.map((row) => row.replace('2011-01-04T12:00:00,2.95', '2011-01-04T12:00:00,2.96'))
    const other = writeSample(directory, 'other.csv', dearer)
    await expect(importOnlineRetail(connection, other, { rejects })).rejects.toThrow('2 differences')
    expect(figures()).toContainEqual(['2011-01', 'JE', '1', '1', '13', '13', '38.48', '38.35', 'DIFFERENT'])
  })
})
