import { EventStoreDBClient } from '@eventstore/db-client'
import { StreamsClient, StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js'
import type { BatchAppendResp, ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import { type Clock, inTime } from '../../engine/clock.ts'
import { type ReadAnswer, readAnswer } from './read-answer.ts'

/**
 * Calls to EventStoreDB. The client gives the connection: addresses, TLS, credentials, the way to the leader, and a new
 * channel after a failure. The calls themselves are made here, from its generated service, because its own ways to make them
 * can end the process: an answer that it does not expect throws where nobody can catch it, and appends that wait to be
 * sent as a connection breaks reject a promise that nobody has.
 */
export interface Connection {
  /** @throws what the client throws when there is no way to a node */
  read(request: ReadReq): Promise<ReadCall>
  /** Opens a call that many appends share; a request is the bytes of a `BatchAppendReq`. Throws as `read`. */
  batchAppend(): Promise<BatchAppendCall>
  /** Ends all calls. @param timeoutMs how long it waits for that */
  close(timeoutMs: number): Promise<void>
}

export type ReadCall = ReturnType<typeof StreamsClient.prototype.makeServerStreamRequest<ReadReq, ReadAnswer>>
export type BatchAppendCall = ReturnType<typeof StreamsClient.prototype.makeBidiStreamRequest<Buffer, BatchAppendResp>>

/** Where nobody listens to a call any more, its failure would end the process. */
function ignore(): void {}

/** @throws TypeError for a connection string that can't be understood, or names files that can't be read */
export function connect(url: string, clock: Clock): Connection {
  const client = openClient(url)
  keepFailuresOfReconnecting.call(client)
  return {
    read: (request) => openRead.call(client, request),
    batchAppend: () => openBatchAppend.call(client),
    async close(timeoutMs) {
      const ended = client.dispose().then(() => closeChannel.call(client))
      await inTime(clock, timeoutMs, ended.catch(ignore))
    },
  }
}

function openClient(url: string): EventStoreDBClient {
  try {
    return EventStoreDBClient.connectionString(url)
  } catch {
    // What the client says of it repeats the password.
    const like = 'esdb://user:password@host:2113?tlsCAFile=/path/to/ca.crt'
    throw new TypeError(
      `The connection string for EventStoreDB is wrong, or names a file that is not there. Write it like ${like}`,
    )
  }
}

// The client lets functions with it as `this` have what it gives to its own methods.

/** The client reconnects in the background, where nobody would see that it failed. The next call fails the same way. */
function keepFailuresOfReconnecting(this: EventStoreDBClient): void {
  const { handleError } = this
  this.handleError = (stub, error) => handleError(stub, error).catch(ignore)
}

/** No deadline: how long a read may take depends on who reads it. From the leader, or else decisions would rest on old events. */
function openRead(this: EventStoreDBClient, request: ReadReq): Promise<ReadCall> {
  const { path, requestSerialize } = StreamsService.read
  const create = this.GRPCStreamCreator(StreamsClient, 'read', (stub) =>
    stub
      .makeServerStreamRequest(
        path,
        requestSerialize,
        readAnswer,
        request,
        ...this.callArguments({ requiresLeader: true }, { deadline: Infinity }),
      )
      .on('error', ignore),
  )
  return create()
}

function asItIs(request: Buffer): Buffer {
  return request
}

function openBatchAppend(this: EventStoreDBClient): Promise<BatchAppendCall> {
  const { path, responseDeserialize } = StreamsService.batchAppend
  const create = this.GRPCStreamCreator(StreamsClient, 'batchAppend', (stub) =>
    stub
      .makeBidiStreamRequest(path, asItIs, responseDeserialize, ...this.callArguments({}, { deadline: Infinity }))
      .on('error', ignore),
  )
  return create()
}

async function closeChannel(this: EventStoreDBClient): Promise<void> {
  const channel = await this.getChannel()
  channel.close()
}
