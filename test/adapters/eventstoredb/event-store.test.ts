import type { EventStore } from '../../../src/engine/event-store.ts'
import { eventStoreContract } from '../../contract/event-store.ts'
import type { EventStoreServer } from '../../servers/eventstoredb/server.ts'
import { openStore, startServer } from './opened-store.ts'
import { newPart, type PartOfLog } from './part-of-log.ts'

/** The contract on the test server, or with EVENTSTOREDB_URL on the server there, each test on a part of its log. */

const url = process.env.EVENTSTOREDB_URL

if (url === undefined) {
  const servers = new WeakMap<EventStore, EventStoreServer>()

  const open = async (server: EventStoreServer): Promise<EventStore> => {
    const store = await openStore(server.url)
    servers.set(store, server)
    return store
  }
  const serverOf = (store: EventStore): EventStoreServer => {
    const server = servers.get(store)
    if (server === undefined) throw new Error('The store was not opened here')
    return server
  }

  eventStoreContract('the event store in EventStoreDB, on the test server', {
    // A node keeps 64 events for a subscriber that is slow, and then sends it away.
    open: async (maxLiveEvents) => open(await startServer(maxLiveEvents === undefined ? {} : { maxLiveBacklog: 64 })),
    reopen: async (store) => {
      await store.close()
      return open(serverOf(store))
    },
    loseNextAnswer: (store) => serverOf(store).faults.loseNextAnswers(1),
    propertyRuns: 30,
  })
} else {
  const parts = new WeakMap<EventStore, PartOfLog>()

  const open = async (known?: PartOfLog): Promise<EventStore> => {
    const log = await openStore(url, { appendTimeoutMs: 10_000 })
    const part = known ?? (await newPart(log))
    const store = part.of(log)
    parts.set(store, part)
    return store
  }

  // Without the credentials that may be in it.
  eventStoreContract(`the event store in EventStoreDB, on ${url.replace(/^.*[/@]/, '').replace(/[?].*$/, '')}`, {
    open: () => open(),
    reopen: async (store) => {
      await store.close()
      return open(parts.get(store))
    },
    sharesLog: true,
    propertyRuns: 30,
  })
}
