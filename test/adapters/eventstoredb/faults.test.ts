import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { InDoubtError, UnavailableError } from '../../../src/engine/errors.ts'
import { type AppendResult, type EventStore, noStream } from '../../../src/engine/event-store.ts'
import { collected, follow, logOf, recordedOf, streamOf } from '../../contract/log-readers.ts'
import { eventOfBytes, newEvent, newEvents } from '../../contract/new-event.ts'
import { openStore, startServer } from './opened-store.ts'

/** What the adapter does when the server, or the way to it, fails. That nothing is rejected unhandled is for vitest to see. */

const mebibyte = 1024 * 1024

/** Bytes of buffers that are still in use. What is not is let go of in the background, after a collection. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

/** Repeats an append as the mailbox does, until its outcome is known. */
async function appendSurely(
  store: EventStore,
  stream: string,
  expectedRevision: number,
  events = newEvents(1),
): Promise<AppendResult> {
  for (;;) {
    try {
      return await store.append(stream, expectedRevision, events)
    } catch (error) {
      if (!(error instanceof InDoubtError || error instanceof UnavailableError)) throw error
      await turn()
    }
  }
}

test.each([
  ['is lost', false],
  ['is lost with the connection', true],
])('an append whose answer %s is in doubt, and gives the first result when it is repeated', async (_, thenDrop) => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 200 })
  for (const count of [1, 3]) {
    const events = newEvents(count)
    server.faults.loseNextAnswers(1, thenDrop)
    await expect(store.append(`cart-${count}`, noStream, events)).rejects.toThrow(InDoubtError)
    await appendSurely(store, `order-${count}`, noStream)
    const result = await appendSurely(store, `cart-${count}`, noStream, events)
    const expected = recordedOf(`cart-${count}`, noStream, events, result)
    expect(await streamOf(store, `cart-${count}`)).toStrictEqual(expected)
  }
})

test('answers that come twice change nothing', async () => {
  const server = await startServer()
  const store = await openStore(server.url)
  server.faults.repeatNextAnswers(40)
  const appends = Array.from({ length: 40 }, (_, number) => store.append(`cart-${number}`, noStream, newEvents(1)))
  await Promise.all(appends)
  await store.append('cart-0', 0, newEvents(1))
  expect(await logOf(store)).toHaveLength(41)
})

test('an append that finds no server is refused, for nothing was written', async () => {
  const server = await startServer()
  const store = await openStore(server.url)
  await store.append('cart-1', noStream, newEvents(1))
  await server.goDown('killed')
  await expect
    .poll(() => store.append('cart-1', 0, newEvents(1)).catch((error: unknown) => error))
    .toMatchObject({ name: 'UnavailableError', code: 'log-unavailable' })
  await server.comeUp()
  await appendSurely(store, 'cart-1', 0)
  expect(await streamOf(store, 'cart-1')).toHaveLength(2)
})

test.each(['stopping', 'killed'] as const)(
  'appends under way at a server that is %s lose nothing that was answered',
  async (how) => {
    const server = await startServer()
    const store = await openStore(server.url)
    const streams = Array.from({ length: 32 }, (_, number) => `cart-${number}`)
    let rounds = 0
    const writers = streams.map(async (stream) => {
      for (let revision = noStream; revision < 20; revision++) {
        await appendSurely(store, stream, revision)
        rounds++
      }
    })
    for (const limit of [100, 300, 500]) {
      while (rounds < limit) await turn()
      await server.restart(how)
    }
    await Promise.all(writers)
    for (const stream of streams) expect(await streamOf(store, stream)).toHaveLength(21)
    expect(await logOf(store)).toHaveLength(32 * 21)
  },
)

test('64 appends of 500 KB in flight at a server that is killed all end, and can be repeated', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 5_000 })
  await store.append('cart-warm', noStream, newEvents(1))
  const given = Array.from({ length: 64 }, (_, number) => ({ stream: `cart-${number}`, event: eventOfBytes(500_000) }))
  const appends = given.map(({ stream, event }) => store.append(stream, noStream, [event]))
  const settled = Promise.allSettled(appends)
  await turn()
  await server.restart('killed')
  const failed = (await settled).filter((outcome) => outcome.status === 'rejected')
  expect(failed.length).toBeGreaterThan(0)
  for (const { reason } of failed) expect(reason).toBeInstanceOf(InDoubtError)
  for (const { stream, event } of given) await appendSurely(store, stream, noStream, [event])
  expect(await logOf(store)).toHaveLength(65)
})

test('a frozen server leaves appends in doubt, within their time, and nothing piles up', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 30, maxBytesUnderWay: 16 * mebibyte })
  await appendSurely(store, 'cart-1', noStream)
  server.faults.freeze()
  const events = [eventOfBytes(900_000)]
  const before = heldBytes()
  const append = (stream: string) => store.append(stream, 0, events)
  await expect(append('cart-1')).rejects.toThrow(InDoubtError)
  async function outcomes(): Promise<readonly unknown[]> {
    const all = await Promise.allSettled([append('cart-1'), append('cart-2'), append('cart-3')])
    return all.map((outcome) => outcome.status === 'rejected' && outcome.reason)
  }
  // One goes out to see whether the server answers again; others are refused, for they would only wait in memory.
  const refused = [expect.any(Error), expect.any(UnavailableError), expect.any(UnavailableError)]
  // An answer may still have been on its way.
  await expect.poll(outcomes).toEqual(refused)
  for (let tries = 0; tries < 50; tries++) expect(await outcomes()).toEqual(refused)
  await expect.poll(() => heldBytes() - before).toBeLessThan(64 * mebibyte)
  server.faults.thaw()
  await appendSurely(store, 'cart-1', 0, events)
  expect(await streamOf(store, 'cart-1')).toHaveLength(2)
})

test('what waits for answers is bounded', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 200, maxAppendsUnderWay: 3, maxBytesUnderWay: mebibyte })
  server.faults.freeze()
  const waiting = [1, 2].map((number) => store.append(`cart-${number}`, noStream, [eventOfBytes(400_000)]))
  await expect(store.append('cart-3', noStream, [eventOfBytes(400_000)])).rejects.toMatchObject({ code: 'log-busy' })
  waiting.push(store.append('cart-4', noStream, newEvents(1)))
  await expect(store.append('cart-5', noStream, newEvents(1))).rejects.toMatchObject({ code: 'log-busy' })
  for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected')
  server.faults.thaw()
  await appendSurely(store, 'cart-5', noStream)
})

test('a read of a server that falls silent ends as unavailable', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { readTimeoutMs: 50 })
  await appendSurely(store, 'cart-1', noStream)
  server.faults.freeze()
  for (const read of [() => collected(store.readStream('cart-1')), () => store.head(), () => store.eventAt(1)]) {
    await expect(read()).rejects.toMatchObject({ code: 'log-unavailable' })
  }
  server.faults.thaw()
  // On a busy machine it may be silent for as long once more.
  await expect.poll(() => streamOf(store, 'cart-1')).toHaveLength(1)
})

test.each([
  ['all events', undefined],
  ['events of some types', { types: new Set(['ItemRemoved']) }],
  ['events of a category', { categories: new Set(['cart']) }],
])(
  'a connection that is cut in the midst of a scan of %s leaves out nothing, and gives nothing twice',
  async (_, filter) => {
    const server = await startServer()
    const store = await openStore(server.url)
    for (let number = 0; number < 40; number++) {
      const stream = `${number % 2 === 0 ? 'cart' : 'order'}-${number}`
      await store.append(stream, noStream, [newEvent(), newEvent({ type: 'ItemRemoved' }), newEvent()])
    }
    const whole = await logOf(store, 0, filter)
    expect(whole.length).toBeGreaterThanOrEqual(40)
    for (const messages of [2, 3, 7, 15, 29]) {
      server.faults.cutReadsAfter(messages)
      const batches = await collected(store.readAll({ after: 0, batchSize: 4, ...(filter && { filter }) }))
      expect(batches.flatMap(({ events }) => events)).toEqual(whole)
    }
  },
)

test('a subscription goes on over cuts, aborts, restarts and a frozen server, where it was', async () => {
  const server = await startServer()
  const failures: unknown[] = []
  const store = await openStore(server.url, { onFailure: (error) => failures.push(error) })
  const followers = [follow(store, { batchSize: 3 }), follow(store, { filter: { exceptTypes: new Set(['Shipped']) } })]
  let revision = noStream
  async function appendSome(): Promise<void> {
    for (let times = 0; times < 10; times++)
      revision = (await appendSurely(store, 'cart-1', revision, newEvents(2))).revision
  }
  await appendSome()
  const faults = [
    () => server.faults.cutReadsAfter(5),
    () => server.faults.abortSubscriptions(),
    () => server.faults.dropConnections(),
    () => server.restart('stopping'),
    () => server.restart('killed'),
    () => server.faults.freeze(50),
  ]
  for (const fault of faults) {
    await fault()
    await appendSome()
  }
  const { position } = await store.head()
  const log = await logOf(store)
  expect(log).toHaveLength(140)
  for (const follower of followers) {
    await follower.reached(position)
    expect(follower.events).toEqual(log)
    await follower.stop()
  }
  expect(failures.length).toBeGreaterThan(0)
})

test('a slow reader of a server that tells it to subscribe again misses nothing', async () => {
  const server = await startServer({ maxLiveBacklog: 4 })
  const store = await openStore(server.url)
  await store.append('cart-1', noStream, newEvents(1))
  const follower = follow(store, { batchSize: 2, pace: () => turn() })
  await follower.reached((await store.head()).position)
  const events = newEvents(600)
  for (let number = 0; number < 600; number += 100) {
    await store.append('cart-1', number, events.slice(number, number + 100))
  }
  await follower.reached((await store.head()).position)
  expect(follower.events.map(({ revision }) => revision)).toEqual(Array.from({ length: 601 }, (_, n) => n))
  await follower.stop()
})

test('close ends in its time at a frozen server, and says of its appends that they are in doubt', async () => {
  const server = await startServer()
  const store = await openStore(server.url, { appendTimeoutMs: 60_000, closeTimeoutMs: 50 })
  await store.append('cart-1', noStream, newEvents(1))
  await store.saveCheckpoint('refund', await store.head())
  server.faults.freeze()
  const follower = follow(store)
  const appends = Promise.allSettled([1, 2].map((number) => store.append(`cart-${number}`, number - 2, newEvents(1))))
  await store.close()
  for (const outcome of await appends) expect(outcome).toMatchObject({ reason: expect.any(InDoubtError) })
  expect(await follower.ended).toMatchObject({ code: 'log-closed' })
})

test('a store does not open where no server answers', async () => {
  const server = await startServer()
  await server.goDown()
  await expect(openStore(server.url, { openTimeoutMs: 10 })).rejects.toMatchObject({ code: 'log-unavailable' })
})

test('a store opens as soon as its server is there', async () => {
  const server = await startServer()
  await server.goDown()
  const opened = openStore(server.url)
  await turn()
  await server.comeUp()
  expect((await opened).logId).not.toBe('')
})
