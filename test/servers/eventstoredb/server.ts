import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { appendMethods } from './append-service.ts'
import { deleteMethods } from './delete-service.ts'
import { createGrpcServer } from './grpc-server.ts'
import { createEventLog } from './log.ts'
import { nodeMethods } from './node-service.ts'
import { readMethods } from './read-service.ts'

export interface EventStoreServer {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

export async function startEventStoreServer(options: { port?: number } = {}): Promise<EventStoreServer> {
  const log = createEventLog(Date.now)
  log.writeEpoch()
  const sockets = new Set<import('node:net').Socket>()
  let port = 0
  const grpc = createGrpcServer(
    new Map([
      ...nodeMethods(randomUUID(), true, () => ({ host: '127.0.0.1', port })),
      ...appendMethods(log, 1_048_576, { deliveryOfNextAnswer: () => 'once' }, Date.now),
      ...readMethods(log, { maxLiveBacklog: 10_000 }, { shouldCutRead: () => false, cut() {} }, Date.now),
      ...deleteMethods(log),
    ]),
  )
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    grpc.accept(socket)
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('The test server has no port.')
  port = address.port
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    async stop() {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
