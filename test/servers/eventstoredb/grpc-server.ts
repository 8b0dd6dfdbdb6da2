import http2, { type Http2Session, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { status as Code } from '@grpc/grpc-js'
import { createFrameReader, frameOf } from './grpc-frames.ts'

/**
 * gRPC over `node:http2`. The server of `@grpc/grpc-js` gives every message a write of its own and waits for it, which
 * halves the rate of a scan, and it owns its connections, which the faults here have to hold in their hands.
 */

export interface CallStatus {
  readonly code: number
  readonly message: string
  /** Trailers beside the status, such as what kind of exception it was. */
  readonly details?: Readonly<Record<string, string>>
}

export interface Call {
  readonly headers: IncomingHttpHeaders
  /** Sends frames. @returns false when the caller should wait until they are `drained` */
  send(frames: Buffer): boolean
  /** Resolves when more may be sent, or when the call is over. */
  drained(): Promise<void>
  /** Ends the call, well unless a status says otherwise. */
  finish(status?: CallStatus): void
  /** Is it over for whatever reason? */
  readonly isOver: boolean
  onOver(listener: () => void): void
}

export interface CallHandler {
  /** Gets each message of the client, unframed. */
  message(bytes: Buffer): void
  /** The client has said everything. */
  end(): void
}

/** Takes a call; what it throws, then or later, becomes the call's status if it is a `CallFailure`. */
export type Method = (call: Call) => CallHandler

export interface GrpcServer {
  /** Serves a connection. */
  accept(connection: Duplex): void
  /** Breaks off all calls as a server does that is stopping. Resolves when their callers have been told. */
  abort(): Promise<void>
}

/** What a method of the generated definitions says of its messages. */
export interface Definition<Request, Response> {
  readonly path: string
  requestDeserialize(bytes: Buffer): Request
  responseSerialize(response: Response): Buffer
}

/** A failure that a client sees as the status of its call. */
export class CallFailure extends Error {
  readonly status: CallStatus
  constructor(status: CallStatus) {
    super(status.message)
    this.status = status
  }
}

/** As the servers of EventStoreDB: a client may have a megabyte of appends under way before it is told to go on. */
const receiveWindowBytes = 1_048_576
/** As Kestrel has it: of the calls beyond, subscriptions among them, a client's library waits with the next. */
const maxConcurrentCalls = 100
const sessionMemoryMegabytes = 512

/** Serves these methods, by their paths, on the connections that it is given. */
export function createGrpcServer(methods: ReadonlyMap<string, Method>): GrpcServer {
  const sessions = new Set<Http2Session>()
  const server = http2.createServer({
    settings: { initialWindowSize: receiveWindowBytes, maxConcurrentStreams: maxConcurrentCalls },
    maxSessionMemory: sessionMemoryMegabytes,
  })
  const streams = new Set<ServerHttp2Stream>()

  server.on('session', (session) => {
    sessions.add(session)
    session.setLocalWindowSize(receiveWindowBytes)
    session.on('error', () => session.destroy())
    session.on('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => {
    // A connection that broke. Whoever called finds out.
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    streams.add(stream)
    stream.on('close', () => streams.delete(stream))
    serve(stream, headers)
  })

  function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const call = createCall(stream, headers)
    const method = methods.get(String(headers[':path']))
    if (!method) {
      stream.resume()
      call.finish({ code: Code.UNIMPLEMENTED, message: `The test server has no ${headers[':path']}.` })
      return
    }
    const guarded = (action: () => void): void => {
      try {
        if (!call.isOver) action()
      } catch (error) {
        call.finish(statusOf(error))
      }
    }
    guarded(() => {
      const handler = method(call)
      const read = createFrameReader((message) => handler.message(message))
      stream.on('data', (bytes: Buffer) => guarded(() => read(bytes)))
      stream.on('end', () => guarded(() => handler.end()))
    })
  }

  return {
    accept: (connection) => {
      server.emit('connection', connection)
    },
    async abort() {
      await Promise.all(
        [...streams].map(
          (stream) =>
            new Promise<void>((resolve) => {
              stream.once('close', resolve)
              stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
            }),
        ),
      )
      for (const session of sessions) session.goaway()
    },
  }
}

/** A method with one request and one answer, by its generated definition. */
export function unary<Request, Response>(
  definition: Definition<Request, Response>,
  answer: (request: Request) => Response,
): [path: string, method: Method] {
  const method: Method = (call) => ({
    message(bytes) {
      call.send(frameOf(definition.responseSerialize(answer(definition.requestDeserialize(bytes)))))
      call.finish()
    },
    end() {},
  })
  return [definition.path, method]
}

/** The status of a call that failed with this. */
export function statusOf(error: unknown): CallStatus {
  if (error instanceof CallFailure) return error.status
  // As ASP.NET says it of what a handler did not expect.
  return { code: Code.UNKNOWN, message: `Exception was thrown by handler. ${String(error)}` }
}

function createCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Call {
  let isFinished = false
  stream.on('error', () => {
    // The client went away; its 'close' follows.
  })
  const isOver = () => isFinished || stream.destroyed || stream.closed
  const respond = (status?: CallStatus) => {
    if (stream.headersSent) return
    const head = { ':status': 200, 'content-type': 'application/grpc' }
    if (status) stream.respond({ ...head, ...trailersOf(status) }, { endStream: true })
    else stream.respond(head, { waitForTrailers: true })
  }
  return {
    headers,
    send(frames) {
      if (isOver()) return true
      respond()
      return stream.write(frames)
    },
    drained: () =>
      new Promise((resolve) => {
        if (isOver() || !stream.writableNeedDrain) {
          resolve()
          return
        }
        const done = () => {
          stream.off('drain', done)
          stream.off('close', done)
          resolve()
        }
        stream.once('drain', done)
        stream.once('close', done)
      }),
    finish(status) {
      if (isOver()) return
      isFinished = true
      if (status && !stream.headersSent) {
        respond(status)
        return
      }
      respond()
      stream.once('wantTrailers', () => {
        if (!stream.destroyed) stream.sendTrailers(trailersOf(status ?? { code: Code.OK, message: '' }))
      })
      stream.end()
    },
    get isOver() {
      return isOver()
    },
    onOver(listener) {
      stream.once('close', listener)
    },
  }
}

function trailersOf(status: CallStatus): Record<string, string> {
  return { 'grpc-status': String(status.code), 'grpc-message': encodeURI(status.message), ...status.details }
}
