import { randomUUID } from 'node:crypto'
import { parseUUID } from '@eventstore/db-client/dist/utils/grpcUUID.js'
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { Clock } from '../../engine/clock.ts'
import { UnavailableError } from '../../engine/errors.ts'
import { type Append, batchAppendRequest } from './append-request.ts'
import type { BatchAppendCall, Connection } from './connection.ts'
import { appendFailure, appendRefusal, inDoubt, notWritten } from './failures.ts'

export interface AppenderOptions {
  readonly connection: Pick<Connection, 'batchAppend'>
  readonly clock: Clock
  /** How long an append waits for its answer before it is in doubt. */
  readonly appendTimeoutMs: number
  /** What may wait for answers; beyond it an append is refused. */
  readonly maxAppendsUnderWay: number
  readonly maxBytesUnderWay: number
}

/** What the server says of an append that it has done, now or before. */
export interface Written {
  /** Revision of the last event. */
  readonly revision: number
  /** Position of the last event, if the server says it. */
  readonly position: number | undefined
}

/** Sends appends one after another on one call, without waiting for the answers of those before. */
export interface Appender {
  /**
   * @throws ConflictError, InDoubtError, UnavailableError, CorruptLogError as the port's `append`
   */
  append(append: Append): Promise<Written>
  /** Resolves when no append waits for its answer: each has a timer, so that this ends. */
  idle(): Promise<void>
}

interface Pending {
  readonly append: Append
  resolve(written: Written): void
  reject(error: Error): void
}

/** A call with the appends that wait for its answers: when it fails, no other call's appends are touched. */
interface OpenCall {
  readonly call: BatchAppendCall
  readonly pending: Map<string, Pending>
  answeredAtMs: number
  isOver: boolean
}

/** Starts without a call; the first append opens one, and so does the first after a failure. */
export function appender(options: AppenderOptions): Appender {
  const { connection, clock, appendTimeoutMs, maxAppendsUnderWay, maxBytesUnderWay } = options
  let current: OpenCall | undefined
  let opening: Promise<OpenCall> | undefined
  let underWay = 0
  let bytesUnderWay = 0
  let wakeIdle: (() => void)[] = []

  async function open(): Promise<OpenCall> {
    const call = await connection.batchAppend()
    const opened: OpenCall = { call, pending: new Map(), answeredAtMs: clock.monotonic(), isOver: false }
    call.on('data', (answer: BatchAppendResp) => answered(opened, answer))
    call.on('error', (error) => over(opened, error))
    call.on('end', () => over(opened, new Error('The server ended the call')))
    current = opened
    return opened
  }

  function over(opened: OpenCall, error: unknown): void {
    opened.isOver = true
    if (current === opened) current = undefined
    for (const pending of [...opened.pending.values()]) pending.reject(appendFailure(error))
  }

  function answered(opened: OpenCall, answer: BatchAppendResp): void {
    opened.answeredAtMs = clock.monotonic()
    const pending = opened.pending.get(parseUUID(answer.getCorrelationId()) ?? '')
    // Answered twice, or too late: whoever asked has been told something already.
    if (pending === undefined) return
    const { stream, expectedRevision } = pending.append
    const [error, success] = [answer.getError(), answer.getSuccess()]
    if (error !== undefined) pending.reject(appendRefusal(error, stream, expectedRevision))
    else if (success === undefined) pending.reject(inDoubt(new Error('The answer says nothing')))
    else {
      const position = success.getPosition()?.getCommitPosition()
      pending.resolve({
        revision: Number(success.getCurrentRevision()),
        position: position === undefined ? undefined : Number(position),
      })
    }
  }

  function send(append: Append): Promise<Written> {
    return new Promise<Written>((resolve, reject) => {
      const id = randomUUID()
      const askedAtMs = clock.monotonic()
      let on: OpenCall | undefined
      let isSettled = false

      function settle(how: () => void): void {
        isSettled = true
        cancelTimer()
        on?.pending.delete(id)
        how()
      }

      const cancelTimer = clock.after(appendTimeoutMs, () => {
        const error = new Error(`No answer came within ${appendTimeoutMs} ms`)
        settle(() => reject(on === undefined ? notWritten(error) : inDoubt(error)))
        // To a server that has answered nothing since, more and more would pile up in this process.
        if (on !== undefined && on.answeredAtMs <= askedAtMs) on.call.cancel()
      })

      function write(opened: OpenCall): void {
        if (isSettled) return
        if (opened.isOver) {
          settle(() => reject(notWritten(new Error('The call ended before it began'))))
          return
        }
        on = opened
        opened.pending.set(id, {
          append,
          resolve: (written) => settle(() => resolve(written)),
          reject: (error) => settle(() => reject(error)),
        })
        opened.call.write(batchAppendRequest(id, append, clock.now()))
      }

      if (current !== undefined) {
        write(current)
        return
      }
      opening ??= open().finally(() => {
        opening = undefined
      })
      opening.then(write, (error: unknown) => {
        if (!isSettled) settle(() => reject(notWritten(error)))
      })
    })
  }

  return {
    async append(append) {
      const bytes = append.events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0)
      if (underWay >= maxAppendsUnderWay || bytesUnderWay + bytes > maxBytesUnderWay) {
        throw new UnavailableError('log-busy', 'Too many appends wait to be written. Try again.')
      }
      underWay++
      bytesUnderWay += bytes
      try {
        return await send(append)
      } finally {
        underWay--
        bytesUnderWay -= bytes
        if (underWay === 0) {
          for (const wake of wakeIdle) wake()
          wakeIdle = []
        }
      }
    },

    async idle() {
      if (underWay === 0) return
      await new Promise<void>((resolve) => {
        wakeIdle.push(resolve)
      })
    },
  }
}
