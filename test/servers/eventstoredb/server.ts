import { randomUUID } from 'node:crypto'
import { appendMethods } from './append-service.ts'
import { deleteMethods } from './delete-service.ts'
import { createFaults, type Faults } from './faults.ts'
import { createGrpcServer } from './grpc-server.ts'
import { createListener, host, type Listener } from './listener.ts'
import { createEventLog } from './log.ts'
import { nodeMethods } from './node-service.ts'
import { readMethods } from './read-service.ts'

/**
 * A test aid: one process that speaks the Streams protocol of EventStoreDB 23.10 as `@eventstore/db-client` 6.2 does, over
 * a log in memory, and breaks when it is told to. It is no EventStoreDB: nothing is on a disk, there are no users, no
 * projections, no persistent subscriptions and no links, and it remembers the ids of all events, where a node remembers
 * those of appends at any revision only while they are in its cache.
 */
export interface EventStoreServer extends AsyncDisposable {
  /** How a client connects. It stays the same over a restart. */
  readonly url: string
  readonly port: number
  readonly faults: Faults
  /** Stops serving, and keeps the log. @param how breaks calls off as a stopping node does, or as a killed one */
  goDown(how?: 'stopping' | 'killed'): Promise<void>
  /** Serves again what was in the log, after a new epoch. */
  comeUp(): Promise<void>
  /** Goes down and comes up. */
  restart(how?: 'stopping' | 'killed'): Promise<void>
  /** Ends for good. */
  stop(): Promise<void>
}

export interface EventStoreServerOptions {
  /** Any port that is free by default. */
  readonly port?: number
  /** As large as one append may be; a MiB by default. */
  readonly maxAppendBytes?: number
  /** Without it clients append with a call for each. */
  readonly hasBatchAppend?: boolean
  /**
   * How many events may wait for a subscription that was caught up, before it ends as too slow. A node holds 64 beside
   * what is on the wire, and empties them in other threads; here a burst waits until the client's turn comes.
   */
  readonly maxLiveBacklog?: number
}

const usualMaxAppendBytes = 1_048_576
const usualMaxLiveBacklog = 10_000

/** Starts a test server with an empty log. @throws when it can't have the port */
export async function startEventStoreServer(options: EventStoreServerOptions = {}): Promise<EventStoreServer> {
  const { port = 0, maxAppendBytes = usualMaxAppendBytes, hasBatchAppend = true } = options
  const log = createEventLog(Date.now)
  const switches = createFaults((): Listener => listener)
  const grpc = createGrpcServer(
    new Map([
      ...nodeMethods(randomUUID(), hasBatchAppend, () => ({ host, port: listener.port })),
      ...appendMethods(log, maxAppendBytes, switches, Date.now),
      ...readMethods(log, { maxLiveBacklog: options.maxLiveBacklog ?? usualMaxLiveBacklog }, switches, Date.now),
      ...deleteMethods(log),
    ]),
  )
  const listener = createListener(port, (connection) => grpc.accept(connection))
  log.writeSystemMetadata()

  async function comeUp(): Promise<void> {
    log.writeEpoch()
    await listener.listen()
  }

  async function goDown(how: 'stopping' | 'killed' = 'stopping'): Promise<void> {
    await listener.refuse()
    if (how === 'stopping') {
      // Who is frozen can't stop.
      switches.faults.thaw()
      await grpc.abort()
    }
    await listener.hangUp()
    switches.faults.thaw()
  }

  await comeUp()
  const stop = () => goDown('killed')
  return {
    url: `esdb://${host}:${listener.port}?tls=false`,
    port: listener.port,
    faults: switches.faults,
    goDown,
    comeUp,
    async restart(how) {
      await goDown(how)
      await comeUp()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
