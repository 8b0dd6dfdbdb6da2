import {
  BACKWARDS,
  binaryEvent,
  END,
  EventStoreDBClient,
  type EventType,
  jsonEvent,
  NO_STREAM,
  type ResolvedEvent,
} from '@eventstore/db-client'
import { v5 as uuidv5 } from 'uuid'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EventStoreServer, startEventStoreServer } from './eventstoredb/server.ts'

/** What was measured of EventStoreDB 23.10, or read in its source, as tests of the server that stands in for it. */

let server: EventStoreServer
let client: EventStoreDBClient

async function start(options?: Parameters<typeof startEventStoreServer>[0]): Promise<void> {
  server = await startEventStoreServer(options)
  client = EventStoreDBClient.connectionString(server.url)
}

afterEach(async () => {
  await client.dispose()
  await server.stop()
})

function numbered(...numbers: number[]) {
  return numbers.map((number) => jsonEvent({ id: idOf(number), type: 'Counted', data: { number } }))
}

function idOf(number: number): string {
  return uuidv5(String(number), '6ba7b810-9dad-11d1-80b4-00c04fd430c8')
}

function numbersOf(events: readonly ResolvedEvent<EventType>[]): unknown[] {
  return events.map(({ event }) => event?.data)
}

async function readAllOf(events: AsyncIterable<ResolvedEvent<EventType>>): Promise<ResolvedEvent<EventType>[]> {
  return await Array.fromAsync(events)
}

function revisions(events: readonly ResolvedEvent<EventType>[]): (bigint | undefined)[] {
  return events.map(({ event }) => event?.revision)
}

function positionOf({ event }: ResolvedEvent<EventType>) {
  if (!event?.position) throw new Error('An event has no position.')
  return event.position
}

async function seen(stream: string): Promise<unknown[]> {
  return numbersOf(await readAllOf(client.readStream(stream)))
}

describe.each([
  ['in one stream of batch appends', true],
  ['in a call for each append', false],
])('appends %s', (_name, hasBatchAppend) => {
  beforeEach(() => start({ hasBatchAppend, maxAppendBytes: 100_000 }))

  test('answer with the revision of their last event, and its position', async () => {
    const first = await client.appendToStream('counts', numbered(1, 2), { expectedRevision: NO_STREAM })
    const second = await client.appendToStream('counts', numbered(3), { expectedRevision: 1n })
    expect(first.nextExpectedRevision).toBe(1n)
    expect(second.nextExpectedRevision).toBe(2n)
    const events = await readAllOf(client.readStream('counts'))
    expect(events.map((event) => event.commitPosition)).toEqual(events.map((event) => positionOf(event).commit))
    expect(events.slice(1).map(positionOf)).toEqual([first.position, second.position])
  })

  test('rise strictly with gaps, commit position and prepare position alike', async () => {
    await client.appendToStream('counts', numbered(1, 2, 3))
    await client.appendToStream('other', numbered(4))
    const positions = (await readAllOf(client.readAll())).map(positionOf)
    for (const [index, { commit, prepare }] of positions.entries()) {
      expect(prepare).toBe(commit)
      if (index > 0) expect(commit).toBeGreaterThan((positions[index - 1]?.commit ?? commit) + 1n)
    }
  })

  test('with the same ids give the first answer, even after later ones', async () => {
    const first = await client.appendToStream('counts', numbered(1, 2), { expectedRevision: NO_STREAM })
    const second = await client.appendToStream('counts', numbered(3, 4), { expectedRevision: 1n })
    await client.appendToStream('counts', numbered(5))
    expect(await client.appendToStream('counts', numbered(1, 2), { expectedRevision: NO_STREAM })).toEqual(first)
    expect(await client.appendToStream('counts', numbered(1, 2))).toEqual(first)
    expect(await client.appendToStream('counts', numbered(3, 4), { expectedRevision: 1n })).toEqual(second)
    expect(await seen('counts')).toHaveLength(5)
  })

  test('with some ids that are there are refused', async () => {
    await client.appendToStream('counts', numbered(1, 2), { expectedRevision: NO_STREAM })
    const refused = { type: 'wrong-expected-version', actualVersion: 1n }
    const overlaps = [numbered(2, 3), numbered(1, 3), numbered(1, 2, 3), numbered(2, 1)]
    for (const overlap of overlaps) {
      await expect(client.appendToStream('counts', overlap, { expectedRevision: NO_STREAM })).rejects.toMatchObject(
        refused,
      )
    }
    await expect(client.appendToStream('counts', numbered(1, 3))).rejects.toMatchObject(refused)
  })

  test('at a wrong revision say which it is, without a message', async () => {
    await client.appendToStream('counts', numbered(1, 2))
    await expect(client.appendToStream('counts', numbered(3), { expectedRevision: 0n })).rejects.toMatchObject({
      message: '',
      type: 'wrong-expected-version',
      streamName: 'counts',
      expectedVersion: 0n,
      actualVersion: 1n,
    })
    await expect(client.appendToStream('none', numbered(3), { expectedRevision: 7n })).rejects.toMatchObject({
      expectedVersion: 7n,
      actualVersion: 'no_stream',
    })
    await expect(client.appendToStream('counts', numbered(3), { expectedRevision: NO_STREAM })).rejects.toMatchObject({
      expectedVersion: NO_STREAM,
      actualVersion: 1n,
    })
  })

  test('are all or nothing, up to a size', async () => {
    const large = Array.from({ length: 11 }, () => jsonEvent({ type: 'Filled', data: 'x'.repeat(10_000) }))
    for (const batchAppendSize of [5_000, 1_000_000]) {
      await expect(client.appendToStream('large', large, { batchAppendSize })).rejects.toMatchObject({
        type: 'maximum-append-size-exceeded',
        maxAppendSize: 100_000,
      })
    }
    const written = await client.appendToStream('large', large.slice(2), { batchAppendSize: 5_000 })
    expect(written.nextExpectedRevision).toBe(8n)
    expect(await seen('large')).toHaveLength(9)
  })

  test('keep what was given', async () => {
    const metadata = { cause: 'né' }
    await client.appendToStream('Straße-1', [
      jsonEvent({ id: idOf(1), type: 'Named', data: { name: 'Zoë 🛒' }, metadata }),
      binaryEvent({ id: idOf(2), type: 'Drawn', data: Buffer.from([0, 255, 128]) }),
    ])
    const [named, drawn] = await readAllOf(client.readStream('Straße-1'))
    expect(named?.event).toMatchObject({ id: idOf(1), type: 'Named', data: { name: 'Zoë 🛒' }, metadata, isJson: true })
    expect(named?.event).toMatchObject({ streamId: 'Straße-1', created: expect.any(Date) })
    expect(drawn?.event).toMatchObject({ data: new Uint8Array([0, 255, 128]), metadata: undefined, isJson: false })
  })

  test('go on numbering after a deletion, but not after a tombstone', async () => {
    await client.appendToStream('counts', numbered(1, 2))
    await client.deleteStream('counts')
    await expect(seen('counts')).rejects.toMatchObject({ type: 'stream-not-found', streamName: 'counts' })
    const again = await client.appendToStream('counts', numbered(3), { expectedRevision: NO_STREAM })
    expect(again.nextExpectedRevision).toBe(2n)
    expect(await seen('counts')).toEqual([{ number: 3 }])
    await client.tombstoneStream('counts')
    const deleted = { type: 'stream-deleted', streamName: 'counts' }
    await expect(seen('counts')).rejects.toMatchObject(deleted)
    await expect(client.appendToStream('counts', numbered(4))).rejects.toMatchObject(deleted)
  })
})

describe('reads', () => {
  beforeEach(async () => {
    await start()
    await client.appendToStream('counts', numbered(0, 1, 2, 3, 4))
  })

  test('of a stream include the revision that they start from', async () => {
    const forwards = await readAllOf(client.readStream('counts', { fromRevision: 2n, maxCount: 2 }))
    expect(revisions(forwards)).toEqual([2n, 3n])
    const backwards = await readAllOf(client.readStream('counts', { fromRevision: 2n, direction: BACKWARDS }))
    expect(revisions(backwards)).toEqual([2n, 1n, 0n])
    const last = client.readStream('counts', { fromRevision: END, direction: BACKWARDS, maxCount: 1 })
    expect(revisions(await readAllOf(last))).toEqual([4n])
    expect(await readAllOf(client.readStream('counts', { fromRevision: 5n }))).toEqual([])
    await expect(seen('none')).rejects.toMatchObject({ type: 'stream-not-found' })
  })

  test('of the log include the position that they start from, and backwards begin behind it', async () => {
    const all = await readAllOf(client.readAll())
    const middle = all.at(-3)
    if (!middle) throw new Error('There are not enough events.')
    const fromPosition = positionOf(middle)
    expect(revisions(await readAllOf(client.readAll({ fromPosition })))).toEqual([2n, 3n, 4n])
    expect(revisions(await readAllOf(client.readAll({ fromPosition, maxCount: 1 })))).toEqual([2n])
    const backwards = client.readAll({ fromPosition, direction: BACKWARDS, maxCount: 2 })
    expect(revisions(await readAllOf(backwards))).toEqual([1n, 0n])
    const last = client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 1 })
    expect(revisions(await readAllOf(last))).toEqual([4n])
  })

  test('of the log fail where no record begins, and find nothing beyond its end', async () => {
    const last = (await readAllOf(client.readAll())).map(positionOf).at(-1)?.commit ?? 0n
    const inside = { commit: last - 1n, prepare: last - 1n }
    await expect(readAllOf(client.readAll({ fromPosition: inside }))).rejects.toMatchObject({ type: 'unknown' })
    const beyond = { commit: last + 1_000_000n, prepare: last + 1_000_000n }
    expect(await readAllOf(client.readAll({ fromPosition: beyond }))).toEqual([])
  })

  test('of the log show system events, but not the epochs of the node', async () => {
    await client.setStreamMetadata('counts', { maxCount: 3 })
    const all = await readAllOf(client.readAll())
    expect(all.at(-1)?.event).toMatchObject({ type: '$metadata', streamId: '$$counts', data: { $maxCount: 3 } })
    expect(all[0]?.event?.streamId).toMatch(/^\$/)
    expect(all.map(({ event }) => event?.streamId)).not.toContain('$epoch-information')
  })

  test('of a stream with a greatest count give its last events only, and the log all', async () => {
    await client.setStreamMetadata('counts', { maxCount: 2 })
    await client.setStreamMetadata('counts', { maxCount: 3 })
    expect(await seen('counts')).toEqual([{ number: 2 }, { number: 3 }, { number: 4 }])
    const backwards = client.readStream('counts', { fromRevision: END, direction: BACKWARDS })
    expect(revisions(await readAllOf(backwards))).toEqual([4n, 3n, 2n])
    expect((await client.getStreamMetadata('counts')).metadata).toEqual({ maxCount: 3 })
    expect(await readAllOf(client.readStream('$$counts'))).toHaveLength(1)
    const all = await readAllOf(client.readAll())
    expect(all.filter(({ event }) => event?.streamId === 'counts')).toHaveLength(5)
  })

  test('of a truncated stream begin where it was truncated', async () => {
    await client.setStreamMetadata('counts', { truncateBefore: 4 })
    expect(await seen('counts')).toEqual([{ number: 4 }])
  })
})

test('a cluster of one tells of itself to who asks for several nodes', async () => {
  await start()
  const host = `127.0.0.1:${server.port}`
  const discovering = EventStoreDBClient.connectionString(`esdb://${host},${host}?tls=false&nodePreference=leader`)
  const appended = await discovering.appendToStream('counts', numbered(1))
  expect(appended.success).toBe(true)
  await discovering.dispose()
})
