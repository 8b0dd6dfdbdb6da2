import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { type GatedConnection, gateConnection } from './connection.ts'

/** The server's port and its connections, with what can befall them. */
export interface Listener {
  readonly port: number
  /** Takes new connections again, on the port it had. */
  listen(): Promise<void>
  /** Refuses new connections; those that are there go on. */
  refuse(): Promise<void>
  dropConnections(): void
  /** Breaks all connections off, and resolves when their clients know. */
  hangUp(): Promise<void>
  /** Takes connections but neither reads nor sends. */
  freeze(): void
  thaw(): void
  /** Holds back everything that is sent from now on for so long. */
  delay(ms: number): void
}

export const host = '127.0.0.1'

/** @param port the port, or 0 for any; @param serve gets each connection */
export function createListener(port: number, serve: (connection: Duplex) => void): Listener {
  const connections = new Set<GatedConnection>()
  let server: Server | undefined
  let listeningPort = port
  let isFrozen = false
  let delayMs = 0

  return {
    get port() {
      return listeningPort
    },
    async listen() {
      if (server) return
      const created = createServer({ noDelay: true }, (socket) => {
        const connection = gateConnection(socket, () => delayMs)
        connections.add(connection)
        connection.stream.once('close', () => connections.delete(connection))
        if (isFrozen) connection.close()
        serve(connection.stream)
      })
      await new Promise<void>((resolve, reject) => {
        created.once('error', reject)
        created.listen(listeningPort, host, resolve)
      })
      const address = created.address()
      if (address !== null && typeof address === 'object') listeningPort = address.port
      server = created
    },
    refuse() {
      const closing = server
      server = undefined
      // It is refusing at once, though it is not closed before its last connection is.
      closing?.close()
      return new Promise((resolve) => setImmediate(resolve))
    },
    dropConnections() {
      for (const connection of connections) connection.drop()
    },
    async hangUp() {
      await Promise.all([...connections].map((connection) => connection.hangUp()))
    },
    freeze() {
      isFrozen = true
      for (const connection of connections) connection.close()
    },
    thaw() {
      isFrozen = false
      for (const connection of connections) connection.open()
    },
    delay(ms) {
      delayMs = ms
    },
  }
}
