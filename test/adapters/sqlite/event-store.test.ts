import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteEventStore, type SqliteEventStoreOptions } from '../../../src/adapters/sqlite/event-store.ts'
import { startLogWriter } from '../../../src/adapters/sqlite/writer-thread.ts'
import { type EventStore, noStream } from '../../../src/engine/event-store.ts'
import { eventStoreContract } from '../../contract/event-store.ts'
import { newEvents } from '../../contract/new-event.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

const optionsOf = new WeakMap<EventStore, SqliteEventStoreOptions>()
const losing = new Set<string>()

async function open(options: SqliteEventStoreOptions): Promise<EventStore> {
  const store = await openSqliteEventStore(options)
  optionsOf.set(store, options)
  onTestFinished(() => store.close())
  return store
}

function given(store: EventStore): SqliteEventStoreOptions {
  const options = optionsOf.get(store)
  if (options === undefined) throw new Error('The store was not opened here')
  return options
}

/** Writes as always, but the answer to a group may get lost on its way. */
const startWriter: typeof startLogWriter = (options) => {
  const writer = startLogWriter(options)
  return {
    async write(group) {
      const answer = await writer.write(group)
      return losing.delete(options.file) ? { kind: 'failed', outcome: 'in-doubt', message: 'lost' } : answer
    },
    close: writer.close,
  }
}

eventStoreContract('the event store in SQLite', {
  open: async (maxLiveEvents = 1_000) => {
    const directory = temporaryDirectory()
    onTestFinished(directory.remove)
    return open({ file: join(directory.path, 'log.db'), maxLiveEvents, startWriter })
  },
  reopen: async (store) => {
    await store.close()
    return open(given(store))
  },
  loseNextAnswer: (store) => losing.add(given(store).file),
  propertyRuns: 100,
})

test('a subscriber that is far behind lets others have their turn, also when it is served from memory', async () => {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  const store = await open({ file: join(directory.path, 'log.db') })
  for (let n = 0; n < 4; n++) await store.append(`invoice-${n}`, noStream, newEvents(50))
  const stopping = new AbortController()
  let turns = 0
  const turn = () => {
    turns++
    if (!stopping.signal.aborted) setImmediate(turn)
  }
  setImmediate(turn)
  const turnsAt: number[] = []
  for await (const { caughtUp } of store.subscribe({ after: 0, batchSize: 20, signal: stopping.signal })) {
    turnsAt.push(turns)
    if (caughtUp) stopping.abort()
  }
  expect(turnsAt).toHaveLength(10)
  expect(new Set(turnsAt).size).toBe(10)
})
