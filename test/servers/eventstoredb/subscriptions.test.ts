import {
  type AllStreamSubscription,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  type Position,
  streamNameFilter,
} from '@eventstore/db-client'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EventStoreServer, startEventStoreServer } from './server.ts'

let server: EventStoreServer
let client: EventStoreDBClient

beforeEach(async () => {
  server = await startEventStoreServer()
  client = EventStoreDBClient.connectionString(server.url)
})

afterEach(async () => {
  await unsubscribe()
  await client.dispose()
  await server.stop()
})

/** One event for each letter, of which it is the type, in one append. */
async function append(stream: string, letters: string): Promise<void> {
  await client.appendToStream(
    stream,
    Array.from(letters, (type) => jsonEvent({ type, data: {} })),
  )
}

type Seen = { readonly type: string; readonly position: bigint } | { readonly checkpoint: bigint } | 'caughtUp'

let watched: AllStreamSubscription[] = []

/** What a subscription has seen until now, in its order. */
function watch(subscription: AllStreamSubscription, seen: Seen[] = []): Seen[] {
  watched.push(subscription)
  subscription.on('data', ({ event }) => {
    if (event) seen.push({ type: event.type, position: event.position?.commit ?? 0n })
  })
  subscription.on('caughtUp', () => seen.push('caughtUp'))
  subscription.on('error', () => {})
  return seen
}

function subscribe(
  prefixes: string[],
  searched: { window: number; interval: number },
  fromPosition?: Position,
): Seen[] {
  const seen: Seen[] = []
  const filter = eventTypeFilter({
    prefixes,
    maxSearchWindow: searched.window,
    checkpointInterval: searched.interval,
    checkpointReached: (_subscription, { commit }) => {
      seen.push({ checkpoint: commit })
    },
  })
  return watch(client.subscribeToAll({ filter, ...(fromPosition && { fromPosition }) }), seen)
}

async function untilCaughtUp(seen: readonly Seen[]): Promise<void> {
  await expect.poll(() => seen, { interval: 2 }).toContain('caughtUp')
}

/** A connection has room for a hundred of them. */
async function unsubscribe(): Promise<void> {
  await Promise.all(watched.map((subscription) => subscription.unsubscribe()))
  watched = []
}

function typesOf(seen: readonly Seen[]): string {
  return seen.map((one) => (typeof one === 'object' && 'type' in one ? one.type : '')).join('')
}

function at(commit: bigint): Position {
  return { commit, prepare: commit }
}

async function positions(): Promise<bigint[]> {
  const events = await Array.fromAsync(client.readAll())
  return events.map(({ commitPosition = 0n }) => commitPosition)
}

test('a subscription goes on behind the position that it names, also within an append', async () => {
  await append('letters', 'ABCDE')
  const [third = 0n] = (await positions()).slice(-3)
  const seen = watch(client.subscribeToAll({ fromPosition: at(third) }))
  await untilCaughtUp(seen)
  expect(typesOf(seen)).toBe('DE')
})

test('it catches up, says so, and gets what is appended then', async () => {
  await append('letters', 'AB')
  const seen = watch(client.subscribeToAll({ filter: streamNameFilter({ prefixes: ['let'] }) }))
  await untilCaughtUp(seen)
  await append('letters', 'CD')
  await append('others', 'X')
  await append('letters', 'E')
  await expect.poll(() => typesOf(seen), { interval: 2 }).toBe('ABCDE')
  expect(seen.indexOf('caughtUp')).toBe(2)
})

test('from the end it gets only what is appended then', async () => {
  await append('letters', 'AB')
  const seen = watch(client.subscribeToAll({ fromPosition: END }))
  await untilCaughtUp(seen)
  await append('letters', 'C')
  await expect.poll(() => typesOf(seen), { interval: 2 }).toBe('C')
})

test('filters are by type or stream, by beginnings or a regular expression', async () => {
  await append('letters-1', 'ABC')
  await append('others-1', 'ABX')
  const filters = [
    [eventTypeFilter({ prefixes: ['A', 'X'] }), 'AAX'],
    [eventTypeFilter({ regex: '^[BC]$' }), 'BCB'],
    [streamNameFilter({ prefixes: ['oth'] }), 'ABX'],
    [streamNameFilter({ regex: '^[^$].*-1$' }), 'ABCABX'],
  ] as const
  for (const [filter, types] of filters) {
    const seen = watch(client.subscribeToAll({ filter }))
    await untilCaughtUp(seen)
    expect(typesOf(seen)).toBe(types)
  }
})

test('a checkpoint comes every so many searched events, matching or not, and none for the rest', async () => {
  await append('letters', 'A'.repeat(40))
  const seen = subscribe(['B'], { window: 5, interval: 2 })
  await untilCaughtUp(seen)
  // One more than can be read: the node's epoch is searched, and never seen.
  const searched = (await positions()).length + 1
  expect(seen.filter((one) => one !== 'caughtUp')).toHaveLength(Math.floor(searched / 10))
  await append('letters', 'A'.repeat(10))
  const untilNext = 10 - (searched % 10)
  const next = (await positions()).slice(-10)[untilNext - 1]
  await expect.poll(() => seen.at(-1), { interval: 2 }).toEqual({ checkpoint: next })
})

test('whoever goes on from a checkpoint misses nothing, and has seen the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[AB]{1,12}$/), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 3 }),
      async (appends, window, interval) => {
        const start = at((await positions()).at(-1) ?? 0n)
        for (const [index, letters] of appends.entries()) await append(`letters-${index}`, letters)
        const whole = subscribe(['A'], { window, interval }, start)
        await untilCaughtUp(whole)
        const checkpoints = whole.flatMap((one) => (typeof one === 'object' && 'checkpoint' in one ? one : []))
        for (const checkpoint of checkpoints.slice(0, 10)) {
          const rest = subscribe(['A'], { window, interval }, at(checkpoint.checkpoint))
          await untilCaughtUp(rest)
          const before = whole.slice(0, whole.indexOf(checkpoint))
          expect(typesOf(before) + typesOf(rest)).toBe(typesOf(whole))
        }
        await unsubscribe()
      },
    ),
    { numRuns: 20 },
  )
})

test('a subscription to a stream waits for the stream, and goes on behind its revision', async () => {
  const seen: (bigint | undefined)[] = []
  const subscription = client.subscribeToStream('letters', { fromRevision: 1n })
  subscription.on('data', ({ event }) => seen.push(event?.revision))
  const confirmed = new Promise((resolve) => subscription.once('confirmation', resolve))
  await confirmed
  await append('letters', 'ABC')
  await append('others', 'X')
  await append('letters', 'D')
  await expect.poll(() => seen, { interval: 2 }).toEqual([2n, 3n])
})
