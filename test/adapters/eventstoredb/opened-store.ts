import { onTestFinished } from 'vitest'
import { type EventStoreDbOptions, openEventStoreDbStore } from '../../../src/adapters/eventstoredb/event-store.ts'
import { systemClock } from '../../../src/engine/clock.ts'
import type { EventStore } from '../../../src/engine/event-store.ts'
import {
  type EventStoreServer,
  type EventStoreServerOptions,
  startEventStoreServer,
} from '../../servers/eventstoredb/server.ts'

/** Starts a test server, which ends with the test. */
export async function startServer(options?: EventStoreServerOptions): Promise<EventStoreServer> {
  const server = await startEventStoreServer(options)
  onTestFinished(server.stop)
  return server
}

/** Opens a store that closes with the test, and gives up earlier than usual. */
export async function openStore(url: string, options: Partial<EventStoreDbOptions> = {}): Promise<EventStore> {
  const timeouts = { appendTimeoutMs: 3_000, readTimeoutMs: 3_000, closeTimeoutMs: 1_000, checkpointEveryMs: 20 }
  const store = await openEventStoreDbStore({ url, clock: systemClock, ...timeouts, ...options })
  onTestFinished(() => store.close())
  return store
}
