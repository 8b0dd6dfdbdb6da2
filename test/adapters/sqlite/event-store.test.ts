import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openSqliteEventStore, type SqliteEventStoreOptions } from '../../../src/adapters/sqlite/event-store.ts'
import { startLogWriter } from '../../../src/adapters/sqlite/writer-thread.ts'
import type { EventStore } from '../../../src/engine/event-store.ts'
import { eventStoreContract } from '../../contract/event-store.ts'
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
