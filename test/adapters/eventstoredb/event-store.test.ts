import { onTestFinished } from 'vitest'
import { openEventStoreDbStore } from '../../../src/adapters/eventstoredb/event-store.ts'
import { systemClock } from '../../../src/engine/clock.ts'
import type { EventStore } from '../../../src/engine/event-store.ts'
import { eventStoreContract } from '../../contract/event-store.ts'
import { type EventStoreServer, startEventStoreServer } from '../../servers/eventstoredb/server.ts'

const servers = new WeakMap<EventStore, EventStoreServer>()

async function open(server: EventStoreServer): Promise<EventStore> {
  const store = await openEventStoreDbStore({ url: server.url, clock: systemClock, appendTimeoutMs: 2_000 })
  onTestFinished(() => store.close())
  servers.set(store, server)
  return store
}

function serverOf(store: EventStore): EventStoreServer {
  const server = servers.get(store)
  if (server === undefined) throw new Error('The store was not opened here')
  return server
}

eventStoreContract('the event store in EventStoreDB', {
  open: async (maxLiveEvents) => {
    const server = await startEventStoreServer(maxLiveEvents === undefined ? {} : { maxLiveBacklog: maxLiveEvents })
    onTestFinished(server.stop)
    return open(server)
  },
  reopen: async (store) => {
    await store.close()
    return open(serverOf(store))
  },
  loseNextAnswer: (store) => serverOf(store).faults.loseNextAnswers(1),
  propertyRuns: 30,
})
